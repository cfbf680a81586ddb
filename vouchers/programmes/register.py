"""Loading programmes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.problems import Problems
from ledger.files.table import Column, Row, read
from ledger.files.write import as_file
from ledger.journal.operations import account_ids
from providers.known import Known
from providers.models import Division, Lease, Service
from providers.terms_ends import check_end
from vouchers.elders.models import Elder
from vouchers.programmes.models import IssueRun, Programme
from vouchers.wallets.models import Movement, Voucher

MOST = Decimal("99999999.99")  # yuan, of one voucher or one visit
SMALL = 32_767

COLUMNS = [
    Column("code", kinds.CODE),
    Column("name", kinds.text(120)),
    Column("settlement", kinds.choice(*Programme.Settlement.values)),
    Column("lease", kinds.CODE, required=False),
    Column("scope", kinds.choice(*Programme.Scope.values)),
    Column("face_value", kinds.decimal(places=2, low=Decimal("0.01"), high=MOST)),
    Column("divisible", kinds.YES_NO),
    Column("per_elder", kinds.integer(1, SMALL)),
    Column("cadence", kinds.choice(*Programme.Cadence.values)),
    Column("starts_on", kinds.DATE),
    Column("ends_on", kinds.DATE),
    Column("valid_days", kinds.integer(1, SMALL), required=False),
    Column("max_share", kinds.decimal(places=6, low=Decimal("0.000001"), high=Decimal(1)), required=False),
    Column("min_spend", kinds.decimal(places=2, high=MOST), required=False),
    Column("categories", kinds.listed(kinds.choice(*Service.Category.values), repeats=True)),
    Column("min_age", kinds.integer(0, 200), required=False),
    Column("min_ability", kinds.integer(0, 4), required=False),
    Column("any_of", kinds.listed(kinds.choice(*Elder.Group.values), repeats=True), required=False),
    Column("divisions", kinds.listed(kinds.DIVISION, repeats=True), required=False),
    Column("budget", kinds.YUAN, required=False, optional=True),
]
PLAIN = (
    "name",
    "settlement",
    "scope",
    "face_value",
    "divisible",
    "per_elder",
    "cadence",
    "starts_on",
    "ends_on",
    "valid_days",
    "min_age",
    "min_ability",
)
ACCOUNTS = (
    chart.vouchers_issued,
    chart.vouchers_outstanding,
    chart.vouchers_held,
    chart.vouchers_redeemed,
    chart.vouchers_expired,
    chart.vouchers_voided,
)

_ADVICE = _("Put the old value back; other terms are a programme with a code of its own.")


def plan_programmes(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what programmes.csv changes.

    1. Rent is offset, and the scopes premises and operator are limited, by the lease that the row names.
    2. A programme that has issued vouchers keeps everything but its end, which is never earlier than the end
       of a locked month or a redemption.
    3. Its accounts are opened.
    """
    rows = draft.once(rows, "code")
    stored = {
        row.code: row
        for row in Programme.objects.order_by("code").select_related("lease").prefetch_related("divisions")
    }
    fresh = []
    for row in rows:
        lease = draft.find(row, "lease", known.leases) if row["lease"] else None
        divisions = _divisions(row, draft, known)
        if not _sound(row, draft) or divisions is None or (row["lease"] and lease is None):
            continue
        programme = stored.get(row["code"])
        values = values_of(row, lease, programme)
        if programme is None:
            programme = Programme(code=row["code"], **values)
            fresh.append((programme, divisions))
            draft.tally(programme.code, new=True)
        else:
            changed = _revise(row, programme, values, divisions, draft, known)
            draft.tally(programme.code, changed=changed)
    draft.create([programme for programme, _divisions in fresh])
    draft.then(lambda: _tie(fresh))
    draft.then(lambda: account_ids(name for row in rows for name in _accounts(row)))


def _accounts(row: Row) -> list[str]:
    payout = [chart.voucher_expense(row["code"])] if row["settlement"] == Programme.Settlement.PAYOUT else []
    return [account(row["code"]) for account in ACCOUNTS] + payout


def _divisions(row: Row, draft: Draft, known: Known) -> list[Division] | None:
    unknown = [code for code in row["divisions"] if code not in known.divisions]
    for code in unknown:
        draft.problem(
            row,
            "divisions",
            _("'%(code)s' is unknown: neither on record nor in the files of this load"),
            code=code,
        )
    return None if unknown else [known.divisions[code] for code in row["divisions"]]


def _sound(row: Row, draft: Draft) -> bool:
    sound = True
    if row["ends_on"] < row["starts_on"]:
        draft.problem(
            row, "ends_on", _("lies before the programme's first day, %(day)s"), day=row["starts_on"]
        )
        sound = False
    if row["lease"] is None and row["settlement"] == Programme.Settlement.OFFSET:
        draft.problem(row, "lease", _("must be given: a programme that offsets rent names the lease"))
        sound = False
    elif row["lease"] is None and row["scope"] != Programme.Scope.CITY:
        draft.problem(
            row, "lease", _("must be given: the scope '%(scope)s' is that of a lease"), scope=row["scope"]
        )
        sound = False
    return sound


def values_of(row: Row, lease: Lease | None, programme: Programme | None) -> dict:
    values = {name: row[name] for name in PLAIN}
    values["lease"] = lease
    values["max_share"] = Decimal(1) if row["max_share"] is None else row["max_share"]
    values["min_spend"] = Decimal(0) if row["min_spend"] is None else row["min_spend"]
    for name in ("categories", "any_of"):  # lists without an order
        held = getattr(programme, name) if programme else None
        values[name] = held if held and set(held) == set(row[name]) else sorted(row[name])
    if "budget" in row:
        values["budget"] = row["budget"]
    return values


def _revise(
    row: Row, programme: Programme, values: dict, divisions: list[Division], draft: Draft, known: Known
) -> bool:
    issued = (
        IssueRun.objects.filter(programme=programme).exists()
        or Voucher.objects.filter(programme=programme).exists()
    )
    if issued and values["ends_on"] != programme.ends_on:
        check_end(
            row,
            "ends_on",
            old=programme.ends_on,
            new=values["ends_on"],
            last_service=_last_service(programme),
            draft=draft,
            known=known,
        )
    changes = draft.revise(row, programme, values, free={"ends_on"}, in_use=lambda: issued, advice=_ADVICE)
    draft.update(programme, changes)
    held = {division.code for division in programme.divisions.all()}
    if held == set(row["divisions"]):
        return bool(changes)
    if issued:
        draft.problem(
            row,
            "divisions",
            _("is '%(old)s' on record and cannot change: it is in use. %(advice)s"),
            old=";".join(sorted(held)),
            advice=_ADVICE,
        )
    draft.note("divisions", sorted(held), sorted(division.code for division in divisions))
    draft.then(lambda: programme.divisions.set(divisions))
    return True


def _last_service(programme: Programme):
    spent = Movement.objects.filter(voucher__programme=programme, redemption__isnull=False)
    return spent.aggregate(day=Max("redemption__service_on"))["day"]


def _tie(fresh: list[tuple[Programme, list[Division]]]) -> None:
    through = Programme.divisions.through
    through.objects.bulk_create(
        through(programme=programme, division=division)
        for programme, divisions in fresh
        for division in divisions
    )


def draft_of(row: Mapping[str, str]) -> tuple[Programme, list[str]]:
    """The programme that a row of text describes, not stored, and the codes of the divisions it names.

    Raises FileRefused with everything that is wrong.
    """
    problems = Problems()
    names = [column.name for column in COLUMNS]
    rows = read(as_file(names, [row]), COLUMNS, name="programmes.csv", problems=problems)
    problems.refuse()
    typed = rows[0]
    lease = Lease.objects.get(code=typed["lease"]) if typed["lease"] else None
    stored = Programme.objects.filter(code=typed["code"]).first()
    values = values_of(typed, lease, None)
    return Programme(pk=stored.pk if stored else None, code=typed["code"], **values), list(typed["divisions"])
