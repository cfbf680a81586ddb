"""The kinds of value a column may hold: text in, typed value out, or a sentence saying what is wrong.

Every parser here sees stripped, non-empty text; an empty cell is "not given" and never gets this far.
A cell of a workbook comes as `Cell`, text that remembers what Excel held, so that a number that has
lost its last digits or a date made of "2-1" is refused instead of believed.

A value is quoted in a sentence only where it cannot be a person's: short ASCII without a long run of
digits. Everything else shows as "…".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from ledger.files.problems import Wrong
from ledger.files.resident_ids import resident_id

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST_YEAR, LAST_YEAR = 1900, 2199


class Origin(Enum):
    """What a cell of a workbook held before it became text."""

    TEXT = "text"
    NUMBER = "number"
    LONG_NUMBER = "long number"
    DATE = "date"
    YES_NO = "yes/no"
    FORMULA = "formula"
    ERROR = "error"


class Cell(str):
    """The text of a workbook's cell, and its origin. Plain `str` (from a CSV file) counts as text."""

    __slots__ = ("origin",)
    origin: Origin

    def __new__(cls, text: str, origin: Origin) -> "Cell":
        cell = super().__new__(cls, text)
        cell.origin = origin
        return cell


_ORIGIN_REFUSED = {
    Origin.FORMULA: _("is a formula: paste its value instead"),
    Origin.ERROR: _("holds an error of the spreadsheet, not a value"),
    Origin.LONG_NUMBER: _(
        "the spreadsheet has turned this into a number and lost its last digits: "
        "format the column as text and enter it again"
    ),
    Origin.NUMBER: _("is a number in the spreadsheet: format the column as text and enter it again"),
    Origin.DATE: _(
        "the spreadsheet has turned this into a date: format the column as text and enter it again"
    ),
    Origin.YES_NO: _("is TRUE or FALSE in the spreadsheet: format the column as text and enter it again"),
    Origin.TEXT: _("is text in the spreadsheet"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of value is read. `accepts`: the origins besides text that may stand in a workbook."""

    name: str
    parse: Callable[[str], Any]
    accepts: frozenset[Origin] = frozenset()
    nothing: Any = None

    def read(self, cell: str) -> Any:
        """The value of a cell that is not empty. Raises Wrong."""
        origin = getattr(cell, "origin", Origin.TEXT)
        if origin is not Origin.TEXT and origin not in self.accepts:
            raise Wrong(_ORIGIN_REFUSED[origin])
        try:
            return self.parse(cell)
        except Wrong:
            if "\0" in cell:
                raise Wrong(_("contains a NUL byte: the file is damaged or not a text file")) from None
            if _FULL_WIDTH.search(cell):
                raise Wrong(
                    _("is written in full-width characters: use the half-width 0-9, A-Z and .")
                ) from None
            raise


_FULL_WIDTH = re.compile("[\uff01-\uff5e]")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SHORTENED = re.compile(r"[+-]?\d(\.\d+)?E\+?\d{1,3}", re.ASCII | re.IGNORECASE)
_LONG_DIGITS = re.compile(r"\d{11}", re.ASCII)


def shown(value: str) -> str:
    """The value as a sentence may quote it; see the note on personal data above."""
    harmless = value.isascii() and value.isprintable() and len(value) <= 32 and not _LONG_DIGITS.search(value)
    return str(value) if harmless else "…"


def _refuse_shortened(value: str) -> None:
    if _SHORTENED.fullmatch(value):
        raise Wrong(_ORIGIN_REFUSED[Origin.LONG_NUMBER])


# Text and codes


def text(max_length: int = 200) -> Kind:
    """Free text, at most `max_length` characters; no control characters, nothing that looks like a formula."""

    def parse(value: str) -> str:
        if len(value) > max_length:
            raise Wrong(
                _("is too long: %(length)s characters, at most %(limit)s"),
                length=len(value),
                limit=max_length,
            )
        if _UNFIT.search(value):
            raise Wrong(_("contains a control character, which does not belong into text"))
        if value[0] in "=@":
            raise Wrong(_("begins like a formula, with = or @: enter plain text"))
        _refuse_shortened(value)
        return str(value)

    return Kind("text", parse, frozenset({Origin.NUMBER}))


def _pattern(name: str, pattern: str, message: Any, accepts: frozenset[Origin] = frozenset()) -> Kind:
    match = re.compile(pattern, re.ASCII).fullmatch

    def parse(value: str) -> str:
        if match(value):
            return str(value)
        _refuse_shortened(value)
        raise Wrong(message, value=shown(value))

    return Kind(name, parse, accepts)


CODE = _pattern(
    "code",
    r"[A-Z][A-Z0-9]{1,11}",
    _("'%(value)s' is not a code: a capital letter and 1 to 11 capital letters or digits"),
)
DIVISION = _pattern(
    "division",
    r"[0-9]{2,12}",
    _("'%(value)s' is not a division code: 2 to 12 digits"),
    frozenset({Origin.NUMBER}),
)


def _resident_id(value: str) -> str:
    _refuse_shortened(value)
    return resident_id(value)


RESIDENT_ID = Kind("resident ID", _resident_id)


def choice(*words: str) -> Kind:
    """One of the words, spelt exactly so."""
    allowed = frozenset(words)

    def parse(value: str) -> str:
        if value not in allowed:
            raise Wrong(_("'%(value)s' is not one of: %(words)s"), value=shown(value), words=", ".join(words))
        return str(value)

    return Kind("choice", parse)


def listed(item: Kind, *, repeats: bool = False) -> Kind:
    """A list separated by `;`, each part of kind `item`; not given is the empty tuple.

    A part written twice is refused, or with `repeats` counts once.
    """

    def parse(value: str) -> tuple[Any, ...]:
        parts = [part.strip() for part in value.split(";")]
        if not all(parts):
            raise Wrong(_("has an empty place in its list: separate the parts by one ;"))
        values = tuple(item.parse(part) for part in parts)
        if repeats:
            return tuple(dict.fromkeys(values))
        if len(set(values)) < len(values):
            raise Wrong(_("names the same part twice in its list"))
        return values

    return Kind("list", parse, item.accepts, nothing=())


def _yes_no(value: str) -> bool:
    if value not in ("yes", "no"):
        raise Wrong(_("'%(value)s' is neither yes nor no"), value=shown(value))
    return value == "yes"


YES_NO = Kind("yes/no", _yes_no, frozenset({Origin.YES_NO}))


# Numbers

_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]+)?", re.ASCII)


def _number(value: str, *, places: int, low: Decimal | None, high: Decimal | None, what: Any) -> Decimal:
    if not _NUMBER.fullmatch(value):
        if "," in value or " " in value:
            raise Wrong(_("'%(value)s' has a separator in it: write the number without"), value=shown(value))
        raise Wrong(what, value=shown(value))
    number = Decimal(value)
    if -number.as_tuple().exponent > places:  # type: ignore[operator]
        raise Wrong(_("'%(value)s' has more than %(places)s decimals"), value=shown(value), places=places)
    if low is not None and number < low:
        raise Wrong(_("'%(value)s' is less than %(low)s"), value=shown(value), low=low)
    if high is not None and number > high:
        raise Wrong(_("'%(value)s' is more than %(high)s"), value=shown(value), high=high)
    return number


def decimal(*, places: int = 6, low: Decimal | None = Decimal(0), high: Decimal | None = None) -> Kind:
    """A plain decimal number as written, at most `places` decimals, between `low` and `high` inclusive."""
    what = _("'%(value)s' is not a number")
    return Kind(
        "decimal",
        lambda value: _number(value, places=places, low=low, high=high, what=what),
        frozenset({Origin.NUMBER}),
    )


def ratio(high: Decimal | None = None) -> Kind:
    """A share or rate such as 0.80, not below zero."""
    return decimal(places=6, low=Decimal(0), high=high)


def yuan(*, signed: bool = False) -> Kind:
    """An amount in yuan with exactly two decimals after reading, at most two in the file."""
    what = _("'%(value)s' is not an amount in yuan: digits, and at most two decimals after a point")
    low = None if signed else Decimal(0)

    def parse(value: str) -> Decimal:
        amount = _number(value, places=2, low=low, high=None, what=what)
        return amount.quantize(Decimal("0.01")) + 0  # + 0: no negative zero

    return Kind("yuan", parse, frozenset({Origin.NUMBER}))


YUAN = yuan()
SIGNED_YUAN = yuan(signed=True)


def integer(low: int | None = 0, high: int | None = None) -> Kind:
    """A whole number between `low` and `high` inclusive."""
    what = _("'%(value)s' is not a whole number")

    def parse(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", value, re.ASCII):
            raise Wrong(what, value=shown(value))
        return int(
            _number(
                value,
                places=0,
                what=what,
                low=None if low is None else Decimal(low),
                high=None if high is None else Decimal(high),
            )
        )

    return Kind("integer", parse, frozenset({Origin.NUMBER}))


# Days and instants

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_INSTANT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})([.](?P<fraction>[0-9]{1,6}))?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)


def _day(value: str) -> date:
    found = _DAY.fullmatch(value)
    if not found:
        raise Wrong(_("'%(value)s' is not a date written YYYY-MM-DD"), value=shown(value))
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Wrong(_("there is no day '%(value)s'"), value=shown(value)) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Wrong(
            _("'%(value)s' is not between the years %(first)s and %(last)s"),
            value=shown(value),
            first=FIRST_YEAR,
            last=LAST_YEAR,
        )
    return day


def _instant(value: str) -> datetime:
    found = _INSTANT.fullmatch(value)
    if not found:
        raise Wrong(_("'%(value)s' is not a time written like 2026-07-01T08:30:00+08:00"), value=shown(value))
    day = _day(found["day"])
    try:
        return datetime(
            day.year,
            day.month,
            day.day,
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"] or 0),
            int((found["fraction"] or "").ljust(6, "0")),
            tzinfo=_offset(found["offset"]),
        )
    except ValueError:
        raise Wrong(_("there is no time '%(value)s'"), value=shown(value)) from None


def _offset(spelt: str | None) -> timezone | ZoneInfo:
    """The zone an offset spells; without one Asia/Shanghai. Raises ValueError from 24 hours on."""
    if spelt is None:
        return SHANGHAI
    if spelt == "Z":
        return UTC
    hours, minutes = int(spelt[1:3]), int(spelt[-2:])
    if minutes > 59:
        raise ValueError(spelt)
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if spelt[0] == "-" else away)


def _date(value: str) -> date:
    if isinstance(value, Cell) and value.endswith("T00:00:00"):
        value = value[:10]  # a workbook knows no days, only midnights
    return _day(value)


DATE = Kind("date", _date, frozenset({Origin.DATE}))
INSTANT = Kind("instant", _instant, frozenset({Origin.DATE}))
