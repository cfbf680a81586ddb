"""Showing who an elder is, by a code that changes, a card with a PIN, or twelve digits with a PIN."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from ledger.audit.operations import record
from ledger.wire import Prepared, Transaction
from vouchers.codes import digits, pins, token
from vouchers.codes.models import ElderCode, PinTry, TokenUse
from vouchers.codes.refusals import CannotIdentify, CannotSetPin
from vouchers.codes.token import Audience, Kind, NotAToken, Token
from vouchers.elders.models import Elder

# Clocks differ and hands are slow: a token is taken two windows late or one early; one that was taken without
# a network, when nobody could set the terminal's clock, five minutes either way.
WINDOWS_LATE, WINDOWS_EARLY = 2, 1
WINDOWS_OFFLINE = 10
SERVES_ITS_TERMINAL = timedelta(minutes=5)  # lunch, then soup, on one tray

PIN_TRIES = 5
PIN_PERIOD = timedelta(minutes=15)
KEPT = timedelta(days=7)  # uses and tries; a terminal may report 72 hours later


# What the elder shows


def codes_of(elder: Elder) -> ElderCode:
    """The elder's codes, made when they are asked for the first time."""
    for _again in range(5):
        found = ElderCode.objects.filter(elder=elder).first()
        if found is not None:
            return found
        try:
            with transaction.atomic():
                return ElderCode.objects.create(
                    elder=elder, number=secrets.randbits(63), typed=digits.fresh()
                )
        except IntegrityError:
            continue  # made by another at the same moment, or a number that is taken
    raise RuntimeError("no free code was found")


def elder_token(*, elder: Elder, at: datetime) -> str:
    """The token of this elder for the window in which `at` lies, to be shown at a counter."""
    return _signed(Token(Kind.MOVING, Audience.COUNTER, codes_of(elder).number, token.window_of(at)))


def elder_tokens(*, elder: Elder, at: datetime, windows: int) -> Iterator[tuple[datetime, str]]:
    """This window's token and the next ones', with the instant at which each begins: a phone shows them
    without a network."""
    number, first = codes_of(elder).number, token.window_of(at)
    for window in range(first, first + windows):
        yield token.starts_at(window), _signed(Token(Kind.MOVING, Audience.COUNTER, number, window))


@dataclass(frozen=True, slots=True)
class CardCode:
    """What is printed on a card: `text` for its QR code, `typed` to be read aloud or typed. Both need the PIN."""

    text: str
    typed: str
    card: int


def card_code(*, elder: Elder) -> CardCode:
    codes = codes_of(elder)
    text = _signed(Token(Kind.PAPER, Audience.COUNTER, codes.number, codes.card))
    return CardCode(text, codes.typed, codes.card)


def print_card(*, elder: Elder, by: Any, at: datetime) -> CardCode:
    """This function will give what is to be printed, and note who had it: the card is worth something."""
    with transaction.atomic():
        code = card_code(elder=elder)
        record(by=by, at=at, action="print_card", subject=elder.code, detail={"card": code.card})
    return code


def replace_card(*, elder: Elder, by: Any, at: datetime) -> CardCode:
    """This function will make every card printed so far worthless, its twelve digits too."""
    codes_of(elder)
    for _again in range(5):
        try:
            with transaction.atomic():
                codes = ElderCode.objects.select_for_update().get(elder=elder)
                codes.card += 1
                codes.typed = digits.fresh()
                codes.save(update_fields=["card", "typed"])
                record(by=by, at=at, action="replace_card", subject=elder.code, detail={"card": codes.card})
            return card_code(elder=elder)
        except IntegrityError:
            continue  # digits that another card has
    raise RuntimeError("no free code was found")


def set_pin(*, elder: Elder, pin: str, by: Any, at: datetime) -> None:
    """This function will set the six digits that go with a card or a typed code.

    Wrong PINs of the last minutes stay counted. Raises CannotSetPin.
    """
    if not pins.is_six_digits(pin):
        raise CannotSetPin("not_six_digits")
    if pins.is_easy(pin, birth_on=elder.birth_on, numbers=(elder.id_number(), elder.phone())):
        raise CannotSetPin("too_easy")
    kept = pins.hashed(pin, elder=elder.code)
    codes_of(elder)
    with transaction.atomic():
        ElderCode.objects.filter(elder=elder).update(pin_hash=kept, pin_set_at=at)
        record(by=by, at=at, action="set_pin", subject=elder.code)


def public_keys() -> dict[int, bytes]:
    """By id, what checks tokens; no secret."""
    return {key_id: token.public_key(seed) for key_id, seed in settings.TOKEN_KEYS.items()}


# What is taken at the counter


def identify(
    *, credential: Mapping[str, str], terminal_key: str, at: datetime, taken_at: datetime | None = None
) -> str:
    """This function will tell whom a credential shows, and note that it was used at this terminal.

    {"token"} is a changing code; {"code", "pin"} an elder's code, the text of a card's QR code or twelve digits,
    with the PIN. `at` is now; `taken_at` is given for what a terminal took without a network: its tokens are
    judged against that moment, while PINs are always counted by `at`. Answers the elder's code.

    A PIN is counted in a transaction of its own, so call this outside any other. Raises CannotIdentify.
    """
    shown = credential.get("token") or credential.get("code") or ""
    genuine = _genuine(shown) if token.looks_like_one(shown) or "token" in credential else None
    if genuine is not None and genuine.kind == Kind.MOVING:
        return _by_token(genuine, terminal_key, taken_at or at, offline=taken_at is not None)
    codes = _codes_shown(shown, genuine)
    if genuine is not None and genuine.serial != codes.card:
        raise CannotIdentify("card_replaced", elder=codes.elder.code)
    check_pin(codes=codes, pin=credential.get("pin") or "", terminal_key=terminal_key, at=at)
    return codes.elder.code


def whose(*, credential: Mapping[str, str], at: datetime | None = None) -> str:
    """The elder whom a credential names, without using it: no PIN is examined and no window used up.

    For answering a repeated key, and (with `at`) for reading by a token that must be of this moment. Raises
    CannotIdentify.
    """
    shown = credential.get("token") or credential.get("code") or ""
    genuine = _genuine(shown) if token.looks_like_one(shown) or "token" in credential else None
    elder = _codes_shown(shown, genuine).elder.code
    if at is not None and (
        genuine is None or genuine.kind != Kind.MOVING or not _is_fresh(genuine.serial, at, offline=False)
    ):
        raise CannotIdentify("token_expired", elder=elder)
    return elder


def pin_digest(*, code: str, pin: str) -> str:
    """What a redemption's content carries in place of the PIN that was given with `code` (rules.md 4.1)."""
    return pins.digest(pin, whose=code)


def check_pin(*, codes: ElderCode, pin: str, terminal_key: str, at: datetime) -> None:
    """This function will check a PIN, at most five wrong ones for an elder in 15 minutes, wherever they are typed.

    1. Lock the elder's codes; refuse when five tries are counted, else count this one. Committed.
    2. Compare, slowly, with nothing locked.
    3. A right one is no longer counted.

    So whoever comes at once finds the others counted, and a failure later on takes no try back. Raises CannotIdentify.
    """
    elder = codes.elder.code
    if not pin:
        raise CannotIdentify("pin_needed", elder=elder)
    with transaction.atomic(durable=True):
        codes = ElderCode.objects.select_for_update(of=["self"]).get(elder_id=codes.elder_id)
        if codes.pin_hash is None:
            raise CannotIdentify("pin_not_set", elder=elder)
        recent = PinTry.objects.filter(code=codes, counts=True, tried_at__gt=at - PIN_PERIOD)
        if recent.count() >= PIN_TRIES:
            raise CannotIdentify("pin_locked", elder=elder)
        this = PinTry.objects.create(code=codes, terminal=terminal_key, tried_at=at)
    if not pins.matches(pin, codes.pin_hash, elder=elder):
        raise CannotIdentify("pin_wrong", elder=elder)
    PinTry.objects.filter(id=this.id).update(counts=False)


def forget_used(*, at: datetime) -> int:
    """Remove uses and tries that no rule asks for any more; nightly. Answers how many."""
    before = at - KEPT
    uses, _by_model = TokenUse.objects.filter(used_at__lt=before).delete()
    tries, _by_model = PinTry.objects.filter(tried_at__lt=before).delete()
    return uses + tries


def _signed(what: Token) -> str:
    key_id, seed = next(iter(settings.TOKEN_KEYS.items()))
    return token.make(what, key_id=key_id, seed=seed)


def _genuine(text: str) -> Token:
    try:
        return token.read(text, keys=public_keys(), audience=Audience.COUNTER)
    except NotAToken:
        raise CannotIdentify("token_invalid") from None


def _codes_shown(shown: str, genuine: Token | None) -> ElderCode:
    known = ElderCode.objects.select_related("elder")
    if genuine is not None:
        found = known.filter(number=genuine.number).first()
    elif digits.is_whole(plain := digits.plain(shown)):
        found = known.filter(typed=plain).first()
    else:
        found = known.filter(elder__code=shown).first()
        if found is None and (elder := Elder.objects.known().filter(code=shown).first()):
            found = codes_of(elder)
    if found is None:
        raise CannotIdentify("token_invalid" if genuine is not None else "unknown_reference")
    return found


def _is_fresh(window: int, at: datetime, *, offline: bool) -> bool:
    late = token.window_of(at) - window
    if offline:
        return abs(late) <= WINDOWS_OFFLINE
    return -WINDOWS_EARLY <= late <= WINDOWS_LATE


# Note [One statement]: whoever scans waits for this, so the elder is found and the window taken in one round trip.
# An earlier use comes with it. Of two terminals at once the unique constraint lets one in; the other reads, in a
# statement of its own, which sees what committed meanwhile. Its commit need not wait for the disk: a redemption commits after it and waits for
# both; without one, nothing was spent by the code.
HURRY = Prepared("token_hurry", "SELECT set_config('synchronous_commit', 'off', true)")
TAKE = Prepared(
    "token_take",
    """
    WITH shown AS (
        SELECT c.elder_id, e.code FROM vouchers_eldercode c JOIN vouchers_elder e ON e.id = c.elder_id
        WHERE c.number = %(number)s),
    taken AS (
        INSERT INTO vouchers_tokenuse (code_id, "window", terminal, used_at)
        SELECT elder_id, %(window)s::bigint, %(terminal)s::text, %(at)s::timestamptz
        FROM shown WHERE %(fresh)s::boolean
        ON CONFLICT ON CONSTRAINT token_of_a_window_serves_one_terminal DO NOTHING
        RETURNING id)
    SELECT shown.elder_id, shown.code, EXISTS (SELECT FROM taken), used.terminal, extract(epoch FROM used.used_at)
    FROM shown LEFT JOIN vouchers_tokenuse used
        ON used.code_id = shown.elder_id AND used."window" = %(window)s::bigint
    """,
)


def _by_token(shown: Token, terminal: str, at: datetime, *, offline: bool) -> str:
    asked: dict[str, int | str | bool | datetime] = {
        "number": shown.number,
        "window": shown.serial,
        "terminal": terminal,
        "at": at,
        "fresh": _is_fresh(shown.serial, at, offline=offline),
    }
    with Transaction() as together:
        _hurried, found = together.send((HURRY, {}), (TAKE, asked), last=True)
    if not found:
        raise CannotIdentify("token_invalid")
    elder_id, elder, taken, used_by, seconds = found[0]
    assert elder_id and elder
    if taken == "t":
        return elder
    used_at = datetime.fromtimestamp(float(seconds), UTC) if seconds else None
    if used_at is None:
        first = TokenUse.objects.filter(code_id=int(elder_id), window=shown.serial).first()
        if first is None:
            raise CannotIdentify("token_expired", elder=elder)
        used_by, used_at = first.terminal, first.used_at
    if used_by != terminal:
        raise CannotIdentify("token_used", elder=elder)
    if abs(at - used_at) > SERVES_ITS_TERMINAL:
        raise CannotIdentify("token_expired", elder=elder)
    return elder
