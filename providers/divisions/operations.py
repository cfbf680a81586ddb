"""Loading the tree of divisions."""

from collections.abc import Sequence
from functools import partial

from django.utils.translation import gettext_lazy as _

from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.table import Column, Row
from providers.divisions.models import Division
from providers.known import Known, is_referred_to

COLUMNS = [
    Column("code", kinds.DIVISION),
    Column("name", kinds.text(80)),
    Column("level", kinds.choice(*Division.Level.values)),
    Column("parent", kinds.DIVISION, required=False),
]

DEPTH = {level: depth for depth, level in enumerate(Division.Level.values)}  # city 0 ... community 3


def plan_divisions(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what divisions.csv changes.

    1. Each code stands once; a parent is on record or in the file.
    2. A name may change; level and parent only while nothing lies in or under the division.
    3. A parent is of a higher level than its child, so there are no circles.
    """
    rows = draft.once(rows, "code")
    lines = {row["code"]: row for row in rows}
    fresh = {
        row["code"]: Division(code=row["code"], name=row["name"], level=row["level"])
        for row in rows
        if row["code"] not in known.divisions
    }
    known.divisions.update(fresh)
    for row in rows:
        division = known.divisions[row["code"]]
        parent = draft.find(row, "parent", known.divisions) if row["parent"] else None
        if row["parent"] and parent is None:
            continue
        if division.code in fresh:
            division.parent = parent
            draft.tally(division.code, new=True)
            continue
        changes = draft.revise(
            row,
            division,
            {"name": row["name"], "level": row["level"], "parent": parent},
            free={"name"},
            in_use=partial(_in_use, division, known),
            advice=_("A division that was reorganised gets a row and a code of its own."),
        )
        draft.update(division, changes)
        draft.tally(division.code, changed=bool(changes))
    _check_levels(known, draft, lines)
    for level in Division.Level.values:  # parents are stored before their children
        draft.create([division for division in fresh.values() if division.level == level])


def _check_levels(known: Known, draft: Draft, lines: dict[str, Row]) -> None:
    by_id = {division.pk: division for division in known.divisions.values() if division.pk}
    for division in known.divisions.values():
        parent = by_id.get(division.parent_id) if division.parent_id else division.parent
        row = lines.get(division.code) or (lines.get(parent.code) if parent else None)
        if parent is None or row is None or DEPTH[parent.level] < DEPTH[division.level]:
            continue
        if parent.code == division.code:
            draft.problem(row, "parent", _("names itself as its parent"))
        elif row["code"] == division.code:
            draft.problem(
                row,
                "parent",
                _("a %(level)s cannot lie under '%(parent)s', which is a %(parent_level)s"),
                level=division.level,
                parent=parent.code,
                parent_level=parent.level,
            )
        else:
            draft.problem(
                row,
                "level",
                _("'%(child)s' lies under it and is a %(level)s"),
                child=division.code,
                level=division.level,
            )


def _in_use(division: Division, known: Known) -> bool:
    """Whether anything but divisions refers to it or to a division under it. Asked before it is changed."""
    children: dict[int | None, list[Division]] = {}
    for other in known.divisions.values():
        if other.pk:
            children.setdefault(other.parent_id, []).append(other)
    under, waiting = [], [division]
    while waiting:
        one = waiting.pop()
        under.append(one)
        waiting += children.get(one.pk, [])
    return is_referred_to(under, besides=(Division,))
