"""The printed voucher card: who may print it, what stands on it, and that it works at the counter."""

import io
from datetime import timedelta

import pypdf
import pytest
from django.test import Client

from ledger.models import Record
from marketplace.web.cards.card import card
from tests import story
from tests.web import family
from vouchers.codes import digits
from vouchers.codes.operations import card_code, identify, set_pin
from vouchers.codes.refusals import CannotIdentify

POINTS = 16


@pytest.fixture
def town(db):
    story.town()
    story.user("agent", "hotline_agent")
    set_pin(elder=story.elder_named("LI"), pin=family.PIN, by=story.BY, at=family.NOW)
    with family.at():
        yield


def client(name: str, language: str = "zh-hans") -> Client:
    made = Client(headers={"accept-language": language})
    made.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return made


def sizes(pdf: bytes) -> tuple[str, set[int]]:
    """The text of a PDF, and the sizes in which any of it is set, in points."""
    found: set[int] = set()
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages

    def visit(text, matrix, text_matrix, font, size):
        if text.strip():
            found.add(round(abs(size * matrix[3] * text_matrix[3])))

    return page.extract_text(visitor_text=visit), found


@pytest.mark.parametrize("name", ["agent", "clerk"])
def test_a_card_to_print_that_works_with_the_pin(town, name):
    answer = client(name).post("/cards/", {"code": "li"})
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    printed = card_code(elder=story.elder_named("LI"))
    text, _sizes = sizes(answer.content)
    assert digits.grouped(printed.typed) in text
    for code in (printed.text, printed.typed):
        assert identify(credential={"code": code, "pin": family.PIN}, terminal_key="T", at=family.NOW) == "LI"
    (noted,) = Record.objects.filter(action="print_card")
    assert (noted.by, noted.subject) == (name, "LI")


def test_a_lost_card_is_replaced(town):
    old = card_code(elder=story.elder_named("LI"))
    answer = client("agent").post("/cards/", {"code": "LI", "lost": "on"})
    text, _sizes = sizes(answer.content)
    assert "第 2 张卡" in text and digits.grouped(old.typed) not in text
    with pytest.raises(CannotIdentify) as refused:
        identify(credential={"code": old.text, "pin": family.PIN}, terminal_key="T", at=family.NOW)
    assert refused.value.code == "card_replaced"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_large_text_that_can_be_selected_and_nothing_of_the_person_but_the_masked_name(town, language):
    li = story.elder_named("LI")
    text, used = sizes(client("agent", language).post("/cards/", {"code": "LI"}).content)
    assert "李*" in text and "12349" in text
    assert ("窗口" if language == "zh-hans" else "counter") in text
    assert used and min(used) >= POINTS
    for secret in (li.name, li.code, li.id_number(), li.phone(), "1946", family.PIN):
        assert secret not in text, secret


def test_control_sizes_and_names_are_read_from_the_pdf(town):
    text, used = sizes(card(name="李桂兰", code=card_code(elder=story.elder_named("LI"))))
    assert "李桂兰" in text and max(used) > POINTS


def test_who_is_not_of_ones_division_is_not_found(town):
    clerk = story.user_named("clerk")
    clerk.division = story.user_named("officer-west").division
    clerk.save()
    page = client("clerk").post("/cards/", {"code": "LI"})
    assert page.status_code == 200 and "没有这个编号的老人" in page.content.decode()
    assert client("clerk").post("/cards/", {"code": "WANG"})["Content-Type"] == "application/pdf"  # control
    assert not Record.objects.filter(subject="LI", action="print_card").exists()


@pytest.mark.parametrize("name", ["manager-op01", "officer", "approver", "auditor", "administrator"])
def test_others_print_none(town, name):
    assert client(name).get("/cards/").status_code == 403
    assert client(name).post("/cards/", {"code": "LI"}).status_code == 403


def test_the_card_of_yesterday_is_the_same_today(town):
    li = story.elder_named("LI")
    first = card_code(elder=li)
    with family.at(family.NOW + timedelta(days=400)):
        assert card_code(elder=li) == first
