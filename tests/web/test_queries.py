"""Lists ask the same number of questions at 20 rows and at 2,000 (strength.md 19)."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import databases
from tests.web.builder import City, build


def _count(city: City, url: str) -> int:
    client = Client()
    client.force_login(city.people["clerk"], backend="django.contrib.auth.backends.ModelBackend")
    client.get(url)  # session and language once
    with CaptureQueriesContext(
        connection,
    ) as asked:
        response = client.get(url)
        if response.streaming:
            b"".join(response.streaming_content)
    assert response.status_code == 200, url
    return len(asked)


def _lists(city: City) -> dict[str, str]:
    lease = city.leases[0].code
    month = reverse("bureau:month", args=[city.month])
    run = city.redemptions[0].movements.get().voucher.run_id
    found = {
        "months": reverse("bureau:months"),
        "month": month,
        "month as csv": f"{month}?format=csv",
        "statements": reverse("statements"),
        "statements as csv": f"{reverse('statements')}?format=csv",
        "issue run": reverse("issue_run", args=[run]),
        "overview": reverse("bureau:overview"),
        "compare": reverse("bureau:compare", args=[city.month]),
        "bank lines": f"{reverse('bureau:receipts')}?show=all",
        "arrears": reverse("bureau:arrears"),
        "payouts": reverse("payments:payouts"),
        "refunds": reverse("payments:refunds"),
        "handed over": reverse("payments:handovers"),
        "inspections": reverse("reports:inspections"),
        "report": reverse("reports:report", args=[city.month]),
        "reviews": reverse("bureau:reviews"),
        "work": reverse("work"),
        "steps": reverse("steps"),
        **{
            name: reverse(f"registers:{name}")
            for name in (
                "hub",
                "premises",
                "board",
                "plan",
                "leases",
                "operators",
                "services",
                "programmes",
                "elders",
            )
        },
        "reach": reverse("bureau:reach"),
        "unused": reverse("bureau:unused", args=[city.leases[0].premises.division.code]),
        "premises as csv": reverse("registers:premises") + "?format=csv",
        "lines as csv": reverse("lines", args=[lease, city.month, "earned"]) + "?format=csv",
    }
    for figure in ("earned", "late", "reversed", "credit", "under_review"):
        found[figure] = reverse("lines", args=[lease, city.month, figure])
    return found


def _measure(template: str, **size: int) -> dict[str, int]:
    """Counts on a database of its own, whose statistics are as fresh as autovacuum keeps them."""
    name = databases.clone(template)
    try:
        with databases.pointed_at(name):
            city = build(**size)
            with databases.superuser(name) as connection:
                connection.execute("ANALYZE")
            return {what: _count(city, url) for what, url in _lists(city).items()}
    finally:
        databases.drop(name)


def test_20_and_2000_rows_take_the_same_number_of_queries(database_template, django_db_blocker):
    with django_db_blocker.unblock():
        few = _measure(database_template, leases=20, meals=20, served=1, bank_lines=7)
        many = _measure(database_template, leases=2000, meals=2000, served=1, bank_lines=700)
    assert few == many
    # the overview, which asks for refunds, objections, leases without a statement and the nightly proofs too; lists ask
    # at most twelve
    assert max(few.values()) <= 19, few


def test_a_page_of_one_object_asks_little(db):
    city = build(leases=4, meals=5)
    redemption = city.redemptions[0]
    assert _count(city, reverse("redemption", args=[redemption.number])) <= 20  # the whole way
    assert _count(city, reverse("statement", args=[city.leases[0].code, city.month])) <= 10
    assert _count(city, reverse("voucher", args=[redemption.movements.get().voucher.serial])) <= 10
    assert _count(city, reverse("entry", args=[redemption.entry_id])) <= 13
