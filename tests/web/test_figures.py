"""What is on the pages adds up, and says the same as the files and the statements."""

import csv
import io
from decimal import Decimal

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from ledger.books.export import export
from marketplace.web.bureau.totals import Totals
from marketplace.web.trace import figures, lots
from marketplace.web.trace.entries import in_books
from marketplace.web.trace.statements import facts_of
from tests.web.builder import build
from vouchers.models import Statement

MONEY = Statement.FIGURES


def _csv(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_row_of_the_month_adds_up_on_the_page(as_, city):
    page = as_("clerk").get(reverse("bureau:month", args=[city.month]))
    rows = list(page.context["listing"].rows)
    assert len(rows) == len(city.leases)
    for row in rows:
        assert row.carry_in + row.credit == row.available
        assert row.available - row.applied == row.carry_out
        assert row.charge - row.applied == row.cash_due
        assert row.applied == min(row.available, row.cap)


def test_the_sums_are_those_of_the_rows(as_, city):
    page = as_("clerk").get(reverse("bureau:month", args=[city.month]))
    totals, rows = page.context["all"], Statement.objects.filter(month=city.month)
    for name in MONEY:
        assert totals.figures[name] == sum(getattr(row, name) for row in rows), name
    assert totals.figures["charge"] - totals.figures["applied"] == totals.figures["cash_due"]
    assert totals.redemptions == sum(row.redemptions for row in rows)
    text = page.content.decode()
    assert f"{totals.figures['cash_due']:,.2f}" in text


def test_totals_of_nothing():
    assert Totals.of([]).share_offset == 0


def test_what_blocks_the_lock_leads_to_the_leases(as_, city):
    client = as_("clerk")
    url = reverse("bureau:month", args=[city.month])
    page = client.get(url)
    blockers = page.context["blockers"]
    assert [one.query for one in blockers] == [
        "state=draft", "state=confirmed", "state=reviewed", "objected=1",
    ]  # fmt: skip
    for blocker in blockers:
        number = int(blocker.text.split()[0])
        assert client.get(f"{url}?{blocker.query}").context["listing"].total == number, blocker
    # What is held back stands beside them: it blocks nothing.
    assert page.context["held"] == "1 redemption is held for review"
    assert client.get(f"{url}?review=1").context["listing"].total == 1
    locked = client.get(reverse("bureau:month", args=[city.statements[0].month]))
    assert locked.context["blockers"] == [] and locked.context["period"]


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 8), ("q=礼堂", 1), ("q=LS0003", 1), ("q=中心2", 3), ("operator=OP01", 3), ("division=430211002", 4),
     ("state=approved", 2), ("state=approved&division=430211001", 0), ("q=nothing", 0), ("review=1", 1), ("objected=1", 1),
     ("state=nonsense", 0), ("page=99", 8), ("sort=nonsense", 8)],
)  # fmt: skip
def test_filters_and_files_agree(as_, city, query, count):
    client = as_("clerk")
    url = reverse("bureau:month", args=[city.month])
    page = client.get(f"{url}?{query}")
    assert page.context["listing"].total == count
    rows = _csv(client.get(f"{url}?{query}&format=csv"))
    assert len(rows) == count
    shown = page.context["shown"]
    assert sum(Decimal(row["Cash due"]) for row in rows) == shown.figures["cash_due"]


def test_sorting_turns_round(as_, city):
    client = as_("clerk")
    url = reverse("bureau:month", args=[city.month])
    down = [row.charge for row in client.get(url, {"sort": "-charge"}).context["listing"].page]
    up = [row.charge for row in client.get(url, {"sort": "charge"}).context["listing"].page]
    assert down == sorted(down, reverse=True) and up == sorted(up) and up != down


def test_the_workbook_holds_the_same(as_, city):
    response = as_("clerk").get(reverse("bureau:month", args=[city.month]), {"format": "xlsx"})
    assert f"statements-{city.month:%Y-%m}.xlsx" in response["Content-Disposition"]
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    heads, *rows = sheet.iter_rows(values_only=True)
    cash = heads.index("Cash due")
    want = [row.cash_due for row in Statement.objects.filter(month=city.month).order_by("lease__code")]
    assert [Decimal(str(row[cash])).quantize(Decimal("0.01")) for row in rows] == want


def test_lines_of_each_figure_make_it(as_, city):
    for statement in Statement.objects.filter(lease__in=city.leases[:4]).select_related("lease"):
        for figure in ("earned", "late", "reversed", "credit", "under_review"):
            page = as_("clerk").get(reverse("lines", args=[statement.lease.code, statement.month, figure]))
            assert page.context["agrees"] is True, (statement, figure)
            rows = _csv(
                as_("clerk").get(
                    reverse("lines", args=[statement.lease.code, statement.month, figure]), {"format": "csv"}
                )
            )
            total = sum(Decimal(row["Voucher value"]) for row in rows)
            if figure == "credit":
                assert total == statement.earned + statement.late - statement.reversed
                earns = sum(Decimal(row["Value × rate"]) for row in rows)
                assert earns.quantize(Decimal("0.01")) == statement.credit
            elif figure != "under_review":
                assert abs(total) == getattr(statement, figure), (statement, figure)


def test_lines_that_no_longer_agree_say_so(as_, city):
    """Control of the sentence "as on the statement": a claim more than was drawn up."""
    statement = Statement.objects.get(lease=city.leases[0], month=city.month)
    statement.redemptions += 1
    Statement.objects.filter(pk=statement.pk).update(earned=statement.earned + 8)
    page = as_("clerk").get(reverse("lines", args=[statement.lease.code, city.month, "earned"]))
    assert page.context["agrees"] is False
    assert "lines have come or gone" in page.content.decode()


def test_lots_by_month_make_what_is_carried(city):
    for statement in Statement.objects.select_related("lease"):
        facts = facts_of(statement)
        for figure in figures.OF_LOTS:
            found = lots.of_figure(statement, facts, figure)
            assert sum(lot.left for lot in found) == getattr(statement, figure), (statement, figure)
    assert any(s.carry_in for s in Statement.objects.all())  # control: there is something to carry


def test_a_voucher_page_leads_to_what_is_left(as_, city):
    voucher = city.redemptions[0].movements.get().voucher
    page = as_("clerk").get(reverse("voucher", args=[voucher.serial]))
    assert page.context["adds_up"] is True
    assert [line.left for line in page.context["lines"]] == [Decimal("0.00")]


def test_the_trail_of_a_redemption_leads_up_and_down(as_, city):
    redemption = city.redemptions[0]
    text = as_("clerk").get(reverse("redemption", args=[redemption.number])).content.decode()
    voucher = redemption.movements.get().voucher
    for url in (
        reverse("voucher", args=[voucher.serial]),
        reverse("entry", args=[redemption.entry_id]),
        reverse("statement", args=[city.leases[0].code, city.statements[0].month]),
    ):
        assert f'href="{url}"' in text
    entry = as_("clerk").get(reverse("entry", args=[redemption.entry_id])).content.decode()
    assert f'href="{reverse("redemption", args=[redemption.number])}"' in entry
    assert "Liabilities:Vouchers:PG0000:Outstanding" in entry
    issued = as_("clerk").get(reverse("voucher", args=[voucher.serial])).content.decode()
    assert f'href="{reverse("issue_run", args=[voucher.run_id])}"' in issued


def test_an_entry_reads_as_in_the_exported_books(fresh_db, tmp_path):
    """Letter by letter: the page's text stands in the month's file."""
    city = build(leases=2, meals=3)
    export(tmp_path)
    for entry in (city.redemptions[0].entry, city.redemptions[2].reversal.entry, city.statements[0].entry):
        transfers = list(entry.transfers.select_related("debit", "credit").order_by("line"))
        month = tmp_path / f"{entry.dated_on:%Y}" / f"{entry.dated_on:%Y-%m}.beancount"
        assert in_books(entry, transfers) in month.read_text(), entry
