"""Loading the register of elders: a file of any length, in one pass over it and in bounded memory.

Rows go by COPY, sealed, into a table of this transaction; what they change is asked and written set by set.
Identity is told by the keyed look-up of the ID number, so nothing has to be opened.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.kinds import Kind, Origin
from ledger.files.problems import Problems, Wrong
from ledger.files.resident_ids import birth_date
from ledger.files.table import Column, Row, Table
from ledger.journal.operations import hold_journal_open
from providers.known import Known
from providers.models import Division
from vouchers.elders import sealing
from vouchers.elders.deaths import learn_death
from vouchers.elders.models import Elder
from vouchers.elders.search import learn_names

AT_ONCE = 50_000  # rows written by one statement
TOLD_EVERY = 2_000

Progress = Callable[[int, int | None, str], None]


def _phone(value: str) -> str:
    digits = value.removeprefix("+").replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and 5 <= len(digits) <= 20 and len(value) <= 24):
        raise Wrong(_("is not a telephone number: 5 to 20 digits, with - or spaces between them"))
    return str(value)


PHONE = Kind("telephone", _phone, frozenset({Origin.NUMBER}))

COLUMNS = [
    Column("code", kinds.CODE),
    Column("name", kinds.text(60)),
    Column("id_number", kinds.RESIDENT_ID),
    Column("division", kinds.DIVISION),
    Column("phone", PHONE, required=False),
    Column("ability_level", kinds.integer(0, 4), required=False),
    Column("categories", kinds.listed(kinds.choice(*Elder.Group.values), repeats=True), required=False),
    Column("died_on", kinds.DATE, required=False),
    Column("household", kinds.text(40), required=False, optional=True),
]

STAGED = {
    "line": "int4",
    "code": "varchar",
    "name": "varchar",
    "id_number_sealed": "bytea",
    "id_number_lookup": "bytea",
    "birth_on": "date",
    "division": "varchar",
    "phone_sealed": "bytea",
    "phone_lookup": "bytea",
    "phone_tail": "varchar",
    "ability_level": "int2",
    "categories": "varchar[]",
    "household": "varchar",  # NULL: the file has no such column
    "died_on": "date",
}

# An elder on record (e) of whom the file (s) says something else. Empty clears, except the day of death.
DIFFERS = """(
    e.name <> s.name
    OR e.division_id IS DISTINCT FROM (SELECT d.id FROM providers_division d WHERE d.code = s.division)
    OR e.phone_lookup IS DISTINCT FROM s.phone_lookup
    OR e.ability_level IS DISTINCT FROM s.ability_level
    OR NOT (e.categories @> s.categories AND e.categories <@ s.categories)
    OR e.household <> coalesce(s.household, e.household))"""
DIED = "(s.died_on IS NOT NULL AND e.died_on IS NULL)"

CHECKS = [
    (
        "code",
        _("this code stands in line %(found)s already"),
        """SELECT line, first FROM (
            SELECT line, min(line) OVER (PARTITION BY code) AS first FROM load_elders) AS twice
        WHERE line > first ORDER BY line""",
    ),
    (
        "id_number",
        _("this ID number stands in line %(found)s already: one person, one row"),
        """SELECT line, first FROM (
            SELECT line, min(line) OVER (PARTITION BY id_number_lookup) AS first FROM load_elders) AS twice
        WHERE line > first ORDER BY line""",
    ),
    (
        "id_number",
        _("is not the ID number on record for %(found)s: another person gets a row and a code of their own"),
        """SELECT s.line, s.code FROM load_elders s JOIN vouchers_elder e ON e.code = s.code
        WHERE e.id_number_lookup <> s.id_number_lookup ORDER BY s.line""",
    ),
    (
        "code",
        _("the person of this code was erased: take the row out; who comes back gets a code of their own"),
        """SELECT s.line, s.code FROM load_elders s JOIN vouchers_elder e ON e.code = s.code
        WHERE e.erased_at IS NOT NULL ORDER BY s.line""",
    ),
    (
        "id_number",
        _("this person is on record already, as %(found)s: use that code"),
        """SELECT s.line, e.code FROM load_elders s JOIN vouchers_elder e ON e.id_number_lookup = s.id_number_lookup
        WHERE e.code <> s.code AND NOT EXISTS (SELECT FROM vouchers_elder own WHERE own.code = s.code)
        ORDER BY s.line""",
    ),
    (
        "died_on",
        _(
            "%(found)s is on record: a day of death is corrected by the command correct_death, then loaded anew"
        ),
        """SELECT s.line, e.died_on FROM load_elders s JOIN vouchers_elder e ON e.code = s.code
        WHERE e.died_on <> s.died_on ORDER BY s.line""",
    ),
]

COUNT = f"""
    SELECT count(*), count(*) FILTER (WHERE e.id IS NULL),
        count(*) FILTER (WHERE e.id IS NOT NULL AND ({DIFFERS} OR {DIED})), max(s.line)
    FROM load_elders s LEFT JOIN vouchers_elder e ON e.code = s.code
"""  # noqa: S608 - the parts are constants above
TOLD = 1_000
DIFFERENCES = f"""
    SELECT s.line, s.code, e.id IS NULL, concat_ws(' ',
        CASE WHEN e.name <> s.name THEN 'name' END,
        CASE WHEN e.division_id IS DISTINCT FROM (SELECT d.id FROM providers_division d WHERE d.code = s.division)
            THEN 'division' END,
        CASE WHEN e.phone_lookup IS DISTINCT FROM s.phone_lookup THEN 'phone' END,
        CASE WHEN e.ability_level IS DISTINCT FROM s.ability_level THEN 'ability_level' END,
        CASE WHEN NOT (e.categories @> s.categories AND e.categories <@ s.categories) THEN 'categories' END,
        CASE WHEN e.household <> coalesce(s.household, e.household) THEN 'household' END,
        CASE WHEN {DIED} THEN 'died_on' END)
    FROM load_elders s LEFT JOIN vouchers_elder e ON e.code = s.code
    WHERE e.id IS NULL OR {DIFFERS} OR {DIED}
    ORDER BY s.line LIMIT {TOLD}
"""  # noqa: S608 - the parts are constants above
INSERT = """
    INSERT INTO vouchers_elder (
        code, name, id_number_sealed, id_number_lookup, birth_on, division_id, phone_sealed, phone_lookup,
        phone_tail, ability_level, categories, household)
    SELECT s.code, s.name, s.id_number_sealed, s.id_number_lookup, s.birth_on, d.id, s.phone_sealed,
        s.phone_lookup, s.phone_tail, s.ability_level, s.categories, coalesce(s.household, '')
    FROM load_elders s JOIN providers_division d ON d.code = s.division
    WHERE s.line > %(after)s AND s.line <= %(until)s
        AND NOT EXISTS (SELECT FROM vouchers_elder e WHERE e.code = s.code)
    ORDER BY s.line
"""
UPDATE = f"""
    UPDATE vouchers_elder e
    SET name = s.name, division_id = d.id, ability_level = s.ability_level, categories = s.categories,
        household = coalesce(s.household, e.household), phone_lookup = s.phone_lookup, phone_tail = s.phone_tail,
        phone_sealed = CASE WHEN e.phone_lookup IS DISTINCT FROM s.phone_lookup
            THEN s.phone_sealed ELSE e.phone_sealed END
    FROM load_elders s JOIN providers_division d ON d.code = s.division
    WHERE e.code = s.code AND {DIFFERS}
"""  # noqa: S608 - the parts are constants above
NEW_NAMES = """
    SELECT DISTINCT s.name FROM load_elders s
    WHERE NOT EXISTS (SELECT FROM vouchers_namekey k WHERE k.name = s.name COLLATE "C")
"""
DEATHS = f"""
    SELECT e.id, e.code, s.died_on FROM load_elders s JOIN vouchers_elder e ON e.code = s.code
    WHERE {DIED} ORDER BY e.code
"""  # noqa: S608 - the parts are constants above


def plan_elders(
    *,
    table: Table,
    problems: Problems,
    draft: Draft,
    known: Known,
    by: Any,
    at: datetime,
    progress: Progress = lambda done, total, what: None,
) -> None:
    """This function will work out what elders.csv changes.

    1. Copy the well-formed rows, sealed, into a table that this transaction drops.
    2. Check what only the whole file or the register can tell: a code or person twice, another person
       under a known code, another day of death.
    3. Count the difference, and draft the writing: new elders, changed ones, then deaths one by one
       (each voids vouchers and may open reviews).

    Runs inside the load's transaction. Sentences never show an ID number.
    """
    divisions = known.divisions  # asked now: while COPY runs, the connection answers nothing else
    with connection.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in STAGED.items())
        cursor.execute("DROP TABLE IF EXISTS pg_temp.load_elders")
        cursor.execute(f"CREATE TEMP TABLE load_elders ({columns}) ON COMMIT DROP")
        with cursor.copy(f"COPY load_elders ({', '.join(STAGED)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(STAGED.values()))
            for staged in _staged(table, problems, draft, divisions, progress):
                copy.write_row(staged)
        cursor.execute("CREATE INDEX ON load_elders (line)")
        cursor.execute("ANALYZE load_elders")
        for column, message, query in CHECKS:
            cursor.execute(query)
            for line, found in cursor:
                problems.add(draft.file, line, column, message, found=found)
        cursor.execute(COUNT)
        total, draft.new, draft.changed, last_line = cursor.fetchone()
        draft.unchanged = total - draft.new - draft.changed
        cursor.execute(DIFFERENCES)
        for line, code, new, columns in cursor.fetchall():
            draft.told.append((line, code if new else f"{code} {columns}", "new" if new else "changed"))
    draft.then(lambda: _write(draft, last_line or 0, by=by, at=at, progress=progress))


def _staged(
    table: Table, problems: Problems, draft: Draft, divisions: dict[str, Division], progress: Progress
) -> Iterator[tuple]:
    for count, row in enumerate(table.sift(problems), 1):
        if count % TOLD_EVERY == 0:
            progress(count, None, draft.file)
        born = birth_date(row["id_number"])
        draft.find(row, "division", divisions)
        if row["died_on"] and row["died_on"] < born:
            draft.problem(row, "died_on", _("lies before the birth date in the ID number"))
        yield _sealed(row, born)


def _sealed(row: Row, born: Any) -> tuple:
    """One row in the order of STAGED; the numbers that identify a person encrypted and keyed."""
    code, number, phone = row["code"], row["id_number"], row["phone"]
    return (
        row.line,
        code,
        row["name"],
        sealing.seal(number, field="id_number", row=code),
        sealing.lookup(number, field="id_number"),
        born,
        row["division"],
        sealing.seal(phone, field="phone", row=code) if phone else None,
        sealing.lookup(phone, field="phone") if phone else None,
        phone[-4:] if phone else "",
        row["ability_level"],
        sorted(row["categories"]),
        (row["household"] or "") if "household" in row else None,
        row["died_on"],
    )


def _write(draft: Draft, last_line: int, *, by: Any, at: datetime, progress: Progress) -> None:
    if not (draft.new or draft.changed):
        return
    hold_journal_open()  # before any elder is locked (Note [Lock order] in redemption/statements.py)
    with connection.cursor() as cursor:
        if draft.changed:
            cursor.execute(UPDATE)
        for after in range(0, last_line if draft.new else 0, AT_ONCE):
            cursor.execute(INSERT, {"after": after, "until": after + AT_ONCE})
            progress(min(after + AT_ONCE, last_line), last_line, draft.file)
        cursor.execute(NEW_NAMES)
        learn_names(name for (name,) in cursor.fetchall())
        cursor.execute(DEATHS)
        deaths = cursor.fetchall()
    for count, (elder_id, code, died_on) in enumerate(deaths, 1):
        learn_death(elder=Elder(id=elder_id, code=code), died_on=died_on, by=by, at=at)
        progress(count, len(deaths), draft.file)
