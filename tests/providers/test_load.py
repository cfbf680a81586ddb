"""Loading a city's files: what is taken, what is refused and where, what a second load may change."""

import threading
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from openpyxl import Workbook

from ledger import chart
from ledger.audit.models import Record
from ledger.journal.guards import RUN_LOCK
from ledger.journal.models import Account
from ledger.journal.operations import lock_month
from marketplace.config import embedded
from marketplace.management.base import Refused
from marketplace.management.commands.load_city import Command
from providers.models import (
    Division,
    Lease,
    LeaseTerms,
    Offer,
    Operator,
    Premises,
    Price,
    SafetyCheck,
    Service,
    StageChange,
    Suspension,
    TermsVersion,
)
from tests.small_city import AT, FILES, changed, day, load, refused, tallies, write
from vouchers.city.operations import CannotLoad
from vouchers.models import Elder, Programme
from vouchers.programmes.operations import issue
from vouchers.redemption import terms
from vouchers.redemption.operations import RedemptionOrder, redeem

ALL = {
    "divisions.csv": 4,
    "operators.csv": 2,
    "premises.csv": 3,
    "leases.csv": 2,
    "services.csv": 2,
    "offers.csv": 3,
    "service_prices.csv": 3,
    "programmes.csv": 2,
    "elders.csv": 4,
}


@pytest.fixture
def city(db, tmp_path):
    """The small city, loaded; its directory."""
    terms._kept.clear()  # a rolled back load gives its version number back
    load(write(tmp_path / "city"))
    return tmp_path / "city"


@pytest.fixture
def busy_city(city):
    """Vouchers are out, and Elder A had lunch under LS01 on 4 July."""
    issue(on=day("2026-07-01"), by="test", at=AT)
    order = RedemptionOrder(
        key="1",
        happened_at=datetime(2026, 7, 4, 4, tzinfo=UTC),
        premises="PR01",
        service="SV01",
        elder="EL01",
        quantity=1,
    )
    redeem(order=order, by="test", at=AT)
    return city


def everything() -> dict[str, int]:
    """How many rows each table has."""
    labels = ("ledger", "providers", "vouchers")
    return {
        model._meta.label: model._base_manager.count()
        for label in labels
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }


# Taking


def test_a_city_comes_in_whole(city):
    assert Division.objects.get(code="430211001001").parent.parent.parent.name == "City"
    op01, op02 = Operator.objects.order_by("code")
    assert (op01.stars, op02.stars, op02.uscc) == (2, None, "")
    assert [check.checked_on for check in SafetyCheck.objects.order_by("operator")] == [
        day("2026-05-23"),
        day("2026-04-30"),
    ]
    assert Premises.objects.get(code="PR01").floor_area_m2 == 688
    lease = Lease.objects.get(code="LS02")
    assert (lease.premises.code, lease.operator.code, lease.basis) == ("PR02", "OP02", "")
    agreed = LeaseTerms.objects.get(lease=lease)
    assert agreed.starts_on == lease.starts_on == day("2026-08-01")
    assert (agreed.monthly_rent, agreed.rent_free_until, agreed.offset_cap, agreed.carry_months) == (
        Decimal("2000.00"),
        day("2026-09-15"),
        Decimal("0.5"),
        3,
    )
    assert Service.objects.get(code="SV02").daily_limit is None
    bath = Price.objects.get(service__code="SV02")
    assert (bath.government, bath.concession, bath.charity, bath.max_age) == (0, 20, 0, None)
    rent, meals = Programme.objects.order_by("code")
    assert (rent.lease.code, rent.divisible, sorted(rent.categories)) == (
        "LS01",
        True,
        ["canteen", "home_care"],
    )
    assert [division.code for division in rent.divisions.all()] == ["430211001"]
    assert (meals.lease, meals.max_share, meals.min_spend, meals.min_age, meals.budget) == (
        None,
        1,
        2,
        80,
        None,
    )
    assert everything()["vouchers.Elder"] == 4


def test_accounts_are_open_before_the_first_redemption(city):
    names = set(Account.objects.values_list("name", flat=True))
    wanted = {chart.payable("OP01"), chart.payable("OP02"), chart.voucher_expense("PG02")}
    wanted |= {
        chart.vouchers_outstanding("PG01"),
        chart.vouchers_voided("PG02"),
        chart.vouchers_issued("PG01"),
    }
    wanted |= {chart.receivable_rent("LS01"), chart.offset_credit("LS02"), chart.offset_lapsed("LS01")}
    assert wanted <= names
    assert chart.voucher_expense("PG01") not in names, "rent is offset, not paid out"


def test_the_first_load_is_all_new_the_second_all_unchanged(db, tmp_path):
    city = write(tmp_path / "city")
    first = load(city)
    assert tallies(first) == {file: (count, 0, 0) for file, count in ALL.items()}
    assert str(first.files[-1]) == "elders.csv: new 4, changed 0, unchanged 0"
    before, version = everything(), TermsVersion.objects.get().version
    with connection.cursor() as cursor:
        rows = "SELECT code, xmin::text, ctid::text FROM vouchers_elder ORDER BY code"
        cursor.execute(rows)
        stored = cursor.fetchall()
        again = load(city)
        cursor.execute(rows)
        assert cursor.fetchall() == stored, "an unchanged elder is not written anew"
    assert tallies(again) == {file: (0, 0, count) for file, count in ALL.items()} and again.nothing_changed
    assert TermsVersion.objects.get().version == version
    assert everything() == before | {"ledger.Record": before["ledger.Record"] + len(ALL)}


def test_each_file_leaves_one_record_without_personal_data(city):
    records = list(Record.objects.filter(action="load_file").order_by("id"))
    assert [record.subject for record in records] == list(ALL)
    assert {record.channel for record in records} == {"file"} and {record.by for record in records} == {
        "test"
    }
    assert records[-1].detail == {"new": 4, "changed": 0, "unchanged": 0}


def test_a_dry_run_shows_the_difference_and_writes_nothing(db, tmp_path):
    city = write(tmp_path / "city")
    empty = everything()
    assert tallies(load(city, dry_run=True)) == {file: (count, 0, 0) for file, count in ALL.items()}
    assert everything() == empty
    load(city)
    later = write(tmp_path / "later", elders=changed("elders", "19900000001", "19900000009"))
    before, version = everything(), TermsVersion.objects.get().version
    assert tallies(load(later, dry_run=True))["elders.csv"] == (0, 1, 3)
    assert everything() == before and TermsVersion.objects.get().version == version
    assert Elder.objects.get(code="EL01").phone() == "19900000001"


def test_workbooks_are_read_too(db, tmp_path):
    city = write(tmp_path / "city")
    (city / "services.csv").unlink()
    book = Workbook()
    for row in ("code", "name", "category", "unit", "daily_limit"), ("SV01", "Lunch", "canteen", "meal", 2):
        book.active.append(row)
    book.active.append(("SV02", "Bath", "home_care", "visit", None))
    book.save(city / "services.xlsx")
    assert tallies(load(city))["services.xlsx"] == (2, 0, 0)
    (city / "services.csv").write_text(FILES["services"])
    assert refused(city)[0] == "services.xlsx:1: -: services.csv is there too: keep one of them"


def test_a_part_of_the_files_refers_to_what_is_on_record(city, tmp_path):
    more = write(tmp_path / "more", only="offers", offers="premises,service\nPR02,SV02\n")
    assert tallies(load(more)) == {"offers.csv": (1, 0, 0)}
    assert Offer.objects.count() == 4, "offers are only ever added"


# Refusing

REFUSED = {
    "unknown column": ("operators", "stars", "star", ":1: star: this column is unknown"),
    "missing column": ("offers", "premises,service", "premises", ":1: service: this column is missing"),
    "code malformed": ("operators", "OP02", "op02", ":3: code: 'op02' is not a code"),
    "value not given": ("operators", "Canteen Two", "", ":3: name: must be given"),
    "operator twice": ("operators", "OP02", "OP01", ":3: code: 'OP01' stands in line 2 already"),
    "stars": ("operators", "F1,2026-05-23,2", "F1,2026-05-23,6", ":2: stars: '6' is more than 5"),
    "division's parent unknown": (
        "divisions",
        "street,430211",
        "street,430299",
        ":4: parent: '430299' is unknown",
    ),
    "division's own parent": (
        "divisions",
        "Street,street,430211",
        "Street,street,430211001",
        ":4: parent: names itself",
    ),
    "division in a circle": (
        "divisions",
        "City,city,",
        "City,city,430211001001",
        ":2: parent: a city cannot lie under '430211001001', which is a community",
    ),
    "premises in no division": (
        "premises",
        "PR02,Old hall,hall,Owner,state_firm,430211001001",
        "PR02,Old hall,hall,Owner,state_firm,43",
        ":3: division: '43' is unknown",
    ),
    "use": ("premises", "clinic,Owner", "castle,Owner", ":4: former_use: 'castle' is not one of: plant"),
    "longitude": ("premises", "113.097937", "193.097937", ":2: longitude: '193.097937' is more than 180"),
    "lease of unknown premises": ("leases", "LS02,PR02", "LS02,PR09", ":3: premises: 'PR09' is unknown"),
    "lease of an unknown operator": ("leases", "OP02", "OP09", ":3: operator: 'OP09' is unknown"),
    "lease ends before it starts": (
        "leases",
        "2030-12-31",
        "2026-07-31",
        ":3: ends_on: lies before the lease's first day, 2026-08-01",
    ),
    "leases overlap": (
        "leases",
        "LS02,PR02",
        "LS02,PR01",
        ":3: starts_on: overlaps lease LS01 of the same premises, 2025-02-01 to 2035-01-31 (line 2)",
    ),
    "cap above the charge": ("leases", "0.333", "1.333", ":2: offset_cap: '1.333' is more than 1"),
    "rent of a tenth of a fen": (
        "leases",
        "5333.50",
        "5333.501",
        ":2: monthly_rent: '5333.501' has more than 2",
    ),
    "service's category": ("services", "home_care", "haircut", ":3: category: 'haircut' is not one of"),
    "offer twice": ("offers", "PR02,SV01", "PR01,SV01", ":4: service: 'PR01 SV01' stands in line 2 already"),
    "offer of nothing": ("offers", "PR02,SV01", "PR02,SV09", ":4: service: 'SV09' is unknown"),
    "price of nothing": ("service_prices", "SV02", "SV09", ":4: service: 'SV09' is unknown"),
    "parts exceed the price": (
        "service_prices",
        "79,15.00,2.00,3.00,2.00",
        "79,6.99,2.00,3.00,2.00",
        ":2: list_price: the government's part, the concession and the charity part make 7.00, more than",
    ),
    "prices overlap": (
        "service_prices",
        "60,79",
        "60,80",
        ":3: valid_from: overlaps a price of this service in date and age: from 2026-01-01, age 60–80 (line 2)",
    ),
    "price ends before it starts": (
        "service_prices",
        "2026-12-31",
        "2025-12-31",
        ":4: valid_until: lies before the first day, 2026-01-01",
    ),
    "ages the wrong way round": (
        "service_prices",
        "60,79",
        "60,59",
        ":2: max_age: is less than the lowest age, 60",
    ),
    "price too large": (
        "service_prices",
        "120.00",
        "10000000000",
        ":4: list_price: '…' is more than 9999999999.99",
    ),
    "programme of an unknown lease": ("programmes", "LS01", "LS09", ":2: lease: 'LS09' is unknown"),
    "offset without a lease": (
        "programmes",
        "LS01",
        "",
        ":2: lease: must be given: a programme that offsets rent",
    ),
    "scope without a lease": (
        "programmes",
        "payout,,city",
        "payout,,operator",
        ":3: lease: must be given: the scope 'operator' is that of a lease",
    ),
    "programme ends before it starts": (
        "programmes",
        "2028-12-31,,1,",
        "2026-06-30,,1,",
        ":2: ends_on: lies before the programme's first day, 2026-07-01",
    ),
    "programme in no division": ("programmes", "430211001", "430211001;99", ":2: divisions: '99' is unknown"),
    "share of nothing": ("programmes", "2028-12-31,,1,", "2028-12-31,,0,", ":2: max_share: '0' is less than"),
    "vouchers of nothing": ("programmes", "60.00", "0", ":2: face_value: '0' is less than 0.01"),
}


@pytest.mark.parametrize(("name", "old", "new", "line"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told_with_file_line_and_column(db, tmp_path, name, old, new, line):
    city = write(tmp_path / "city", **{name: changed(name, old, new)})
    empty = everything()
    lines = refused(city)
    assert lines[0].startswith(f"{name}.csv{line}"), lines
    assert lines[-1].startswith("problems in all: ")
    assert everything() == empty
    load(write(city))  # the control: as it was before the change it is taken
    assert Operator.objects.count() == 2


def test_all_files_are_told_of_and_one_problem_in_the_last_leaves_nothing(db, tmp_path):
    broken = {
        "operators": changed("operators", "OP02", "op02"),
        "service_prices": changed("service_prices", "60,79", "79,60"),
        "elders": changed("elders", "EL04", "el04"),
    }
    empty = everything()
    lines = refused(write(tmp_path / "city", **broken))
    assert [line.split(":")[0] for line in lines[:-1]] == [
        "operators.csv",
        "leases.csv",
        "service_prices.csv",
        "elders.csv",
    ], "the lease names the operator that could not be read"
    assert refused(write(tmp_path / "city", elders=broken["elders"]))[-1] == "problems in all: 1"
    assert everything() == empty


def test_a_directory_with_nothing_to_load_is_refused_and_other_tables_are_named(db, tmp_path):
    with pytest.raises(CannotLoad):
        load(tmp_path / "nowhere")
    (tmp_path / "elder.csv").write_text("code\n")
    with pytest.raises(CannotLoad):
        load(tmp_path)
    city = write(tmp_path / "city")
    (city / "elder.csv").write_text("code\n")
    assert load(city, dry_run=True).left_out == ["elder.csv"]


# Changing


def reload(directory, **texts):
    return load(write(directory, only=" ".join(texts), **texts))


def refused_again(directory, name, old, new):
    return refused(write(directory, only=name, **{name: changed(name, old, new)}))


def test_an_operator_gains_checks_and_suspensions_and_loses_nothing(city):
    header = FILES["operators"].splitlines()[0]
    update = f"{header}\nOP01,Canteen One,,,,2026-08-20,,2026-09-17\nOP02,Canteen Two B,,,,,4,\n"
    assert tallies(reload(city, operators=update)) == {"operators.csv": (0, 2, 0)}
    one, two = Operator.objects.order_by("code")
    assert (one.uscc, one.phone, one.filing_no, one.stars) == ("52430298MJJ490219G", "0731-20000001", "F1", 2)
    assert (two.name, two.stars) == ("Canteen Two B", 4)
    assert [check.checked_on for check in one.safety_checks.all()] == [day("2026-05-23"), day("2026-08-20")]
    assert [(s.starts_on, s.reinstated_on) for s in one.suspensions.all()] == [(day("2026-09-17"), None)]
    assert reload(city, operators=update).nothing_changed
    assert tallies(reload(city, operators=FILES["operators"]))["operators.csv"] == (0, 1, 1), "the name again"
    assert SafetyCheck.objects.count() == 3 and Suspension.objects.count() == 1


@pytest.mark.parametrize(
    ("suspended_on", "expected"),
    [
        ("2026-03-05", [("2026-03-01", "2026-03-10")]),  # lies in the one on record
        (
            "2026-03-10",
            [("2026-03-01", "2026-03-10"), ("2026-03-10", None)],
        ),  # reinstated that day, suspended anew
        ("2026-02-01", [("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-03-10")]),
    ],
)
def test_a_suspension_is_added_where_none_covers_the_day(city, suspended_on, expected):
    Suspension.objects.create(
        operator=Operator.objects.get(code="OP02"),
        starts_on=day("2026-03-01"),
        reinstated_on=day("2026-03-10"),
    )
    reload(city, operators=f"{FILES['operators'].splitlines()[0]}\nOP02,Canteen Two,,,,,,{suspended_on}\n")
    found = [(str(s.starts_on), s.reinstated_on and str(s.reinstated_on)) for s in Suspension.objects.all()]
    assert found == expected


def test_another_credit_code_is_another_firm(city):
    lines = refused_again(city, "operators", "52430298MJJ490219G", "52430298MJJ096483H")
    assert "operators.csv:2: uscc: is '52430298MJJ490219G' on record and cannot change" in lines[0]
    reload(city, operators=changed("operators", "Canteen Two,,", "Canteen Two,52430298MJJ096483H,"))
    assert Operator.objects.get(code="OP02").uscc == "52430298MJJ096483H", (
        "what was not known may be filled in"
    )


def test_premises_change_and_their_stage_moves_along_its_ways(city):
    reload(city, premises=changed("premises", "Road 3,,,,repair,surveyed", "Road 33,,,120.5,ready,listed"))
    clinic = Premises.objects.get(code="PR03")
    assert (clinic.address, clinic.floor_area_m2, clinic.stage) == ("Road 33", Decimal("120.5"), "listed")
    lines = refused_again(city, "premises", "ready,leased", "ready,surveyed")
    assert lines[0] == (
        "premises.csv:3: stage: 'surveyed' cannot follow 'leased', which is on record; "
        "what may follow: listed, operating, retired"
    )
    retired = refused_again(city, "premises", "ready,leased", "ready,retired")
    assert retired[0].startswith(
        "premises.csv:3: stage: premises on record leave for another use by a decision"
    )
    assert not StageChange.objects.filter(stage="retired").exists()
    new = "PR09,Old Mill,plant,City,government,430211001,,,,,ready,retired,\n"
    reload(city, premises=FILES["premises"] + new)
    assert Premises.objects.get(code="PR09").stage == "retired", "decided before the register began"


def test_a_stage_counts_from_the_day_that_the_file_says(city):
    header, *rows = FILES["premises"].splitlines()

    def dated(which: str, moved: str, since: str) -> str:
        lines = [
            f"{moved if row.startswith(which) else row},{since if row.startswith(which) else ''}"
            for row in rows
        ]
        return "\n".join([f"{header},stage_since", *lines, ""])

    mill = "PR09,Old Mill,plant,City,government,430211001,,,,,ready,listed,"
    reload(city, premises=FILES["premises"] + mill + "\n")  # without the column: from the day of the load
    loaded = StageChange.objects.get(premises__code="PR09").since_on
    rows.append(mill)
    told = "premises.csv:5: stage_since: "
    for since, wrong in (
        ("2099-01-01", "the day cannot lie ahead"),
        ("2001-01-01", "before the stage on record"),
    ):
        moved = dated("PR09", mill.replace("listed", "leased"), since)
        line = refused(write(city, only="premises", premises=moved))[0]
        assert line.startswith(told) and wrong in line
    again = dated("PR09", mill, "2001-01-01")
    reload(city, premises=again)
    assert StageChange.objects.get(premises__code="PR09").since_on == loaded, (
        "a stage on record keeps its day"
    )
    fresh = again + "PR10,New Mill,plant,City,government,430211001,,,,,ready,surveyed,,2025-06-30\n"
    reload(city, premises=fresh)
    assert str(StageChange.objects.get(premises__code="PR10").since_on) == "2025-06-30"


def test_divisions_in_use_keep_their_place(city):
    assert tallies(reload(city, divisions=changed("divisions", "Home", "New Home")))["divisions.csv"] == (
        0,
        1,
        3,
    )
    lines = refused_again(city, "divisions", "Street,street,430211", "Street,street,4302")
    assert "divisions.csv:4: parent: is '430211' on record and cannot change: it is in use" in lines[0]
    empty = FILES["divisions"] + "430212,Empty,district,4302\n430212001,Lane,street,430212\n"
    reload(city, divisions=empty)
    reload(city, divisions=empty.replace("Lane,street,430212", "Lane,street,430211"))
    assert Division.objects.get(code="430212001").parent.code == "430211", "nobody lives there yet"


def test_unused_rows_may_still_change(city):
    text = changed("leases", "2026-08-01,2030-12-31,2000.00", "2026-09-01,2031-12-31,2100.00")
    assert tallies(reload(city, leases=text))["leases.csv"] == (0, 1, 1)
    agreed = LeaseTerms.objects.get(lease__code="LS02")
    assert (agreed.starts_on, agreed.monthly_rent) == (day("2026-09-01"), Decimal("2100.00"))
    reload(city, services=changed("services", "canteen,meal,2", "canteen,meal,3"))
    reload(city, service_prices=changed("service_prices", "80,,15.00,4.00", "80,,16.00,4.00"))
    reload(city, programmes=changed("programmes", "430211001", "430211").replace("60.00", "61.00"))
    assert Service.objects.get(code="SV01").daily_limit == 3
    assert Price.objects.get(min_age=80).list_price == 16
    rent = Programme.objects.get(code="PG01")
    assert (rent.face_value, [division.code for division in rent.divisions.all()]) == (61, ["430211"])


IN_USE = {
    "rent": (
        "leases",
        "5333.50",
        "5400.00",
        ":2: monthly_rent: is '5333.50' on record and cannot change",
        "page",
    ),
    "start": (
        "leases",
        "LS01,PR01,OP01,2025-02-01",
        "LS01,PR01,OP01,2025-03-01",
        ":2: starts_on: is '2025-02-01'",
        "code of its own",
    ),
    "operator": ("leases", "PR01,OP01", "PR01,OP02", ":2: operator: is 'OP01' on record", "code of its own"),
    "service": ("services", "meal,2", "meal,3", ":2: daily_limit: is '2' on record", "code of its own"),
    "price": (
        "service_prices",
        "80,,15.00,4",
        "80,,16.00,4",
        ":3: list_price: is '15.00' on record",
        "day after",
    ),
    "face value": ("programmes", "60.00", "61.00", ":2: face_value: is '60.00' on record", "code of its own"),
    "division": (
        "programmes",
        "430211001",
        "430211",
        ":2: divisions: is '430211001' on record",
        "code of its own",
    ),
    "lease ends before a redemption": (
        "leases",
        "2035-01-31",
        "2026-07-03",
        ":2: ends_on: '2026-07-03' is too early: a service of 2026-07-04 has been redeemed",
        "",
    ),
    "price ends before a redemption": (
        "service_prices",
        "SV01,2026-01-01,,80",
        "SV01,2026-01-01,2026-07-03,80",
        ":3: valid_until: '2026-07-03' is too early: a service of 2026-07-04 has been redeemed",
        "",
    ),
    "programme ends before a redemption": (
        "programmes",
        "2028-12-31,,1,",
        "2026-07-03,,1,",
        ":2: ends_on: '2026-07-03' is too early: a service of 2026-07-04 has been redeemed",
        "",
    ),
}


@pytest.mark.parametrize(("name", "old", "new", "line", "advice"), IN_USE.values(), ids=IN_USE)
def test_rows_in_use_stay_as_they_are(busy_city, name, old, new, line, advice):
    lines = refused_again(busy_city, name, old, new)
    assert lines[0].startswith(f"{name}.csv{line}") and lines[0].count(advice), lines
    assert len(lines) == 2


def test_a_price_that_nobody_paid_may_change_beside_one_in_use(busy_city):
    reload(busy_city, service_prices=changed("service_prices", "60,79,15.00", "60,79,16.00"))
    assert Price.objects.get(max_age=79).list_price == 16


def test_ends_of_rows_in_use_move_and_new_rows_follow(busy_city):
    reload(
        busy_city,
        leases=changed("leases", "2035-01-31", "2026-12-31")
        + "LS03,PR01,OP02,2027-01-01,2030-12-31,5000.00,,1,0.5,0\n",
        service_prices=changed("service_prices", "SV01,2026-01-01,,80,", "SV01,2026-01-01,2026-08-14,80,")
        + "SV01,2026-08-15,,80,,16.80,4.00,2.00,2.00\n",
        programmes=changed("programmes", "2028-12-31,,1,", "2026-08-31,,1,"),
    )
    assert Lease.objects.get(code="LS01").ends_on == day("2026-12-31")
    assert Price.objects.get(service__code="SV01", valid_from=day("2026-08-15")).list_price == Decimal(
        "16.80"
    )
    assert Programme.objects.get(code="PG01").ends_on == day("2026-08-31")


def test_basis_and_decision_may_be_filled_in_later_and_then_stay(busy_city):
    header, *rows = FILES["leases"].splitlines()
    decided = "\n".join([f"{header},basis,decision_no", f"{rows[0]},relief,2026-7", f"{rows[1]},,"])
    assert tallies(reload(busy_city, leases=decided))["leases.csv"] == (0, 1, 1)
    assert reload(busy_city, leases=FILES["leases"]).nothing_changed, (
        "columns that are not there change nothing"
    )
    lines = refused(write(busy_city, only="leases", leases=decided.replace("2026-7", "2026-8")))
    assert lines[0].startswith("leases.csv:2: decision_no: is '2026-7' on record")


def test_no_end_moves_into_a_locked_month_nor_a_lease_out_of_one(busy_city):
    lock_month(month=day("2026-07-01"), by="test", at=AT)
    for name, old in (("leases", "2035-01-31"), ("programmes", "2028-12-31,,1,")):
        lines = refused_again(busy_city, name, old, old.replace(old[:10], "2026-07-30"))
        assert lines[0].startswith(
            f"{name}.csv:2: ends_on: '2026-07-30' is too early: months are locked until 2026-07-31"
        )
    ended = changed("leases", "2035-01-31", "2026-08-15")
    reload(busy_city, leases=ended)
    lock_month(month=day("2026-08-01"), by="test", at=AT)
    lines = refused(write(busy_city, only="leases", leases=FILES["leases"]))
    assert lines[0].startswith(
        "leases.csv:2: ends_on: the lease ended on 2026-08-15, in a month that is locked"
    )


def test_a_new_lease_starts_in_an_open_month(busy_city):
    """Its rent of a locked month would never be charged."""
    lock_month(month=day("2026-07-01"), by="test", at=AT)
    header = FILES["leases"].splitlines()[0]
    new = f"{header}\nLS09,PR03,OP02,{{}},2030-12-31,2000.00,,1.00,0.50,3\n"
    lines = refused(write(busy_city, only="leases", leases=new.format("2026-07-31")))
    assert lines[0].startswith("leases.csv:2: starts_on: lies in a month that is locked")
    assert "2026-08-01" in lines[0]
    reload(busy_city, leases=new.format("2026-08-01"))  # control: the first open day
    assert Lease.objects.filter(code="LS09").exists()


def test_rows_are_held_against_the_database_too(city):
    header, first, _second = FILES["leases"].splitlines()
    again = f"{header}\n{first.replace('LS01', 'LS07')}\n"
    lines = refused(write(city, only="leases", leases=again))
    assert lines[0].endswith("overlaps lease LS01 of the same premises, 2025-02-01 to 2035-01-31 (on record)")
    header = FILES["service_prices"].splitlines()[0]
    again = f"{header}\nSV01,2026-05-01,,70,75,15.00,,,\n"
    lines = refused(write(city, only="service_prices", service_prices=again))
    assert (
        lines[0].startswith("service_prices.csv:2: valid_from: overlaps a price")
        and "(on record)" in lines[0]
    )


def test_terms_that_a_page_has_changed_since_do_not_stand_in_the_way(busy_city):
    lease = Lease.objects.get(code="LS01")
    LeaseTerms.objects.create(
        lease=lease,
        starts_on=day("2026-09-01"),
        monthly_rent=6000,
        offset_rate="0.8",
        offset_cap="0.333",
        carry_months=0,
    )
    assert reload(busy_city, leases=FILES["leases"]).nothing_changed, "the file of old says the first terms"
    newest = changed("leases", "5333.50", "6000.00")
    assert reload(busy_city, leases=newest).nothing_changed, "one exported today says the newest"


# The command


def run(capsys, *arguments) -> tuple[int, list[str], list[str]]:
    """Exit status and lines of output and errors, as a shell would see them; in English."""
    from django.utils import translation

    status = 0
    with translation.override("en"):
        try:
            Command().run_from_argv(["manage.py", "load_city", *map(str, arguments)])
        except SystemExit as stop:
            status = stop.code
    out, err = capsys.readouterr()
    return status, out.splitlines(), err.splitlines()


def test_the_command_tells_counts_and_refuses_in_lines(fresh_db, tmp_path, capsys):
    city = write(tmp_path / "city", operators=changed("operators", "OP02", "op02"), only="operators")
    status, out, err = run(capsys, city)
    assert (status, out) == (1, [])
    assert err[0].startswith("operators.csv:3: code: 'op02' is not a code") and err[1:] == [
        "problems in all: 1"
    ]
    write(city, only="operators")
    (city / "notes.csv").write_text("x\n")
    status, out, err = run(capsys, city, "--dry-run")
    assert (status, out[0]) == (0, "operators.csv: new 2, changed 0, unchanged 0")
    assert out[1] == "This was a dry run: nothing was written." and err[0].startswith("notes.csv is left out")
    assert run(capsys, city)[1] == ["operators.csv: new 2, changed 0, unchanged 0"]
    assert run(capsys, city)[:2] == (
        0,
        [
            "operators.csv: new 0, changed 0, unchanged 2",
            "Everything was on record already; nothing changed.",
        ],
    )
    status, out, err = run(capsys, tmp_path / "nowhere")
    assert (status, out, len(err)) == (1, [], 1) and "is not a directory" in err[0]
    status, out, err = run(capsys)
    assert (status, len(err)) == (1, 1) and "--help" in err[0]


def test_called_from_python_a_refusal_is_one_exception(db, tmp_path):
    with pytest.raises(Refused, match="nowhere"):
        call_command("load_city", tmp_path / "nowhere")


def test_progress_is_shown_to_who_asks(fresh_db, tmp_path, capsys, monkeypatch):
    from vouchers.elders import register

    monkeypatch.setattr(register, "TOLD_EVERY", 1)
    city = write(tmp_path / "city")
    assert run(capsys, city, "--dry-run")[2] == []
    assert run(capsys, city, "--progress", "--dry-run")[2] == ["elders.csv: 1"], "at most one line a second"


def test_a_load_waits_for_another_run(fresh_db, tmp_path):
    city = write(tmp_path / "city")
    loaded = []

    def work():
        try:
            loaded.append(load(city))
        finally:
            connections.close_all()

    from django.conf import settings

    url = embedded.database_url(settings.DATA_DIR, user=embedded.APP, database=fresh_db)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [RUN_LOCK])
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(1)
        assert thread.is_alive() and not Operator.objects.exists()
        other.execute("SELECT pg_advisory_unlock(%s)", [RUN_LOCK])
        thread.join(60)
    assert tallies(loaded[0])["elders.csv"] == (4, 0, 0) and Operator.objects.count() == 2
