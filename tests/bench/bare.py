"""One redemption as bare SQL in one statement, driven by pgbench: what PostgreSQL itself could do.

Lock the voucher, lower it, insert the redemption under its unique key, the entry, two transfers; on tables with
primary keys and that one unique key, and nothing else: no foreign keys, triggers, checks, audit or rules.
"""

import re
import subprocess
from pathlib import Path

from django.conf import settings

from marketplace.config import embedded
from tests import databases
from tests.bench import server

TABLES = """
    CREATE TABLE voucher (id bigint PRIMARY KEY, remaining numeric(10, 2) NOT NULL) WITH (fillfactor = 85);
    CREATE TABLE redemption (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, voucher_id bigint NOT NULL,
        entry_id bigint NOT NULL, amount numeric(12, 2) NOT NULL, service_on date NOT NULL);
    CREATE TABLE entry (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, dated_on date NOT NULL, recorded_at timestamptz NOT NULL);
    CREATE TABLE transfer (
        entry_id bigint NOT NULL, line smallint NOT NULL, debit_id bigint NOT NULL, credit_id bigint NOT NULL,
        amount numeric(16, 2) NOT NULL, PRIMARY KEY (entry_id, line));
    CREATE SEQUENCE key;
"""

SCRIPT = """\\set voucher random(1, {vouchers})
\\set lease random(1, {premises})
WITH locked AS (SELECT id, remaining FROM voucher WHERE id = :voucher FOR UPDATE),
lowered AS (
    UPDATE voucher v SET remaining = v.remaining - 8.00 FROM locked
    WHERE v.id = locked.id AND locked.remaining >= 8.00 RETURNING v.id),
entry AS (INSERT INTO entry (dated_on, recorded_at) SELECT '2026-02-01', now() FROM lowered RETURNING id),
redemption AS (
    INSERT INTO redemption (key, voucher_id, entry_id, amount, service_on)
    SELECT 'key-' || nextval('key'), lowered.id, entry.id, 8.00, '2026-02-01' FROM lowered, entry)
INSERT INTO transfer (entry_id, line, debit_id, credit_id, amount)
SELECT entry.id, t.line, t.debit, t.credit, t.amount
FROM entry, LATERAL (VALUES (1, :lease, :lease + 1000, 8.00), (2, 0, :lease + 2000, 4.00)) AS t(line, debit, credit, amount);
"""


def make(name: str, *, vouchers: int, premises: int) -> Path:
    """Make the tables in a new database; the path of pgbench's script."""
    server.create(name)
    with databases.superuser(name) as connection:
        connection.execute(TABLES)
        connection.execute(
            "INSERT INTO voucher SELECT n, 1000000 FROM generate_series(1, %s) AS n", [vouchers]
        )
        server.analyze(connection)
    script = settings.DATA_DIR / "bare.sql"
    script.write_text(SCRIPT.format(vouchers=vouchers, premises=premises))
    return script


def run(name: str, script: Path, clients: int, seconds: float) -> float:
    """Transactions a second of so many clients, each prepared and in a thread of pgbench's own."""
    done = subprocess.run(
        [
            server.program("pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={script}",
            f"--client={clients}", f"--jobs={clients}", f"--time={max(1, round(seconds))}",
            "--host", str(embedded.socket_dir(settings.DATA_DIR)), "--username", embedded.SUPERUSER, name,
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    rate = re.search(r"^tps = ([\d.]+) \(without initial", done.stdout, re.MULTILINE)
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    if done.returncode or not rate or (failed and failed[1] != "0"):
        raise SystemExit(f"pgbench failed: {done.stdout}{done.stderr}")
    return float(rate[1])
