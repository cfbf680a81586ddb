"""The register of elders from a file: sealed, one person once, updates that clear, deaths that count."""

import logging
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.audit.models import Record
from ledger.files.problems import FileRefused
from ledger.files.table import read
from tests.small_city import (
    AT,
    FILES,
    LI,
    QIAN,
    WANG,
    ZHAO,
    changed,
    day,
    id_number,
    load,
    refused,
    tallies,
    write,
)
from vouchers.city.operations import CannotLoad
from vouchers.elders import register, sealing
from vouchers.elders.deaths import correct_death
from vouchers.elders.models import Elder
from vouchers.programmes.operations import issue
from vouchers.redemption import terms
from vouchers.redemption.operations import RedemptionOrder, redeem
from vouchers.settlement.models import ReviewCase
from vouchers.wallets.models import Voucher

HEADER, *ROWS = FILES["elders"].splitlines()


@pytest.fixture
def city(db, tmp_path):
    terms._kept.clear()  # a rolled back load gives its version number back
    load(write(tmp_path / "city"))
    return tmp_path / "city"


def elders(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def reload(directory, text):
    return tallies(load(write(directory, only="elders", elders=text)))["elders.csv"]


def refused_elders(directory, text):
    return refused(write(directory, only="elders", elders=text))


def of(code: str) -> Elder:
    return Elder.objects.get(code=code)


# Taking


def test_elders_come_in_sealed_and_can_be_found(city):
    li, wang, zhao, qian = Elder.objects.order_by("code")
    assert (li.name, li.birth_on, li.division.code) == ("李桂兰", day("1944-02-03"), "430211001001")
    assert (li.id_number(), li.phone(), li.phone_tail) == (LI, "19900000001", "0001")
    assert (li.ability_level, li.categories, li.household) == (2, ["disabled", "living_alone"], "")
    assert (wang.phone(), wang.phone_lookup, wang.phone_tail, wang.ability_level) == ("", None, "", None)
    assert zhao.id_number() == ZHAO and zhao.ability_level == 0, "x and X are one check digit"
    assert Elder.objects.get(id_number_lookup=sealing.lookup(QIAN, field="id_number")) == qian
    assert Elder.objects.get(phone_lookup=sealing.lookup("19900000004", field="phone")) == qian


def test_nothing_stored_shows_a_number(city):
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM vouchers_elder e")
        rows = " ".join(row for (row,) in cursor.fetchall())
        assert "李桂兰" in rows, "the control: names do stand there"
        for number in (LI, WANG, ZHAO, QIAN, "19900000001"):
            assert number not in rows and number.encode().hex() not in rows
        cursor.execute("SELECT detail::text || subject FROM ledger_record")
        assert not any(LI in row or "李" in row or "EL01" in row for (row,) in cursor.fetchall())


def test_a_number_sealed_for_one_elder_opens_for_no_other(city):
    li, wang = of("EL01"), of("EL02")
    wang.id_number_sealed = li.id_number_sealed
    with pytest.raises(sealing.CannotOpen):
        wang.id_number()


# Refusing

NEW = id_number("19550505")
REFUSED = {
    "check digit": (
        ROWS[0].replace(LI, LI[:17] + ("1" if LI[17] != "1" else "2")),
        ":2: id_number: the check digit",
    ),
    "birth date": ("EL09,X,43029819440231001X,430211001001,,,,", ":2: id_number: the birth date inside"),
    "15 digits": (
        "EL09,X,430298440203001,430211001001,,,,",
        ":2: id_number: 15 digits is a first-generation",
    ),
    "no ID": ("EL09,X,,430211001001,,,,", ":2: id_number: must be given"),
    "ability": (f"EL09,X,{NEW},430211001001,,5,,", ":2: ability_level: '5' is more than 4"),
    "category": (f"EL09,X,{NEW},430211001001,,,rich,", ":2: categories: 'rich' is not one of"),
    "division": (f"EL09,X,{NEW},430211001009,,,,", ":2: division: '430211001009' is unknown"),
    "telephone": (f"EL09,X,{NEW},430211001001,call me,,,", ":2: phone: is not a telephone number"),
    "died before birth": (
        f"EL09,X,{NEW},430211001001,,,,1955-05-04",
        ":2: died_on: lies before the birth date",
    ),
    "code twice": (
        f"EL09,X,{NEW},430211001001,,,,\nEL09,Y,{id_number('19550506')},430211001001,,,,",
        ":3: code: this code stands in line 2 already",
    ),
    "person twice": (
        f"EL08,X,{NEW},430211001001,,,,\nEL09,Y,{NEW},430211001001,,,,",
        ":3: id_number: this ID number stands in line 2 already",
    ),
    "person on record": (
        f"EL09,X,{LI},430211001001,,,,",
        ":2: id_number: this person is on record already, as EL01: use that code",
    ),
    "another person under the code": (
        f"EL01,X,{NEW},430211001001,,,,",
        ":2: id_number: is not the ID number on record for EL01",
    ),
    "two swapped": (
        f"EL01,X,{WANG},430211001001,,,,\nEL02,Y,{LI},430211001001,,,,",
        ":2: id_number: is not the ID number on record for EL01",
    ),
}


@pytest.mark.parametrize(("rows", "line"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_with_a_person_is_told_without_the_number(city, rows, line):
    before = list(Elder.objects.order_by("code").values())
    lines = refused_elders(city, elders(rows))
    assert lines[0].startswith(f"elders.csv{line}"), lines
    assert not any(part in "\n".join(lines) for part in (LI, WANG, NEW, "430298", "李"))
    assert list(Elder.objects.order_by("code").values()) == before
    assert reload(city, elders(f"EL09,X,{NEW},430211001001,,,,")) == (1, 0, 0)  # the control


def test_problems_of_a_long_file_are_counted_and_the_first_hundred_listed(city):
    people = [f"EM{n:03d},X,{id_number('19550505', n)},43,,,," for n in range(100, 350)]
    lines = refused_elders(city, elders(*people))
    assert len(lines) == 101 and lines[0].startswith("elders.csv:2: division: ")
    assert lines[-1] == "problems in all: 250; the first 100 are listed"


def test_a_row_that_somebody_else_wrote_meanwhile_refuses_the_load(city, monkeypatch):
    """The check saw nothing wrong; the constraint behind it holds all the same."""
    plan = register.plan_elders

    def planned_then_overtaken(**given):
        plan(**given)
        li = of("EL01")
        Elder.objects.create(
            code="EL77",
            name="X",
            division=li.division,
            birth_on=day("1955-05-05"),
            id_number_sealed=b"-",
            id_number_lookup=sealing.lookup(NEW, field="id_number"),
        )

    monkeypatch.setattr(register, "plan_elders", planned_then_overtaken)
    with pytest.raises(CannotLoad, match="id_number_lookup") as refusal:
        load(write(city, only="elders", elders=elders(f"EL09,X,{NEW},430211001001,,,,")))
    assert NEW not in str(refusal.value)
    assert not Elder.objects.filter(code__in=["EL09", "EL77"]).exists(), "all or nothing"


def test_control_the_database_refuses_a_person_twice(city):
    li = of("EL01")
    li.id, li.code = None, "EL99"
    with pytest.raises(IntegrityError), transaction.atomic():
        li.save(force_insert=True)


# Changing


def test_an_update_changes_what_differs_and_writes_nothing_else(city):
    with connection.cursor() as cursor:
        stored = "SELECT code, ctid::text FROM vouchers_elder ORDER BY code"
        cursor.execute(stored)
        before = dict(cursor.fetchall())
        text = changed("elders", "19900000001,2", "19900000001,3")
        assert reload(city, text) == (0, 1, 3)
        cursor.execute(stored)
        after = dict(cursor.fetchall())
    assert {code for code in before if before[code] != after[code]} == {"EL01"}
    assert of("EL01").ability_level == 3 and of("EL01").phone() == "19900000001"


def test_empty_clears(city):
    row = f"EL01,李桂兰,{LI},430211001001,,,,"
    assert reload(city, elders(row)) == (0, 1, 0)
    li = of("EL01")
    assert (li.phone(), li.phone_sealed, li.phone_lookup, li.phone_tail) == ("", None, None, "")
    assert (li.ability_level, li.categories) == (None, [])
    assert reload(city, elders(row)) == (0, 0, 1)
    assert reload(city, elders(ROWS[0])) == (0, 1, 0), "and what is given again comes back"
    assert of("EL01").phone() == "19900000001"


def test_a_household_is_cleared_only_by_a_file_that_has_the_column(city):
    header = f"{HEADER},household"
    assert reload(city, elders(f"{ROWS[0]},H-7", header=header)) == (0, 1, 0)
    assert reload(city, elders(ROWS[0])) == (0, 0, 1) and of("EL01").household == "H-7"
    assert reload(city, elders(f"{ROWS[0]},", header=header)) == (0, 1, 0) and of("EL01").household == ""


def test_the_order_of_categories_and_columns_means_nothing(city):
    row = f"living_alone;living_alone;disabled,EL01,2,19900000001,430211001001,{LI},李桂兰,"
    header = "categories,code,ability_level,phone,division,id_number,name,died_on"
    assert reload(city, elders(row, header=header)) == (0, 0, 1)


def test_one_who_moves_is_found_in_the_new_place(city, tmp_path):
    write(
        city,
        only="divisions elders",
        divisions=FILES["divisions"] + "430211001002,Other,community,430211001\n",
        elders=changed("elders", f"{LI},430211001001", f"{LI},430211001002"),
    )
    load(city)
    assert of("EL01").division.name == "Other", "a division of the same load"


# Deaths


@pytest.fixture
def spent(city):
    """Vouchers are out; Elder A had lunch on the 4th and on the 20th of July."""
    issue(on=day("2026-07-01"), by="test", at=AT)
    for key, happened_at in (
        ("1", datetime(2026, 7, 4, 4, tzinfo=UTC)),
        ("2", datetime(2026, 7, 20, 4, tzinfo=UTC)),
    ):
        order = RedemptionOrder(
            key=key, happened_at=happened_at, premises="PR01", service="SV01", elder="EL01", quantity=1
        )
        redeem(order=order, by="test", at=AT)
    return city


def left(code: str) -> Decimal:
    return sum((voucher.remaining for voucher in Voucher.objects.filter(elder__code=code)), Decimal(0))


def test_a_death_voids_vouchers_and_holds_back_what_came_after(spent):
    others = left("EL04")
    assert left("EL01") > 0 and others > 0
    text = elders(f"{ROWS[0]}2026-07-18", ROWS[3])
    assert reload(spent, text) == (0, 1, 1)
    assert of("EL01").died_on == day("2026-07-18")
    assert (left("EL01"), left("EL04")) == (0, others)
    assert ReviewCase.objects.get().redemption.key == "2"
    assert reload(spent, text) == (0, 0, 2)
    assert ReviewCase.objects.count() == 1 and Record.objects.filter(action="learn_death").count() == 1


def test_an_empty_day_of_death_clears_nothing_and_another_one_is_refused(spent):
    reload(spent, elders(f"{ROWS[0]}2026-07-18"))
    assert reload(spent, elders(ROWS[0])) == (0, 0, 1)
    assert of("EL01").died_on == day("2026-07-18")
    lines = refused_elders(spent, elders(f"{ROWS[0]}2026-07-19"))
    assert lines[0] == (
        "elders.csv:2: died_on: 2026-07-18 is on record: a day of death is corrected by the command "
        "correct_death, then loaded anew"
    )
    correct_death(elder=of("EL01"), by="test", at=AT, reason="wrong person")
    assert reload(spent, elders(f"{ROWS[0]}2026-07-19")) == (0, 1, 0)


def test_one_who_is_new_and_dead_gets_no_vouchers(city):
    assert reload(city, elders(f"EL09,X,{NEW},430211001001,,,,2026-06-30")) == (1, 0, 0)
    assert of("EL09").died_on == day("2026-06-30")
    issue(on=day("2026-07-01"), by="test", at=AT)
    assert not Voucher.objects.filter(elder__code="EL09").exists()
    assert Voucher.objects.filter(elder__code="EL04").exists(), "the control: a living elder gets some"


def test_a_death_and_a_new_telephone_come_in_one_row(spent):
    row = ROWS[0].replace("19900000001", "19900000009")
    assert reload(spent, elders(f"{row}2026-07-18")) == (0, 1, 0)
    assert (of("EL01").phone(), of("EL01").died_on, left("EL01")) == ("19900000009", day("2026-07-18"), 0)


def test_a_dry_run_buries_nobody(spent):
    before = left("EL01")
    text = write(spent, only="elders", elders=elders(f"{ROWS[0]}2026-07-18"))
    assert tallies(load(text, dry_run=True))["elders.csv"] == (0, 1, 0)
    assert of("EL01").died_on is None and left("EL01") == before and not ReviewCase.objects.exists()


def test_a_problem_in_the_last_row_takes_back_a_death_in_the_first(spent):
    before = left("EL01")
    refused_elders(spent, elders(f"{ROWS[0]}2026-07-18", ROWS[3].replace("EL04", "el04")))
    assert of("EL01").died_on is None and left("EL01") == before


# Long files


def people(count: int) -> str:
    return elders(
        *(
            f"EM{n:06d},X,{id_number(f'19{40 + n // 300_000}{n // 25_000 % 12 + 1:02d}{n // 1000 % 25 + 1:02d}', n % 1000)}"
            f",430211001001,199{n:08d},,low_income,"
            for n in range(count)
        )
    )


def test_memory_does_not_grow_with_the_file(city):
    def peak(directory, work=lambda directory: load(directory, dry_run=True)) -> int:
        tracemalloc.start()
        try:
            work(directory)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short = write(city.parent / "short", only="elders", elders=people(500))
    long = write(city.parent / "long", only="elders", elders=people(10_000))
    peak(short)  # whatever is imported and kept on first use
    bar = peak(short) + 1_000_000
    assert peak(long) < bar, "20 times the rows, at most one megabyte more"
    assert peak(long, lambda directory: read(directory / "elders.csv", register.COLUMNS)) > bar, "the control"


def test_a_long_file_is_written_in_pieces_and_told_of(city, monkeypatch):
    monkeypatch.setattr(register, "AT_ONCE", 300)
    told = []
    directory = write(city, only="elders", elders=people(2_100))
    load(directory, progress=lambda done, total, what: told.append((done, total, what)))
    assert told == [(2_000, None, "elders.csv")] + [
        (min(done, 2_101), 2_101, "elders.csv") for done in range(300, 2_401, 300)
    ]
    assert Elder.objects.count() == 2_104
    assert of("EM002099").phone() == "19900002099"


def test_a_damaged_file_says_nothing_of_who_is_in_it(city, caplog):
    caplog.set_level(logging.DEBUG)
    text = elders(
        ROWS[0].replace("李桂兰", "李\x00兰"), "EL09,王,not a number at all 430298194402030011,43,1,2,3"
    )
    with pytest.raises(FileRefused) as refusal:
        load(write(city, only="elders", elders=text))
    assert "430298" not in str(refusal.value) and "李" not in str(refusal.value)
    assert LI not in caplog.text and "李" not in caplog.text
