"""The journal under attack (strength.md 9): by the application's own login, by the owner of the tables, by a
superuser who turns replication on. Each attack is refused, and each one's control succeeds where its protection
was taken away: in the bare story, as the superuser.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import connection, connections, transaction
from django.db.utils import DatabaseError
from psycopg import errors

from marketplace.privacy.retention import clear_all
from marketplace.registers.models import PhotoWithdrawal, PremisesPhoto
from marketplace.rights import append_only_tables, emptied_columns
from providers.leases.models import ReceiptDecision
from providers.models import Caregiver, Operator, Premises, Receipt, StageChange
from providers.reminders.models import Reminder, ReminderLine, ReminderRun
from tests import databases, payments, story
from vouchers.models import (
    Consent,
    DelegateAct,
    Delegation,
    Hold,
    Inspection,
    Paper,
    Project,
    ProjectPhoto,
    Redemption,
    SignedRecord,
    Statement,
    Terminal,
    TerminalKey,
    Visit,
    VisitReport,
)
from vouchers.photos.cleaning import Clean
from vouchers.photos.operations import keep
from vouchers.review.call_backs import answer, draw_round
from vouchers.review.parameters import set_terms

WRITTEN_ONCE = sorted(append_only_tables())
# Tables in which only some columns, or only rows that are not final yet, may change.
KEPT = {
    "vouchers_redemption": "UPDATE vouchers_redemption SET vouchers = vouchers + 1, self_pay = self_pay - 1",
    "vouchers_claim": "UPDATE vouchers_claim SET amount = amount + 1",
    "vouchers_voucher": "UPDATE vouchers_voucher SET face_value = face_value + 1",
    "vouchers_statement": "UPDATE vouchers_statement SET carry_out = carry_out + 1 WHERE state = 'approved'",
    "vouchers_reviewcase": "UPDATE vouchers_reviewcase SET note = 'else' WHERE decision <> ''",
    "vouchers_callback": "UPDATE vouchers_callback SET result = 'denied' WHERE result <> ''",
    "vouchers_visit": "UPDATE vouchers_visit SET arrived_at = arrived_at - interval '1 minute'",
    "vouchers_payout": "UPDATE vouchers_payout SET payee = '{}' WHERE state = 'approved'",
}

# Of these only the rows that are final.
FINAL = {
    "vouchers_reviewcase": " WHERE decision <> ''",
    "vouchers_callback": " WHERE result <> ''",
    "vouchers_payout": " WHERE state = 'approved'",
}

PAYABLE = "(SELECT id FROM ledger_account WHERE name = 'Liabilities:Payable:OP01')"
SUBSIDY = "(SELECT id FROM ledger_account WHERE name = 'Expenses:Subsidy:Government')"
HELD = "(SELECT id FROM ledger_account WHERE name = 'Liabilities:Vouchers:PA:Held')"
LOCKED_ENTRY = "(SELECT min(id) FROM ledger_entry WHERE dated_on < '2026-02-01')"
OPEN_ENTRY = "(SELECT max(id) FROM ledger_entry WHERE dated_on >= '2026-03-01')"
NEW_ENTRY = "INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link) VALUES ('{}', 'attack', '{}', now(), '')"


def transfer(entry: str, debit: str, credit: str, commodity: str, amount: str = "1") -> str:
    return (
        "INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount) "
        f"VALUES ({entry}, 99, {debit}, {credit}, '{commodity}', {amount})"
    )


PRIVILEGE, TRIGGER, CHECK = (
    errors.InsufficientPrivilege,
    errors.IntegrityConstraintViolation,
    errors.CheckViolation,
)

# What the application's login tries, and what stops it.
ATTACKS = [
    *[(f"DELETE FROM {table}", PRIVILEGE) for table in WRITTEN_ONCE],
    *[(f"TRUNCATE {table} CASCADE", PRIVILEGE) for table in [*WRITTEN_ONCE, *KEPT]],
    *[(f"DELETE FROM {table}" + FINAL.get(table, ""), TRIGGER)
      for table in KEPT],
    *[(statement, TRIGGER) for statement in KEPT.values()],
    *[(f"ALTER TABLE {table} DISABLE TRIGGER ALL", PRIVILEGE) for table in [*WRITTEN_ONCE, *KEPT]],
    ("UPDATE ledger_entry SET dated_on = '2026-03-31'", PRIVILEGE),
    ("UPDATE ledger_transfer SET amount = amount + 0.01", PRIVILEGE),
    ("UPDATE ledger_account SET commodity = 'CNY'", PRIVILEGE),
    ("UPDATE ledger_record SET by = 'somebody'", PRIVILEGE),
    ("MERGE INTO ledger_transfer t USING ledger_entry e ON e.id = t.entry_id WHEN MATCHED THEN DELETE", PRIVILEGE),
    ("INSERT INTO ledger_account (name, commodity) VALUES ('Liabilities:Payable:OP01', 'CNY') "
     "ON CONFLICT (name) DO UPDATE SET commodity = 'VCY'", PRIVILEGE),
    ("DROP TRIGGER ledger_transfer_written_once ON ledger_transfer", PRIVILEGE),
    ("DROP TABLE ledger_transfer CASCADE", PRIVILEGE),
    ("ALTER TABLE ledger_transfer DROP CONSTRAINT transfer_amount_positive", PRIVILEGE),
    ("CREATE RULE forget AS ON INSERT TO ledger_transfer DO INSTEAD NOTHING", PRIVILEGE),
    ("CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
     "$$ BEGIN RETURN NEW; END $$", PRIVILEGE),
    ("CREATE OR REPLACE FUNCTION ledger_first_open_day() RETURNS date LANGUAGE sql AS 'SELECT NULL::date'", PRIVILEGE),
    ("UPDATE pg_trigger SET tgenabled = 'D'", PRIVILEGE),
    ("SET session_replication_role = replica", PRIVILEGE),
    ("SET ROLE yiquan_owner", PRIVILEGE),
    ("GRANT ALL ON ledger_entry TO yiquan_app;; UPDATE ledger_entry SET kind = 'attack'", PRIVILEGE),
    ("UPDATE ledger_period SET month = '2030-01-01' WHERE month = '2026-02-01'", PRIVILEGE),
    # What it may do, done wrongly.
    (NEW_ENTRY.format("attack", "2026-01-31"), CHECK),
    (NEW_ENTRY.format("attack", "2020-01-01"), CHECK),
    (transfer(LOCKED_ENTRY, SUBSIDY, PAYABLE, "CNY"), CHECK),
    (transfer(OPEN_ENTRY, SUBSIDY, HELD, "CNY"), errors.ForeignKeyViolation),
    (transfer(OPEN_ENTRY, SUBSIDY, HELD, "VCY"), errors.ForeignKeyViolation),
    (transfer(OPEN_ENTRY, HELD, PAYABLE, "VCY"), errors.ForeignKeyViolation),
    (transfer("0", SUBSIDY, PAYABLE, "CNY"), errors.ForeignKeyViolation),
    (transfer(OPEN_ENTRY, SUBSIDY, PAYABLE, "CNY", "0"), CHECK),
    (transfer(OPEN_ENTRY, SUBSIDY, PAYABLE, "CNY", "-1"), CHECK),
    (transfer(OPEN_ENTRY, SUBSIDY, SUBSIDY, "CNY"), CHECK),
    ("INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link) "
     "SELECT key, kind, dated_on, recorded_at, link FROM ledger_entry WHERE dated_on >= '2026-03-01'",
     errors.UniqueViolation),
    ("INSERT INTO ledger_period VALUES ('2026-02-01', now(), 'attack') ", errors.UniqueViolation),
]  # fmt: skip


@pytest.fixture(scope="module")
def attacked(story_template: str, django_db_blocker) -> Iterator[str]:
    """One copy of the story for all attacks: what is refused leaves nothing behind, the rest is rolled back."""
    name = databases.clone(story_template)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        rules_and_calls()
        papers_and_ties()
        visits()
        homes_and_stages()
        signed()
        reminded()
        payments.tell()
        yield name
    databases.drop(name)


def rules_and_calls() -> None:
    """What the story does not tell of: a rule's parameters, a draw and an answer."""
    at = story.moment("2026-04-02")
    set_terms(
        rule="late", valid_from=story.MARCH, active=True, holds=False, values={"days": 20}, reason="story",
        by=story.user_named("approver"), at=at,
    )  # fmt: skip
    clerk = story.user_named("clerk")
    clear_all(at=at)
    round_ = draw_round(
        month=story.MARCH, confidence=Decimal("0.9"), margin=Decimal("0.2"), seed="story", by=clerk, at=at
    )
    answer(call=round_.calls.first(), result="confirmed", note="", by=clerk, at=at)


def papers_and_ties() -> None:
    """Likewise: a paper handed out, a decision about a bank line, a consent, an act of a delegate."""
    at, clerk, elder = story.moment("2026-04-02"), story.user_named("clerk"), story.elder_named("LI")
    Paper.objects.create(
        number="ST-1", code="c", kind="statement", statement=Statement.objects.earliest("id"), content={},
        issued_at=at, issued_by="clerk",
    )  # fmt: skip
    ReceiptDecision.objects.create(
        receipt=Receipt.objects.earliest("id"), action="decline", by="clerk", at=at
    )
    Consent.objects.create(user=clerk, elder=elder, matter="notice", version="1", given=True, at=at)
    tie = Delegation.objects.create(
        user=clerk,
        elder=elder,
        name_sealed=b"",
        relation="child",
        scope="see",
        until=story.MARCH,
        asked_at=at,
    )
    DelegateAct.objects.create(delegation=tie, key="k", month=story.MARCH, amount=1, at=at)


def visits() -> None:
    """Likewise: a visit for an order that is open, what was told of it, a photo."""
    at, hold = story.moment("2026-03-20 09:00"), Hold.objects.get(key="order-open")
    caregiver = Caregiver.objects.create(
        code="CG01", name="story", operator=Operator.objects.get(code="OP02")
    )
    Visit.objects.create(hold=hold, caregiver=caregiver, arrived_at=at)
    photo = keep(photo=Clean(b"picture", 1, 1), by="story", at=at)
    VisitReport.objects.create(
        scope="caregiver:CG01", key="k", request=b"-", hold=hold, caregiver=caregiver, kind="photo",
        happened_at=at, recorded_at=at, by="story", photo=photo,
    )  # fmt: skip


def reminded() -> None:
    """Likewise: a letter about rent that is owed."""
    run = ReminderRun.objects.create(dated_on=story.MARCH, by="story", at=story.moment("2026-03-20 09:00"))
    letter = Reminder.objects.create(
        run=run, lease=Statement.objects.earliest("id").lease, number="r-1", grade=1, dated_on=story.MARCH,
        pay_until=story.MARCH + timedelta(days=15), amount=1, content={},
    )  # fmt: skip
    ReminderLine.objects.create(reminder=letter, month=story.MARCH, amount=1)


def homes_and_stages() -> None:
    """Likewise: a home made safer, looked at with a photo; a stage and a photo of premises."""
    at, elder, hall = (
        story.moment("2026-03-20 09:00"),
        story.elder_named("LI"),
        Premises.objects.get(code="PM01"),
    )
    project = Project.objects.create(
        key=uuid4(), elder=elder, household="LI", operator=Operator.objects.get(code="OP01"), premises=hall,
        address_sealed=b"", requested_at=at, requested_by="story",
    )  # fmt: skip
    Inspection.objects.create(project=project, at=at, by="story")
    first, second = (keep(photo=Clean(content, 1, 1), by="story", at=at) for content in (b"home", b"hall"))
    ProjectPhoto.objects.create(project=project, photo=first, shows=ProjectPhoto.Shows.BEFORE)
    StageChange.objects.create(premises=hall, stage=hall.stage, since_on=story.MARCH, by="story", at=at)
    wrong = PremisesPhoto.objects.create(premises=hall, photo=second, taken_on=story.MARCH)
    PhotoWithdrawal.objects.create(photo=wrong, reason="story", by="story", at=at)


def signed() -> None:
    """Likewise: a tablet's key, and what it signed."""
    at, hall = story.moment("2026-03-20 09:00"), Premises.objects.get(code="PM01")
    tablet = Terminal.objects.create(
        premises=hall, name="story", token_digest=b"-", enrolled_at=at, enrolled_by="story"
    )
    key = TerminalKey.objects.create(terminal=tablet, algorithm="Ed25519", public=b"-" * 32, registered_at=at)
    SignedRecord.objects.create(
        signer=key, key="k", verdict="missing", value=b"", redemption=Redemption.objects.earliest("id"),
        recorded_at=at,
    )  # fmt: skip


def attack(statements: str, *, using: str = "default") -> psycopg.Error | None:
    """Why the database refused one of these statements (parted by ";; "); None when it took them all.
    Nothing stays."""
    try:
        with transaction.atomic(using=using):
            with connections[using].cursor() as cursor:
                for statement in statements.split(";; "):
                    cursor.execute(statement)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True, using=using)
    except DatabaseError as refusal:
        assert isinstance(refusal.__cause__, psycopg.Error)
        return refusal.__cause__
    return None


@pytest.mark.parametrize(("statement", "stopped_by"), ATTACKS)
def test_the_application_is_refused(attacked, statement, stopped_by):
    assert isinstance(attack(statement), stopped_by)


def test_control_without_protection_every_attack_succeeds(bare):
    """In the bare story, as the superuser."""
    for put_back in (
        "ALTER TABLE ledger_account ADD UNIQUE (name)",  # ON CONFLICT needs it
        "ALTER TABLE ledger_transfer ADD CONSTRAINT transfer_amount_positive CHECK (amount > -9)",
        "ALTER TABLE ledger_period DROP CONSTRAINT ledger_period_pkey",
    ):
        bare.execute(put_back)
    assert {statement: why for statement, _by in ATTACKS if (why := attack(statement))} == {}


@pytest.mark.parametrize("who", ["owner", "superuser", "superuser as replica"])
def test_triggers_stop_those_who_have_every_right(attacked, who):
    columns = {
        model._meta.db_table: connection.ops.quote_name(model._meta.concrete_fields[-1].column)
        for model in apps.get_models()
    }
    statements = [
        statement.format(table=table, column=columns[table])
        for table in WRITTEN_ONCE
        for statement in (
            "UPDATE {table} SET {column} = {column}",
            "DELETE FROM {table}",
            "TRUNCATE {table} CASCADE",
        )
    ]
    statements += [*KEPT.values(), *(f"TRUNCATE {table} CASCADE" for table in KEPT)]
    with nullcontext() if who == "owner" else databases.as_superuser():
        using = "owner" if who == "owner" else "default"
        first = "SET LOCAL session_replication_role = replica;; " if who == "superuser as replica" else ""
        refused = {statement: attack(first + statement, using=using) for statement in statements}
    assert {statement: why for statement, why in refused.items() if not isinstance(why, TRIGGER)} == {}


@pytest.mark.parametrize("who", ["origin", "replica"])
def test_locked_months_stay_locked_for_a_superuser(attacked, who):
    with databases.as_superuser():
        refusal = attack(
            f"SET LOCAL session_replication_role = {who};; {NEW_ENTRY.format('attack', '2026-01-31')}"
        )
    assert isinstance(refusal, CHECK) and refusal.diag.constraint_name == "entry_in_open_month"


def test_a_table_of_the_attackers_does_not_stand_in_for_the_locked_months(attacked):
    """A temporary table is found before the real one wherever a name is not qualified."""
    shadow = "CREATE TEMP TABLE ledger_period (month date)"
    assert isinstance(attack(f"{shadow};; {NEW_ENTRY.format('attack', '2026-01-31')}"), CHECK)
    shadow = "CREATE TEMP TABLE ledger_entry (id bigint, dated_on date)"
    real = LOCKED_ENTRY.replace("ledger_", "public.ledger_")
    assert isinstance(attack(f"{shadow};; {transfer(real, SUBSIDY, PAYABLE, 'CNY')}"), CHECK)


def test_control_a_function_that_trusts_names_is_fooled(attacked):
    """The same function without qualified names: the shadow works, so the test above can fail."""
    with databases.superuser(attacked) as server:
        (source,) = server.execute("SELECT pg_get_functiondef('ledger_first_open_day'::regproc)").fetchone()
        server.execute(source.replace("public.ledger_period", "ledger_period"))
        try:
            shadow = "CREATE TEMP TABLE ledger_period (month date)"
            assert attack(f"{shadow};; {NEW_ENTRY.format('attack', '2026-01-31')}") is None
        finally:
            server.execute(source)


def test_an_old_snapshot_cannot_post(attacked):
    """Under REPEATABLE READ a month locked meanwhile would not be seen."""
    entry = NEW_ENTRY.format("attack", "2026-03-31")
    refusal = attack(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;; {entry}")
    assert isinstance(refusal, errors.RaiseException) and "READ COMMITTED" in str(refusal)
    assert attack(entry) is None  # the control


def test_copy_into_a_locked_month_is_refused(attacked):
    rows = 'key,kind,dated_on,recorded_at,link\n{key},attack,{day},2026-03-20,""\n'
    columns = "ledger_entry (key, kind, dated_on, recorded_at, link)"

    def copy(day: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            with cursor.copy(f"COPY {columns} FROM STDIN (FORMAT csv, HEADER)") as copied:
                copied.write(rows.format(key=f"copied {day}", day=day))
            transaction.set_rollback(True)

    with pytest.raises(CHECK, match="locked"):
        copy("2026-02-28")
    copy("2026-03-01")  # the control: the first open day


def test_every_table_written_once_is_guarded(attacked):
    """Whoever marks a model append-only gets both protections: the rights (rights.py) and the triggers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger "
            "WHERE tgfoid = 'ledger_refuse_change'::regproc AND tgenabled = 'A' GROUP BY 1"
        )
        guarded = dict(cursor.fetchall())
    # Where columns may be emptied, what stops an UPDATE looks at the row, and a DELETE has a trigger of its own.
    may_be_emptied = emptied_columns()
    assert {table for table in WRITTEN_ONCE if guarded.get(table) != 2 + (table in may_be_emptied)} == set()
    assert {table for table in KEPT if guarded.get(table) != 3} == set()
