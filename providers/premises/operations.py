"""Loading the register of premises."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.table import Column, Row
from providers.known import Known
from providers.premises.models import Premises

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
]
OWN = [column.name for column in COLUMNS if column.name not in ("code", "division", "stage")]


def plan_premises(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what premises.csv changes.

    What describes the premises may change; an empty cell changes nothing. The stage follows Premises.MOVES.
    """
    fresh = []
    for row in draft.once(rows, "code"):
        division = draft.find(row, "division", known.divisions)
        given = {name: row[name] for name in OWN if row[name] is not None}
        premises = known.premises.get(row["code"])
        if premises is None:
            premises = Premises(code=row["code"], stage=row["stage"], division=division, **given)
            known.premises[premises.code] = premises
            fresh.append(premises)
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
        given |= {"stage": row["stage"], "division": division} if division else {}
        changes = draft.revise(row, premises, given)
        draft.update(premises, changes)
        draft.tally(premises.code, changed=bool(changes))
    draft.create(fresh)
