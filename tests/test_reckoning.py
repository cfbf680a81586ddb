"""The reckoning itself: Lakeside's files are its own, its invariants hold, and months reckoned by hand agree.

No database here. The figures of a worked month stand in its docstring and were reckoned on paper from
the rules.
"""

import filecmp
import shutil
from datetime import date
from decimal import Decimal as D

import pytest

from tests.reckoning import make_city
from tests.reckoning.bank import codes_in
from tests.reckoning.reckoning import Played
from tests.reckoning.records import Refused
from tests.reckoning.small import JULY, noon, price, programme, spend, town

LAKESIDE = make_city.HOME
BANK = ["1", "9", "6", "2026-09-01 10:00:00", "贷", "", "0", "8", "", "", "样例运营一", "0", ""]


def files(directory):
    return sorted(p.relative_to(directory) for p in directory.rglob("*") if p.is_file())


@pytest.fixture(scope="module")
def lakeside():
    return Played(LAKESIDE, check=True).steps().bank()


# The committed city


def test_making_lakeside_again_gives_the_same_bytes(tmp_path):
    make_city.make(tmp_path / "lakeside")
    assert files(tmp_path / "lakeside") == files(LAKESIDE)
    _, other, odd = filecmp.cmpfiles(tmp_path / "lakeside", LAKESIDE, files(LAKESIDE), shallow=False)
    assert (other, odd) == ([], [])


def test_another_seed_makes_another_town(tmp_path):
    make_city.make(tmp_path, seed=7)
    name = "redemptions-2026-01.csv"
    assert (tmp_path / name).read_bytes() != (LAKESIDE / name).read_bytes()


def test_lakeside_is_small_enough_to_keep():
    assert sum((LAKESIDE / p).stat().st_size for p in files(LAKESIDE)) < 1_000_000


def test_the_reckoning_makes_of_lakeside_what_is_expected(lakeside):
    assert lakeside.differences() == []


def test_a_figure_changed_by_a_fen_is_a_difference(tmp_path):
    shutil.copytree(LAKESIDE, tmp_path / "town")
    path = tmp_path / "town" / "expected" / "statements-2026-02.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",2944.19,", ",2944.18,", 1), encoding="utf-8")
    found = Played(tmp_path / "town").steps().bank().differences()
    assert len(found) == 1 and found[0].startswith("statements-2026-02.csv:")


def test_no_step_of_lakeside_breaks_an_invariant(lakeside):
    assert lakeside.broken == []


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("Equity:Vouchers:PA:Expired", "PA: issued is not"),
        ("Liabilities:Vouchers:PB:Outstanding", "PB: Outstanding is not"),
        ("Equity:Vouchers:PC:Redeemed", "PC: Redeemed is not"),
        ("Assets:Receivable:Rent:LK4", "LK4: receivable is not"),
        ("Liabilities:OffsetCredit:LK5", "LK5: the balance of the offset credit"),
    ],
)
def test_a_fen_too_much_on_an_account_is_found(lakeside, account, said):
    commodity = "VCY" if "Vouchers" in account else "CNY"
    lakeside.city.balances[account, commodity] += D("0.01")
    try:
        found = lakeside.city.broken()
    finally:
        lakeside.city.balances[account, commodity] -= D("0.01")
    assert any(line.startswith(said) for line in found), found
    assert lakeside.city.broken() == []


def test_lakeside_knows_every_refusal(lakeside):
    """A town that lacked one would prove nothing about it."""
    told = {outcome for _, line, outcome in lakeside.files["imports.csv"][1:] if line}
    assert told == {
        *("unknown_reference", "no_lease", "operator_suspended", "service_not_offered", "elder_deceased"),
        *("no_price", "daily_limit", "nothing_spendable", "key_reused"),
    }


def test_lakeside_statements_show_every_figure(lakeside):
    drawn = [s for month in lakeside.city.drawn.values() for s in month.values()]
    for figure in ("late", "reversed", "lapsed", "carry_in", "carry_out", "under_review"):
        assert any(getattr(s, figure) for s in drawn), figure
    assert any(s.credit < 0 and s.available > 0 for s in drawn), "negative credit within the carry"
    assert any(s.available < 0 for s in drawn), "negative credit beyond the carry"
    assert any(s.charge == 0 and s.earned > 0 for s in drawn), "credit without rent"
    assert any(s.credit < 0 and s.lapsed > 0 for s in drawn), "lapse and negative credit at once"


def test_lakeside_stories_went_as_they_are_told(lakeside):
    of = {key: made for (_, key), made in lakeside.city.redemptions.items()}

    def paid(key):
        return [(line.voucher.programme, line.amount) for line in of[key].lines]

    assert paid("TIE1") == [("AP", D("5.00"))] and paid("TIE2") == [("PA", D("5.00"))]
    assert "AGE60A" not in of and "AGE60B" in of
    assert of["AGE80A"].price["government"] == D("2.50") and of["AGE80B"].price["government"] == D("5.00")
    assert paid("LASTDAY1")[:2] == [("PF", D("45.50")), ("PF", D("45.50"))]
    assert paid("BACK1B") == [("PA", D("30.00")), ("PA", D("19.00"))] and paid("BACK2B") == [
        ("PA", D("11.00"))
    ]
    assert of["NEAR3"].service_on == date(2026, 1, 1) and of["NEAR4"].service_on == date(2025, 12, 31)
    assert of["DLATE2"].stands == {"LK8": "2026-01"} and of["DLATE2"].taken_off == {"LK8": "2026-02"}
    assert of["DWAIT2"].stands == {"LK2": "2026-03", "LK7": "2026-03"}
    assert of["NEWC0"].stands == {"LK8": "2026-02"} and of["NEWC0"].service_on == date(2026, 1, 15)


def test_a_file_told_twice_may_refuse_for_another_reason(lakeside):
    """A key refused at first and taken by a later row is in use when the file comes again."""
    told = [row for row in lakeside.files["imports.csv"] if row[0] == "redemptions-2026-01.csv"]
    end = next(n for n, row in enumerate(told) if row[1] == 0)
    first, second = ({line: code for _, line, code in part if line} for part in (told[:end], told[end:]))
    assert {(first[n], second[n]) for n in first if first[n] != second[n]} >= {
        ("nothing_spendable", "key_reused")
    }


# Months reckoned by hand


def figures(statement, *names):
    return [getattr(statement, name) for name in names]


def test_the_month_whose_rent_begins_on_the_eleventh():
    """Rent 3000.00, free until 10 July, rate 0.9, cap 0.5; 1200.00 of vouchers spent.

    charge 3000 x 21/31 = 2032.258.. -> 2032.26; credit 1200 x 0.9 = 1080.00; cap 1016.13;
    applied 1016.13; carry 1080.00 - 1016.13 = 63.87; cash 2032.26 - 1016.13 = 1016.13.
    """
    city = town(lease={"rent_free_until": date(2026, 7, 10), "offset_rate": D("0.9")})
    city.issue(on=JULY)
    spend(city, "A", "2026-07-05", 1200)
    july = city.close("2026-07")["LS1"]
    assert figures(july, "charge", "credit", "cap", "applied", "carry_out", "cash_due") == [
        *(D("2032.26"), D("1080.00"), D("1016.13"), D("1016.13"), D("63.87"), D("1016.13")),
    ]


def test_the_month_that_took_more_back_than_it_earned():
    """July as above, but 800.00 of it reversed in August, when 500.00 more are spent.

    credit (500 - 800) x 0.9 = -270.00; carry in 63.87; available -206.13, all of it applied:
    cash 3000.00 + 206.13 = 3206.13; nothing is carried. The receivable is 1016.13 + 3206.13 = 4222.26.
    """
    city = town(lease={"rent_free_until": date(2026, 7, 10), "offset_rate": D("0.9")})
    city.issue(on=JULY)
    spend(city, "A", "2026-07-05", 400)
    spend(city, "B", "2026-07-06", 800)
    city.close("2026-07")
    city.settle("2026-07")
    city.issue(on=date(2026, 8, 1))
    spend(city, "C", "2026-08-05", 500)
    city.reverse("B", on=date(2026, 8, 6))
    august = city.close("2026-08")["LS1"]
    assert figures(
        august, "earned", "reversed", "credit", "carry_in", "available", "applied", "cash_due"
    ) == [
        *(D("500.00"), D("800.00"), D("-270.00"), D("63.87"), D("-206.13"), D("-206.13"), D("3206.13")),
    ]
    city.settle("2026-08")
    assert city.balances["Assets:Receivable:Rent:LS1", "CNY"] == D("4222.26")
    assert not city.balances["Liabilities:OffsetCredit:LS1", "CNY"] and city.broken() == []


def test_the_credit_of_july_lapses_in_september():
    """Rent 1000.00, cap 0.3 = 300.00 a month, carried one month. 900.00 earned in July, 100.00 in August.

    July: 900 - 300 = 600 carried. August: 600 + 100 = 700, 300 applied (July's first), 400 carried, of
    which 300 are July's. September: these 300 lapse, 100 are carried in and applied. Cash 700, 700, 900.
    """
    city = town(lease={"monthly_rent": D("1000.00"), "offset_cap": D("0.3")})
    drawn = []
    for month, value in ((7, 900), (8, 100), (9, 0)):
        city.issue(on=date(2026, month, 1))
        if value:
            spend(city, f"K{month}", f"2026-{month:02d}-09", value)
        drawn.append(city.close(f"2026-{month:02d}")["LS1"])
        city.settle(f"2026-{month:02d}")
    assert [s.carry_out for s in drawn] == [D(600), D(400), D(0)]
    assert [s.lapsed for s in drawn] == [D(0), D(0), D(300)]
    assert [s.cash_due for s in drawn] == [D(700), D(700), D(900)]


def test_the_lease_that_ended_goes_on_reckoning():
    """Ends 10 July: charge 3000 x 10/31 = 967.74, cap 483.87. 500.00 earned: 16.13 carried.

    In August 20.00 dated July come in: charge 0, credit 20.00, nothing applied, 36.13 carried. In
    September July's 16.13 lapse, in October August's 20.00. Then it has no statement any more.
    """
    city = town(lease={"ends_on": date(2026, 7, 10)})
    city.issue(on=JULY)
    spend(city, "A", "2026-07-10", 500)
    july = city.close("2026-07")["LS1"]
    assert figures(july, "charge", "cap", "carry_out") == [D("967.74"), D("483.87"), D("16.13")]
    city.settle("2026-07")
    spend(city, "B", "2026-07-10", 20)
    with pytest.raises(Refused, match="no_lease"):
        spend(city, "C", "2026-07-11", 1)
    seen = []
    for month in ("2026-08", "2026-09", "2026-10", "2026-11"):
        drawn = city.close(month)
        seen.append(figures(drawn["LS1"], "charge", "late", "lapsed", "carry_out") if drawn else None)
        city.settle(month)
    assert seen == [
        [D("0.00"), D("20.00"), D("0.00"), D("36.13")],
        [D("0.00"), D("0.00"), D("16.13"), D("20.00")],
        [D("0.00"), D("0.00"), D("20.00"), D("0.00")],
        None,
    ]


def test_new_terms_from_the_first_of_a_month():
    """Rate 1.00 in July, 0.50 from 1 August. 100.00 dated July come in August with 100.00 of August.

    credit 100 x 1.00 + 100 x 0.50 = 150.00.
    """
    city = town()
    city.issue(on=JULY)
    city.close("2026-07")
    city.settle("2026-07")
    city.change_terms("LS1", since=date(2026, 8, 1), offset_rate=D("0.50"))
    with pytest.raises(Refused, match="month_locked"):
        city.change_terms("LS1", since=JULY, offset_rate=D("0.50"))
    city.issue(on=date(2026, 8, 1))
    spend(city, "A", "2026-07-20", 100)
    spend(city, "B", "2026-08-20", 100)
    august = city.close("2026-08")["LS1"]
    assert figures(august, "earned", "late", "credit") == [D(100), D(100), D("150.00")]


def test_a_statement_changed_between_drawing_and_settling_is_refused():
    city = town()
    city.issue(on=JULY)
    city.close("2026-07")
    spend(city, "A", "2026-07-20", 100)
    with pytest.raises(Refused, match="statement_changed"):
        city.settle("2026-07")
    assert city.locked == "2026-06"
    city.close("2026-07")
    city.settle("2026-07")
    with pytest.raises(Refused, match="month_locked"):
        city.close("2026-07")
    with pytest.raises(Refused, match="month_before_open"):
        city.close("2026-09")


def test_grandma_lis_lunch_is_floored_and_shared():
    """A lunch of 9.99, two programmes, each at most a third: floor(3.3266..) = 3.32 each; she pays 3.35."""
    third = D("0.333")
    city = town(programmes=[programme("PA", max_share=third), programme("PB", max_share=third, per_elder=2)])
    city.prices["SV1"] = [price("9.99")]
    city.issue(on=JULY)
    lunch = spend(city, "A", "2026-07-05", 1)
    assert [line.amount for line in lunch.lines] == [D("3.32"), D("3.32")]
    assert lunch.price["self_pay"] == D("3.35")


def test_late_death_holds_back_and_correction_lifts():
    """10.00 on the 5th, 20.00 on the 9th; the death of the 9th is learnt: 10.00 earned, one held back.

    1970.00 are voided. Corrected, both count, and the 1970.00 are there again.
    """
    city = town()
    city.issue(on=JULY)
    spend(city, "A", "2026-07-05", 10)
    spend(city, "B", "2026-07-09", 20)
    city.die("LI", on=date(2026, 7, 9))
    assert city.balances["Equity:Vouchers:PA:Voided", "VCY"] == D("-1970.00")
    assert figures(city.statement("LS1", "2026-07"), "earned", "under_review") == [D(10), 1]
    city.correct_death("LI", on=date(2026, 7, 20))
    assert figures(city.statement("LS1", "2026-07"), "earned", "under_review") == [D(30), 0]
    assert city.wallets["LI"][0].left == D("1970.00") and city.broken() == []


def test_fraud_voids_and_what_comes_back_is_voided():
    city = town()
    city.issue(on=JULY)
    spend(city, "A", "2026-07-05", 10)
    city.void("LI", on=date(2026, 7, 6))
    city.reverse("A", on=date(2026, 7, 7))
    assert city.balances["Equity:Vouchers:PA:Voided", "VCY"] == D("-2000.00")
    with pytest.raises(Refused, match="nothing_spendable"):
        spend(city, "B", "2026-07-08", 1)
    assert city.broken() == []


def test_entries_of_a_locked_month_are_dated_in_the_first_open_one():
    city = town()
    city.issue(on=JULY)
    city.close("2026-07")
    city.settle("2026-07")
    made = spend(city, "A", "2026-07-20", 5)
    assert made.service_on == date(2026, 7, 20) and city.journal[-1][0] == date(2026, 8, 1)


# Orders and holds


def place(city, key="O1", quantity=30, day="2026-07-10"):
    return city.place(
        key=key,
        placed_on=date(2026, 7, 2),
        service_on=date.fromisoformat(day),
        premises="PR1",
        service="SV1",
        elder="LI",
        quantity=quantity,
    )


def pots(city):
    return [-city.balances[city._pot("PA", name), "VCY"] for name in ("Outstanding", "Held", "Redeemed")]


def test_a_hold_cannot_be_spent_elsewhere():
    """A voucher of 50.00; 30.00 held: a lunch of 40.00 gets 20.00 of it."""
    city = town(programmes=[programme(face_value=D("50.00"))])
    city.issue(on=JULY)
    place(city)
    assert place(city) is city.orders["O1"]  # told again
    assert pots(city) == [D(20), D(30), D(0)]
    assert spend(city, "A", "2026-07-05", 40).price["self_pay"] == D(20)
    assert city.broken() == []


@pytest.mark.parametrize(
    ("delivered", "paid", "self_pay", "left"), [(30, 30, 0, 20), (18, 18, 0, 32), (45, 30, 15, 20)]
)
def test_delivery_spends_at_most_the_hold(delivered, paid, self_pay, left):
    """30.00 held of 50.00: as ordered; 12.00 less is released; 15.00 more is for the elder to pay."""
    city = town(programmes=[programme(face_value=D("50.00"))])
    city.issue(on=JULY)
    place(city)
    made = city.deliver("O1", key="A", happened_at=noon("2026-07-10"), quantity=delivered)
    assert (made.price["vouchers"], made.price["self_pay"]) == (paid, self_pay)
    assert pots(city) == [D(left), D(0), D(paid)]
    assert city.deliver("O1", key="A", happened_at=noon("2026-07-10"), quantity=delivered) is made
    assert city.statement("LS1", "2026-07").earned == paid and city.broken() == []


def test_an_order_counts_towards_the_daily_limit_until_it_falls():
    city = town(daily_limit=40)
    city.issue(on=JULY)
    place(city)
    with pytest.raises(Refused, match="daily_limit"):
        spend(city, "A", "2026-07-10", 11)
    spend(city, "B", "2026-07-10", 10)
    with pytest.raises(Refused, match="daily_limit"):  # its own 30 do not stand in its way, ten more do
        city.deliver("O1", key="C", happened_at=noon("2026-07-10"), quantity=31)
    city.cancel("O1", on=date(2026, 7, 3))
    spend(city, "D", "2026-07-10", 30)
    with pytest.raises(Refused, match="not_held"):
        city.cancel("O1", on=date(2026, 7, 3))


def test_what_is_held_does_not_expire_but_is_released_past_its_validity_at_once_expired():
    city = town(programmes=[programme(face_value=D("50.00"))])
    city.issue(on=JULY)
    place(city)
    assert city.expire(on=date(2026, 8, 4)) == D(20)
    assert pots(city) == [D(0), D(30), D(0)]
    city.cancel("O1", on=date(2026, 8, 5))
    assert pots(city) == [D(0), D(0), D(0)]
    assert city.balances["Equity:Vouchers:PA:Expired", "VCY"] == D(-50) and city.broken() == []


def test_a_death_cancels_open_orders_and_voids_what_they_held():
    city = town(programmes=[programme(face_value=D("50.00"))])
    city.issue(on=JULY)
    order = place(city)
    city.die("LI", on=date(2026, 7, 3))
    assert order.state == "released" and city.balances["Equity:Vouchers:PA:Voided", "VCY"] == D(-50)
    assert city.broken() == []


# Bank lines


@pytest.mark.parametrize(
    ("text", "borne"),
    [
        ("LK1 房租", {"LK1"}),
        ("房租LK1部分", {"LK1"}),
        ("LK10", {"LK10"}),
        ("LK1,LK10", {"LK1", "LK10"}),
        ("_LK1_", {"LK1"}),
        ("LK1２", {"LK1"}),  # a fullwidth digit does not touch
        ("ＬＫ１", set()),
        ("lk1", set()),
        ("XLK1", set()),
        ("LK1a", set()),
        ("LK1LK1", set()),
        ("LK 1", set()),
    ],
)
def test_a_lease_code_counts_when_no_ascii_letter_or_digit_touches_it(text, borne):
    assert codes_in({"LK1", "LK10"}, text) == borne


def test_receipts_are_proposed_only_for_what_is_open():
    """Cash due 700.00 in July, 700.00 in August, 1000.00 in September.

    700.00 of the payer: two months owe it, nothing is proposed. 700.00 with the code: July is paid.
    700.00 of the payer: August is proposed. The same again: no longer open. 1000.00: September.
    """
    city = town(lease={"monthly_rent": D("1000.00"), "offset_cap": D("0.3"), "carry_months": 0})
    for month, value in ((7, 300), (8, 300), (9, 0)):
        city.issue(on=date(2026, month, 1))
        if value:
            spend(city, f"K{month}", f"2026-{month:02d}-09", value)
        city.close(f"2026-{month:02d}")
        city.settle(f"2026-{month:02d}")
    lines = [
        [*BANK[:6], amount, "8", summary, "", "样例运营一", str(n), ""]
        for n, (amount, summary) in enumerate(
            [("700.00", ""), ("700.00", "LS1"), ("700.00", ""), ("700.00", ""), ("1000.00", "")]
        )
    ]
    tally = city.import_bank(lines)
    assert tally == {"new": 5, "repeated": 0, "matched": 1, "proposed": 2, "unmatched": 2}
    assert [line.proposed for line in city.bank_lines] == [
        *(None, None, ("LS1", "2026-08"), None, ("LS1", "2026-09")),
    ]
    assert city.balances["Assets:Receivable:Rent:LS1", "CNY"] == D("1700.00")
    assert city.balances["Liabilities:Suspense:Receipts", "CNY"] == D("-3100.00")
    assert city.import_bank(lines + lines[:1])["new"] == 1  # a sixth line, equal to the first of these
    assert city.broken() == []
