"""Loading services, where they are offered, and what they cost."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from django.utils.translation import gettext_lazy as _

from ledger.files import kinds
from ledger.files.draft import Draft, same
from ledger.files.table import Column, Row
from ledger.money import ZERO, to_fen
from providers.known import Known
from providers.services.models import Offer, Price, Service
from providers.terms_ends import check_end

MOST = Decimal("9999999999.99")
PART = kinds.decimal(places=2, high=MOST)  # yuan
AGE = kinds.integer(0, 200)

SERVICES = [
    Column("code", kinds.CODE),
    Column("name", kinds.text(120)),
    Column("category", kinds.choice(*Service.Category.values)),
    Column("unit", kinds.choice(*Service.Unit.values)),
    Column("daily_limit", kinds.integer(1, 32_767), required=False),
]
OFFERS = [Column("premises", kinds.CODE), Column("service", kinds.CODE)]
PRICES = [
    Column("service", kinds.CODE),
    Column("valid_from", kinds.DATE),
    Column("valid_until", kinds.DATE, required=False),
    Column("min_age", AGE, required=False),
    Column("max_age", AGE, required=False),
    Column("list_price", PART),
    Column("government", PART, required=False),
    Column("concession", PART, required=False),
    Column("charity", PART, required=False),
]


def plan_services(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what services.csv changes. A service in use stays as it is."""
    fresh = []
    for row in draft.once(rows, "code"):
        values = {name: row[name] for name in ("name", "category", "unit", "daily_limit")}
        service = known.services.get(row["code"])
        if service is None:
            known.services[row["code"]] = service = Service(code=row["code"], **values)
            fresh.append(service)
            draft.tally(service.code, new=True)
            continue
        changes = draft.revise(
            row,
            service,
            values,
            in_use=partial(known.uses.service_in_use, service),
            advice=_("Put the old value back; another service gets a row and a code of its own."),
        )
        draft.update(service, changes)
        draft.tally(service.code, changed=bool(changes))
    draft.create(fresh)


def plan_offers(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what offers.csv adds; an offer that the file does not name stays."""
    fresh = []
    for row in draft.once(rows, "premises", "service"):
        premises = draft.find(row, "premises", known.premises)
        service = draft.find(row, "service", known.services)
        offer = (row["premises"], row["service"])
        if premises is None or service is None:
            continue
        draft.tally(" ".join(offer), new=offer not in known.offers)
        if offer not in known.offers:
            known.offers.add(offer)
            fresh.append(Offer(premises=premises, service=service))
    draft.create(fresh)


def plan_prices(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what service_prices.csv changes.

    1. A row on record is known by its service, first day and lowest age. In use, only its last day may
       change, never to before the end of a locked month or a redemption at this price.
    2. The parts of a price do not exceed its list price.
    3. Rows of one service never overlap in date and age.
    """
    on_record = {(price.service.code, price.valid_from, price.min_age): price for price in known.prices}
    lines: list[tuple[Price, Row | None]] = []
    fresh = []
    for row in rows:
        service = draft.find(row, "service", known.services)
        if not _sound(row, draft) or service is None:
            continue
        values = {name: row[name] for name in ("valid_until", "max_age")}
        values |= {
            name: to_fen(row[name] or ZERO) for name in ("list_price", "government", "concession", "charity")
        }
        price = on_record.pop((row["service"], row["valid_from"], row["min_age"]), None)
        if price is None:
            price = Price(service=service, valid_from=row["valid_from"], min_age=row["min_age"], **values)
            fresh.append(price)
            draft.tally(f"{service.code} {price.valid_from}", new=True)
        else:
            draft.tally(
                f"{service.code} {price.valid_from}", changed=_revise(row, price, values, draft, known)
            )
        lines.append((price, row))
    _check_overlaps(lines, list(on_record.values()), draft)
    draft.create(fresh)


def _sound(row: Row, draft: Draft) -> bool:
    sound = True
    if row["valid_until"] and row["valid_until"] < row["valid_from"]:
        draft.problem(row, "valid_until", _("lies before the first day, %(day)s"), day=row["valid_from"])
        sound = False
    if None not in (row["min_age"], row["max_age"]) and row["max_age"] < row["min_age"]:
        draft.problem(row, "max_age", _("is less than the lowest age, %(age)s"), age=row["min_age"])
        sound = False
    parts = sum((row[name] or ZERO for name in ("government", "concession", "charity")), ZERO)
    if parts > row["list_price"]:
        draft.problem(
            row,
            "list_price",
            _(
                "the government's part, the concession and the charity part make %(parts)s, more than the list price"
            ),
            parts=parts,
        )
        sound = False
    return sound


def _revise(row: Row, price: Price, values: dict, draft: Draft, known: Known) -> bool:
    if all(same(price, name, value) for name, value in values.items()):
        return False
    last_service = known.uses.last_service_at_price(price)
    if last_service is not None:
        check_end(
            row,
            "valid_until",
            old=price.valid_until,
            new=row["valid_until"],
            last_service=last_service,
            draft=draft,
            known=known,
        )
    shrinks = row["valid_until"] is not None and (
        price.valid_until is None or row["valid_until"] <= price.valid_until
    )
    changes = draft.revise(
        row,
        price,
        values,
        free={"valid_until"},
        in_use=lambda: last_service is not None,
        advice=_(
            "Put the old value back and end this row; the new price is a row that begins the day after."
        ),
    )
    draft.update(price, changes, early=shrinks)
    return bool(changes)


def _check_overlaps(lines: list[tuple[Price, Row | None]], on_record: list[Price], draft: Draft) -> None:
    by_service: dict[str, list[tuple[Price, Row | None]]] = {}
    for price in on_record:  # rows that the file does not name
        by_service.setdefault(price.service.code, []).append((price, None))
    for price, row in lines:
        earlier = by_service.setdefault(price.service.code, [])
        for other, other_row in earlier:
            if row and _overlap(price, other):
                where = _("line %(line)s") % {"line": other_row.line} if other_row else _("on record")
                draft.problem(
                    row,
                    "valid_from",
                    _(
                        "overlaps a price of this service in date and age: from %(day)s, age %(ages)s (%(where)s)"
                    ),
                    day=other.valid_from,
                    ages=f"{other.min_age or 0}–{'' if other.max_age is None else other.max_age}",
                    where=where,
                )
        earlier.append((price, row))


def _overlap(one: Price, other: Price) -> bool:
    return _meet(one.valid_from, one.valid_until, other.valid_from, other.valid_until) and _meet(
        one.min_age or 0, one.max_age, other.min_age or 0, other.max_age
    )


def _meet(start, end, other_start, other_end) -> bool:
    """Whether two ranges with both ends included share a value; None is no end."""
    return (end is None or other_start <= end) and (other_end is None or start <= other_end)
