"""Which lease a receipt pays: the worked lines of a town, then whatever text a payer may write."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.leases.matching import Matched, OpenDue, Proposed, Unmatched, Verdict, lease_codes, match

KNOWN = frozenset({"LS001", "LS002", "LS008", "LS0081"})
JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
YIYANG, ANKANG = "样例颐养服务中心1", "样例安康服务中心"
OPERATORS = {YIYANG: "OP01", ANKANG: "OP02"}
DUES = [
    OpenDue("LS001", "OP01", JULY, Decimal("3557.44")),
    OpenDue("LS008", "OP01", JULY, Decimal("12323.00")),
    OpenDue("LS008", "OP01", AUGUST, Decimal("11727.40")),
    OpenDue("LS002", "OP02", JULY, Decimal("3557.44")),
]


def verdict(
    text: str = "房租",
    amount: str = "1.00",
    payer: str = YIYANG,
    summary: str = "转账",
    dues: list[OpenDue] = DUES,
) -> Verdict:
    return match(
        summary=summary,
        purpose=text,
        payer=payer,
        amount=Decimal(amount),
        known_codes=KNOWN,
        operator_by_name=OPERATORS,
        open_dues=dues,
    )


# Matched


@pytest.mark.parametrize(
    "text",
    [
        "LS001 2026-07 房租",
        "房租LS001部分",
        "LS001",
        "LS001LS001 LS001",
        "LS001，LS001",
        "（LS001）",
        "LS001_x",
        "LS999 LS001",
        "ＬＳ００２LS001",
    ],
)
def test_exactly_one_known_code_matches(text: str) -> None:
    assert verdict(text) == Matched("LS001")


def test_the_code_may_stand_in_either_text_and_twice_is_once() -> None:
    assert verdict(summary="LS001 房租", text="") == Matched("LS001")
    assert verdict(summary="LS001", text="LS001") == Matched("LS001")


def test_a_code_is_not_pieced_together_from_the_two_texts() -> None:
    assert verdict(summary="房租 LS00", text="1") == Unmatched()
    assert verdict(summary="LS008", text="1") == Matched("LS008")


@pytest.mark.parametrize(
    "text", ["XLS001", "LS0011", "LS001a", "1LS001", "ls001", "Ls001", "ＬＳ００１", "LS 001", "LS003", ""]
)
def test_a_code_touched_by_a_letter_or_digit_or_unknown_is_none(text: str) -> None:
    assert lease_codes(text, KNOWN) == set()
    assert verdict(text) == Unmatched()


def test_the_longer_code_is_not_the_shorter_one() -> None:
    assert verdict("LS0081 房租") == Matched("LS0081")
    assert lease_codes("LS008 LS0081", KNOWN) == {"LS008", "LS0081"}


def test_a_code_decides_whoever_pays_and_whatever_is_due() -> None:
    assert verdict("LS002", amount="3557.44", payer=YIYANG) == Matched("LS002")
    assert verdict("LS002", amount="0.01", payer="", dues=[]) == Matched("LS002")


# Proposed


def test_the_operator_paying_exactly_one_open_due_is_proposed() -> None:
    assert verdict(amount="12323.00") == Proposed("LS008", JULY)
    assert verdict(amount="11727.40") == Proposed("LS008", AUGUST)
    assert verdict(amount="3557.44", payer=ANKANG) == Proposed("LS002", JULY)
    assert verdict(amount="3557.44", payer=f" {ANKANG} ") == Proposed("LS002", JULY)


def test_a_fen_more_or_less_is_not() -> None:
    assert verdict(amount="12323.01") == verdict(amount="12322.99") == Unmatched()


def test_a_stranger_paying_the_same_amount_is_not() -> None:
    assert verdict(amount="12323.00", payer="陌生人") == Unmatched()
    assert verdict(amount="12323.00", payer="") == Unmatched()
    assert verdict(amount="12323.00", payer=ANKANG) == Unmatched()


def test_two_equal_dues_tell_nothing() -> None:
    twice = [*DUES, OpenDue("LS001", "OP01", AUGUST, Decimal("12323.00"))]
    assert verdict(amount="12323.00", dues=twice) == Unmatched()
    another_operator = [*DUES, OpenDue("LS002", "OP02", AUGUST, Decimal("12323.00"))]
    assert verdict(amount="12323.00", dues=another_operator) == Proposed("LS008", JULY)


def test_what_is_paid_already_is_not_open() -> None:
    for amount in ("0.00", "-5.00"):
        assert verdict(amount=amount, dues=[OpenDue("LS008", "OP01", JULY, Decimal(amount))]) == Unmatched()
    assert verdict(amount="5.00", dues=[OpenDue("LS008", "OP01", JULY, Decimal(5))]) == Proposed(
        "LS008", JULY
    )


def test_several_codes_are_no_match_but_may_be_a_proposal() -> None:
    assert verdict("LS001 LS002 房租", payer="") == Unmatched()
    assert verdict("LS001 LS008 房租", amount="12323.00") == Proposed("LS008", JULY)


# Any text

_OTHER = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(_OTHER, _OTHER)
def test_a_code_counts_exactly_when_no_ascii_letter_or_digit_touches_it(before: str, after: str) -> None:
    def touches(letter: str) -> bool:
        return letter.isascii() and letter.isalnum()

    alone = not touches(before[-1:] or " ") and not touches(after[:1] or " ")
    assert ("LS001" in lease_codes(f"{before}LS001{after}", {"LS001"})) is alone


@given(st.lists(st.sampled_from(sorted(KNOWN)), max_size=5), st.sampled_from([" ", "，", "-", "房租"]))
def test_all_codes_that_stand_apart_are_found(codes: list[str], between: str) -> None:
    assert lease_codes(between.join(codes), KNOWN) == set(codes)
    found = verdict(between.join(codes), dues=[])
    assert (found == Matched(codes[0])) if len(set(codes)) == 1 else (found == Unmatched())
