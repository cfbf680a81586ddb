"""A person gets everything that is held about them, and nobody else does."""

from io import BytesIO

from django.apps import apps
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from ledger.models import Record
from marketplace.accounts.models import User
from marketplace.models import Message
from marketplace.privacy.copies import NOT_COPIED, PARTS
from tests.privacy.ground import DAUGHTER, NAME, Lives, code_sent, signed_in
from tests.shop.ground import HOME
from vouchers.models import Elder, Redemption, Voucher


def labels_that_lead_to(people: tuple[type, ...]) -> set[str]:
    """Models with a column that points at an elder or an account."""
    return {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and field.remote_field and field.remote_field.model in people
    }


def read_by(parts=PARTS) -> set[str]:
    return {model._meta.label for part in parts for model in part.reads}


def test_every_model_that_leads_to_a_person_is_in_the_copy_or_said_why_not():
    lead = labels_that_lead_to((Elder, User))
    assert len(lead) > 40
    assert sorted(lead - read_by() - NOT_COPIED.keys()) == []
    assert sorted(NOT_COPIED.keys() & read_by()) == [], "either or"
    assert sorted(NOT_COPIED.keys() - lead - {"order.Order", "basket.Basket"}) == [], "reasons get old"
    assert all(len(why) > 20 for why in NOT_COPIED.values())
    # Control: a part taken away is missed.
    without = read_by(tuple(part for part in PARTS if Message not in part.reads))
    assert lead - without - NOT_COPIED.keys() == {"marketplace.Message"}


def sheets_of(answer) -> dict[str, list[tuple]]:
    assert answer.status_code == 200 and answer["Content-Type"].endswith("sheet"), answer.status_code
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))
    return {sheet.title: list(sheet.iter_rows(min_row=2, values_only=True)) for sheet in book}


def said(sheets: dict[str, list[tuple]]) -> str:
    return "\n".join(
        str(cell) for rows in sheets.values() for row in rows for cell in row if cell is not None
    )


def own_copy(client: Client) -> dict[str, list[tuple]]:
    page = reverse("people:copy")
    assert client.post(page, {"send": "1"}).status_code == 302
    return sheets_of(client.post(page, {"code": code_sent()}))


def test_the_elder_the_daughter_and_the_clerk_each_get_their_own(db):
    lives = Lives()
    li, page = lives.li, reverse("people:copy")
    li.refresh_from_db()
    client = signed_in(lives.own)

    # Without the code of this moment there is nothing.
    assert client.post(page, {"code": "123456"})["Content-Type"].startswith("text/html")
    client.post(page, {"send": "1"})
    wrong = client.post(page, {"code": "000001" if code_sent() != "000001" else "000002"})
    assert wrong["Content-Type"].startswith("text/html") and b"This is not the code" in wrong.content
    sheets = sheets_of(client.post(page, {"code": code_sent()}))
    assert list(sheets) == [str(part.title) for part in PARTS]
    assert all(rows for title, rows in sheets.items() if title not in (
        "Home adaptation", "Checks", "Requests to be erased"
    )), {title: len(rows) for title, rows in sheets.items()}  # fmt: skip
    words = said(sheets)
    for known in (NAME, li.id_number(), li.phone(), lives.own.phone(), HOME, DAUGHTER):
        assert known in words
    assert len(sheets["Vouchers held"]) == Voucher.objects.filter(elder=li).count()
    mine = Redemption.objects.filter(elder=li)
    assert [row[0] for row in sheets["Services received"]] == [one.number for one in mine]
    others = Redemption.objects.exclude(elder=li)
    assert others and not any(one.number in words for one in others), "nothing of Grandpa Wang"
    assert Record.objects.filter(action="copy_data", subject="LI", by=lives.own.username).count() == 1

    # The daughter acts for her mother: of the mother she gets what concerns herself.
    hers = own_copy(signed_in(lives.daughter))
    words = said(hers)
    assert lives.daughter.phone() in words and "LI" in words and DAUGHTER in words
    assert not hers["Vouchers held"] and not hers["Services received"] and HOME not in words
    assert li.id_number() not in words and li.phone() not in words

    # At the desk: a reason, masked numbers, a line in the audit.
    desk, register = signed_in(lives.clerk), reverse("registers:elder", args=["LI"])
    refused = desk.post(register, {"do": "copy", "copy_why": ""})
    assert refused.status_code == 422
    sheets = sheets_of(desk.post(register, {"do": "copy", "copy_why": "本人持身份证到社区"}))
    words = said(sheets)
    assert NAME in words and len(sheets["Services received"]) == len(mine)
    for hidden in (li.id_number(), li.phone(), lives.own.phone()):
        assert hidden not in words
    noted = Record.objects.get(action="copy_data", by="clerk")
    assert (noted.subject, noted.detail) == ("LI", {"reason": "本人持身份证到社区"})
