"""The register of premises: loading it, and taking one from stage to stage."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.table import Column, Row
from ledger.journal.queries import day_of
from ledger.refusals import Refusal
from providers.known import Known
from providers.leases.models import Lease
from providers.premises.models import Premises, StageChange

COLUMNS = [
    Column("code", kinds.CODE),
    Column("name", kinds.text(120)),
    Column("former_use", kinds.choice(*Premises.FormerUse.values)),
    Column("owner", kinds.text(120)),
    Column("owner_kind", kinds.choice(*Premises.OwnerKind.values)),
    Column("division", kinds.DIVISION),
    Column("address", kinds.text(200), required=False),
    Column("longitude", kinds.decimal(low=Decimal(-180), high=Decimal(180)), required=False),
    Column("latitude", kinds.decimal(low=Decimal(-90), high=Decimal(90)), required=False),
    Column("floor_area_m2", kinds.decimal(places=2, high=Decimal("99999999.99")), required=False),
    Column("condition", kinds.choice(*Premises.Condition.values)),
    Column("stage", kinds.choice(*Premises.Stage.values)),
    Column("market_rent", kinds.YUAN, required=False),
    Column("stage_since", kinds.DATE, required=False, optional=True),
]
OWN = [column.name for column in COLUMNS if column.name not in ("code", "division", "stage", "stage_since")]


def plan_premises(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what premises.csv changes.

    What describes the premises may change; an empty cell changes nothing. The stage follows Premises.MOVES;
    a stage counts from its `stage_since`, where the file says none from the day of the load. A stage on record keeps
    its day. A file knows no decision: premises on record leave for another use only by `move_premises`. A new row
    may stand retired: that was decided before.
    """
    fresh = []
    stages: list[StageChange] = []
    for row in draft.once(rows, "code"):
        division = draft.find(row, "division", known.divisions)
        given = {name: row[name] for name in OWN if row[name] is not None}
        premises = known.premises.get(row["code"])
        if premises is None:
            premises = Premises(code=row["code"], stage=row["stage"], division=division, **given)
            known.premises[premises.code] = premises
            fresh.append(premises)
            stages.append(_loaded(premises, row, draft))
            draft.tally(premises.code, new=True)
            continue
        if (
            row["stage"] != premises.stage
            and row["stage"] not in Premises.MOVES[Premises.Stage(premises.stage)]
        ):
            draft.problem(
                row,
                "stage",
                _("'%(new)s' cannot follow '%(old)s', which is on record; what may follow: %(moves)s"),
                new=row["stage"],
                old=premises.stage,
                moves=", ".join(sorted(Premises.MOVES[Premises.Stage(premises.stage)])) or "-",
            )
        elif row["stage"] != premises.stage and row["stage"] == Premises.Stage.RETIRED:
            draft.problem(
                row,
                "stage",
                _(
                    "premises on record leave for another use by a decision: enter it on their page, with its number"
                ),
            )
        given |= {"stage": row["stage"], "division": division} if division else {}
        changes = draft.revise(row, premises, given)
        draft.update(premises, changes)
        stages += [_loaded(premises, row, draft)] if "stage" in changes else []
        draft.tally(premises.code, changed=bool(changes))
    draft.create(fresh)
    draft.create(stages)


def _loaded(premises: Premises, row: Row, draft: Draft) -> StageChange:
    """The stage that a row brings; a day that cannot be is a problem of the row."""
    today = day_of(draft.at)
    since = row["stage_since"] or today
    before = premises.stage_changes.order_by("-id").first() if premises.pk else None
    if since > today:
        draft.problem(row, "stage_since", SENTENCES["in_future"])
    elif before and since < before.since_on:
        draft.problem(row, "stage_since", SENTENCES["too_early"])
    return StageChange(premises=premises, stage=premises.stage, since_on=since, by=draft.by, at=draft.at)


SENTENCES = {
    "moved_on": _("Somebody has moved these premises meanwhile: look at their stage again."),
    "not_next": _("That stage cannot follow the one on record."),
    "in_future": _("A stage is noted once it is reached: the day cannot lie ahead."),
    "too_early": _("The day lies before the stage on record began."),
    "no_lease": _("No lease of these premises covers that day. Enter the lease first."),
    "lease_in_force": _("A lease of these premises runs beyond that day. End it first."),
    "decision_missing": _(
        "Public property goes to elder care first. Where it goes elsewhere, name the decision and say why."
    ),
}


class CannotMove(Refusal):
    """Premises cannot be taken to a stage; `code` is one of SENTENCES. Nothing is written."""

    sentences = SENTENCES


STANDS_EMPTY = {Premises.Stage.SURVEYED, Premises.Stage.LISTED, Premises.Stage.RETIRED}


@transaction.atomic
def move_premises(
    *,
    premises: Premises,
    seen: str,
    stage: str,
    on: date,
    decision_no: str = "",
    reason: str = "",
    by: object,
    at: datetime,
) -> StageChange:
    """This function will take premises to their next stage, as of a day that has come.

    1. Lock them; refuse when they no longer stand at the stage that was `seen`.
    2. Check that the stage may follow, and the day; leased and operating need a lease that covers the day,
       the other stages none that runs beyond it.
    3. Retired, they go to another use: only with a decision and its reason.

    Raises CannotMove.
    """
    premises = Premises.objects.select_for_update(no_key=True).get(pk=premises.pk)
    if premises.stage != seen:
        raise CannotMove("moved_on")
    if stage not in Premises.MOVES[Premises.Stage(premises.stage)]:
        raise CannotMove("not_next")
    last = premises.stage_changes.order_by("-id").first()
    if on > day_of(at):
        raise CannotMove("in_future")
    if last and on < last.since_on:
        raise CannotMove("too_early")
    leases = Lease.objects.filter(premises=premises, ends_on__gte=on)
    if stage in STANDS_EMPTY:
        if leases.filter(ends_on__gt=on).exists():
            raise CannotMove("lease_in_force")
    elif not leases.filter(starts_on__lte=on if stage == Premises.Stage.OPERATING else date.max).exists():
        raise CannotMove("no_lease")
    if stage == Premises.Stage.RETIRED and not (decision_no and reason):
        raise CannotMove("decision_missing")
    old, premises.stage = premises.stage, stage
    premises.save(update_fields=["stage"])
    change = StageChange.objects.create(
        premises=premises,
        stage=stage,
        since_on=on,
        decision_no=decision_no,
        reason=reason,
        by=name_of(by),
        at=at,
    )
    detail = {"stage": [old, stage], "since_on": ["", on.isoformat()]}
    if decision_no:
        detail["decision_no"] = ["", decision_no]
    record(by=by, at=at, action="move_premises", subject=premises.code, detail=detail)
    return change
