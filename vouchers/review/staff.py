"""Loading who works for an operator, or is a relative of one who does: staff.csv.

The ID number is read, digested and forgotten: the row keeps only the digest by which the register of elders finds
its own (vouchers/elders/sealing.py). Neither names nor numbers stand in the audit.
"""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.table import Column, Row
from providers.known import Known
from providers.models import StaffLink
from vouchers.elders import sealing

COLUMNS = [
    Column("operator", kinds.CODE),
    Column("id_number", kinds.RESIDENT_ID),
    Column("relation", kinds.choice(*StaffLink.Relation.values)),
    Column("starts_on", kinds.DATE),
    Column("ends_on", kinds.DATE, required=False),
]


def plan_staff(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what staff.csv changes: a link is known by operator, person, relation and
    first day; only its last day may change. What the file does not name stays."""
    on_record = {
        (link.operator.code, bytes(link.person), link.relation, link.starts_on): link
        for link in StaffLink.objects.order_by("id").select_related("operator")
    }
    fresh = []
    seen: dict[tuple, int] = {}
    for row in rows:
        operator = draft.find(row, "operator", known.operators)
        if row["ends_on"] and row["ends_on"] < row["starts_on"]:
            draft.problem(row, "ends_on", _("lies before the first day, %(day)s"), day=row["starts_on"])
            continue
        if operator is None:
            continue
        person = sealing.lookup(row["id_number"], field="id_number")
        key = (row["operator"], person, row["relation"], row["starts_on"])
        if key in seen:
            draft.problem(row, "id_number", _("this person stands in line %(line)s already"), line=seen[key])
            continue
        seen[key] = row.line
        found = on_record.get(key)
        if found is None:
            fresh.append(
                StaffLink(
                    operator=operator,
                    person=person,
                    relation=row["relation"],
                    starts_on=row["starts_on"],
                    ends_on=row["ends_on"],
                )
            )
            draft.tally(row["operator"], new=True)
        else:
            changes = draft.revise(row, found, {"ends_on": row["ends_on"]})
            draft.update(found, changes)
            draft.tally(row["operator"], changed=bool(changes))
    draft.create(fresh)
