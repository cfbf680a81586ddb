"""The bench's city: as many premises as a large city has, each with a lease, a programme and its own elders.

Every premises serves one meal of 12 yuan: 4 from the government, 8 from the elder's voucher. An elder of
community n has five vouchers a month of programme Pn, good at premises n, and one of TOWN, good anywhere: what
is spread over the city is paid by the first, what is served on premises 1 to all comers by the second. So each
redemption of the bench spends one voucher and posts two transfers, as the plain SQL beside it does.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from tests import databases, story
from tests.bench import server
from vouchers.programmes.operations import issue
from vouchers.redemption import terms

SHANGHAI = ZoneInfo("Asia/Shanghai")
BY = "bench"
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
ELDER_PRICE, GOVERNMENT = "8.00", "4.00"
SERVICE, TOWN = "MEAL", "TOWN"
FACE, TOWN_FACE = 80, 400
PREMISES = 500
PER_OPERATOR = 4
PER_ELDER = 5  # vouchers a month


def premises_code(number: int) -> str:
    return f"PM{number:05d}"


def elder_code(number: int) -> str:
    """The code of the n-th elder, counting from 0; it lives in community n modulo PREMISES, plus 1."""
    return f"E{number:09d}"


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)


def build(name: str, *, elders: int, programmes: bool = True) -> None:
    """Fill database `name`; the project's settings point there already."""
    city = story.division("98", "湖城市", "city")
    district = story.division("9801", "滨湖区", "district", city)
    street = story.division("980101", "东湖街道", "street", district)
    meal = story.service(SERVICE, "canteen", "meal", daily_limit=3)
    story.price(meal, 12, government=4)
    for number in range(1, PREMISES + 1):
        if number % PER_OPERATOR == 1:
            firm = story.operator(f"OP{number:05d}", f"运营机构 {number}")
        community = story.division(f"980101{number:04d}", f"社区 {number}", "community", street)
        place = story.premises(premises_code(number), community)
        lease = story.lease(
            f"LS{number:05d}", place, firm, starts_on="2025-01-01", ends_on="2030-12-31", rent=20000
        )
        story.offer(place, meal)
        if programmes:
            own = story.programme(
                f"P{number:05d}",
                "offset",
                lease,
                face=FACE,
                per_elder=PER_ELDER,
                starts_on="2025-01-01",
                ends_on="2030-12-31",
            )
            own.divisions.set([community])
        if programmes and number == 1:
            story.programme(
                TOWN, "offset", lease, scope="city", face=TOWN_FACE, per_elder=1, starts_on="2025-01-01",
                ends_on="2030-12-31",
            )  # fmt: skip
    for person, role in (
        ("clerk", "bureau_clerk"),
        ("officer", "street_officer"),
        ("approver", "bureau_approver"),
    ):
        story.user(person, role)
    terms.current()  # opens the accounts
    with databases.superuser(name) as connection:
        # Numbers and sealed columns that nobody opens here: nobody lives in this city.
        connection.execute(
            """
            INSERT INTO vouchers_elder (
                code, name, id_number_sealed, id_number_lookup, birth_on, division_id, phone_tail, categories, household)
            SELECT 'E' || lpad(n::text, 9, '0'), '老人', '\\x00', sha256(n::text::bytea),
                date '1935-01-01' + n %% 7000, d.id, '', '{}', ''
            FROM generate_series(0, %s - 1) AS n
            JOIN providers_division d ON d.code = '980101' || lpad((n %% %s + 1)::text, 4, '0')
            ORDER BY n
            """,
            [elders, PREMISES],
        )
        server.analyze(connection)


def build_for_issue(name: str, *, elders: int) -> None:
    build(name, elders=elders, programmes=False)
    story.programme(TOWN, "payout", None, scope="city", face=FACE, per_elder=PER_ELDER)
    terms.current()


def issue_month(month: date) -> None:
    issue(on=month, by=BY, at=at_noon(month))
