"""Part 2: a million vouchers issued, beside COPY of the same rows and beside bulk_create."""

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from ledger import chart
from ledger.journal.operations import Move, post
from tests.bench import cities, ground, server
from tests.bench.measure import Bar, Series, count, paired
from tests.bench.results import Result
from tests.bench.sizes import Size
from vouchers.elders.models import Elder
from vouchers.programmes.models import IssueRun, Programme
from vouchers.programmes.operations import issue
from vouchers.wallets.models import Voucher

BULK_SHARE = 10  # bulk_create writes a tenth of the rows
BLOCK = 1 << 20


def run(size: Size) -> Result:
    result = Result("issue", "Issuing vouchers")
    rows = []
    for vouchers in size.both:
        source = cities.one_programme(vouchers)
        series = {"issue": Series(), "COPY": Series(), "bulk_create": Series(), "again": Series()}
        copied = settings.DATA_DIR / f"vouchers-{vouchers}.copy"
        for turn in range(size.slow_rounds):
            with server.clone(source, "issue"):
                series["issue"].add(vouchers / _timed(_issue, vouchers))
                series["again"].add(_timed(_issue, 0))
                if turn == 0:
                    _copy_out(copied)
            with server.clone(source, "copy"):
                _run_row(vouchers)
                series["COPY"].add(vouchers / _timed(_copy_in, copied))
                _expect(vouchers)
            with server.clone(source, "bulk"):
                run_row, some = _run_row(vouchers), vouchers // BULK_SHARE
                series["bulk_create"].add(some / _timed(_bulk_create, run_row, some))
                _expect(some)
            server.say(f"  {count(vouchers)}: round {turn + 1} of {size.slow_rounds}")
        copied.unlink()
        names = {"issue": "the operation", "COPY": "COPY of the same rows", "bulk_create": "bulk_create"}
        rows += [
            [f"{names[label]}, {count(vouchers)}", count(series[label].median), series[label].spread]
            for label in names
        ]
        rows.append(
            [f"the operation again, {count(vouchers)}: issues 0", f"{series['again'].median:.2f} s", ""]
        )
    result.promise(
        Bar("issue, share of COPY's speed", paired(series["issue"], series["COPY"]), 0.5, form="{:.0%}"),
        Bar("issue, times bulk_create", paired(series["issue"], series["bulk_create"]), 3),
    )
    result.show(
        f"Vouchers a second, medians of {size.slow_rounds} interleaved rounds",
        ["", "a second", "spread"],
        rows,
    )
    result.notes += [
        "All three fill the same table with its foreign keys, constraints and indexes, each on a fresh clone of the "
        "same database, and commit. The operation also finds who is eligible, posts the entry and writes run and audit.",
        f"bulk_create writes a {BULK_SHARE}th of the rows, its objects made while the clock runs.",
    ]
    return result


def _timed(work: Callable[..., object], *given: Any) -> float:
    server.checkpoint()
    connection.ensure_connection()
    began = time.monotonic()
    work(*given)
    return time.monotonic() - began


def _issue(expected: int) -> None:
    issued = issue(on=ground.JANUARY, by=ground.BY, at=ground.at_noon(ground.JANUARY))
    if sum(one.vouchers for one in issued) != expected:
        raise SystemExit(f"{issued} issued where {expected} vouchers were due")


def _expect(vouchers: int) -> None:
    found = Voucher.objects.count()
    if found != vouchers:
        raise SystemExit(f"{found} vouchers written where {vouchers} were due")


def _run_row(vouchers: int) -> IssueRun:
    """What the vouchers' foreign key points at: run 1, as the operation numbers its first."""
    programme = Programme.objects.get()
    value = programme.face_value * vouchers
    issued, outstanding = chart.vouchers_issued(programme.code), chart.vouchers_outstanding(programme.code)
    at = ground.at_noon(ground.JANUARY)
    with transaction.atomic():
        entry = post(
            key="issue",
            kind="issue",
            dated_on=ground.JANUARY,
            at=at,
            moves=[Move(issued, outstanding, value)],
        )
        return IssueRun.objects.create(
            id=1,
            programme=programme,
            issued_on=ground.JANUARY,
            recorded_at=at,
            by=ground.BY,
            elders=vouchers // ground.PER_ELDER,
            vouchers=vouchers,
            value=value,
            entry=entry,
        )


def _copy_out(path: Path) -> None:
    text = "COPY vouchers_voucher TO STDOUT"
    with connection.cursor() as cursor, open(path, "wb") as file, cursor.cursor.copy(text) as rows:
        for block in rows:
            file.write(block)


def _copy_in(path: Path) -> None:
    with (
        transaction.atomic(),
        open(path, "rb") as file,
        connection.cursor() as cursor,
        cursor.cursor.copy("COPY vouchers_voucher FROM STDIN") as rows,
    ):
        while block := file.read(BLOCK):
            rows.write(block)


def _bulk_create(run_row: IssueRun, vouchers: int) -> None:
    programme = run_row.programme
    elders = Elder.objects.order_by("code").values_list("id", flat=True)[: vouchers // ground.PER_ELDER]
    Voucher.objects.bulk_create(
        Voucher(
            programme=programme,
            elder_id=elder,
            run=run_row,
            ordinal=ordinal,
            face_value=programme.face_value,
            remaining=programme.face_value,
            held=Decimal(0),
            valid_from=ground.JANUARY,
            valid_until=ground.JANUARY.replace(day=31),
        )
        for elder in elders
        for ordinal in range(1, ground.PER_ELDER + 1)
    )
