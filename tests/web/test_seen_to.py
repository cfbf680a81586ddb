"""Photos of premises beyond the first page and withdrawn; what the seal may be put on; what a manager owes."""

import re
from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from ledger.models import Record, SealApproval
from marketplace.models import PhotoWithdrawal, PremisesPhoto
from marketplace.registers.operations import CannotWithdraw, add_photos, withdraw_photo
from marketplace.web.reports.sealable import content_of, href_of, waiting
from providers.models import Premises, Reminder
from providers.reminders.operations import digest_of
from tests import payments, story
from tests.providers.test_reminders import declined, send
from tests.story import day, moment
from vouchers.photos.cleaning import clean
from vouchers.settlement.papers import issue_paper

AT = moment("2026-04-02")


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def photographed(many: int) -> list[PremisesPhoto]:
    picture = BytesIO()
    Image.new("RGB", (40, 30), "gray").save(picture, "JPEG")
    return add_photos(
        premises=Premises.objects.get(code="PM01"),
        photos=[clean(picture.getvalue())] * many,
        taken_on=day("2026-03-01"),
        caption="门厅",
        by="clerk",
        at=AT,
    )


def photos_on(page) -> set[str]:
    return set(re.findall(r'<img src="([^"]+/photos/[^"]+)"', page.content.decode()))


def test_every_photo_can_be_reached_and_a_wrong_one_withdrawn(story_db):
    found = photographed(13)
    page = reverse("registers:one_premises", args=["PM01"])
    seen = [photos_on(client("officer-east").get(page, {"page": n})) for n in (1, 2)]
    assert [len(one) for one in seen] == [12, 1] and len(seen[0] | seen[1]) == 13
    wrong = found[0]
    shown = reverse("registers:photo", args=[wrong.photo.number])
    away = reverse("registers:withdraw_photo", args=[wrong.photo.number])
    assert client("officer-west").get(shown).status_code == 404
    for who in ("officer-east", "approver", "auditor"):
        assert client(who).post(away, {"reason": "拍错了"}).status_code == 403
    assert client("clerk").get(away).status_code == 200
    assert client("clerk").post(away, {"reason": " "}).status_code == 422
    assert client("auditor").get(shown).status_code == 200  # control: it stands until it is withdrawn
    assert client("clerk").post(away, {"reason": "拍到了老人"}).status_code == 302
    for who in ("clerk", "auditor", "officer-east"):
        assert client(who).get(shown).status_code == 404
    assert client("clerk").post(away, {"reason": "再来一次"}).status_code == 404
    told = client("auditor").get(page)
    assert (
        "拍到了老人" in told.content.decode() and shown not in photos_on(told) and len(photos_on(told)) == 12
    )
    assert Record.objects.filter(action="withdraw_photo", subject="PM01", by="clerk").count() == 1
    with pytest.raises(CannotWithdraw):
        withdraw_photo(photo=wrong, reason="再来一次", by="clerk", at=AT)
    with pytest.raises(IntegrityError, match="withdrawn_for_a_reason"), transaction.atomic():
        PhotoWithdrawal.objects.create(photo=found[1], reason="", by="clerk", at=AT)


def test_a_letter_and_a_monthly_report_can_be_sealed_and_the_number_leads_there(story_db):
    payments.tell()
    declined()
    send("2026-04-02")
    paper = issue_paper(
        statement=story.statement("LS01", story.JANUARY),
        kind="certificate",
        by=story.user_named("clerk"),
        at=AT,
    )
    letter, report = "CJ-LS01-20260402", "YB-202601"
    seals, approver = reverse("reports:seals"), client("approver")
    offered = approver.get(seals).content.decode()
    for number in (letter, report, paper.number, "BF-OP01-202601"):
        assert f'<option value="{number}">' in offered
    assert "<datalist" in offered and '<option value="JK-' not in offered  # that one is sealed already
    for number in ("CJ-LS01-20260403", "YB-202603", "YB-202613", "YB-x", "CJ-"):  # March is not posted
        assert content_of(number) == ""
        answer = approver.post(seals, {"do": "allow", "paper": number, "purpose": "寄送", "copies": "1"})
        assert answer.status_code == 422
    for number in (letter, report):
        answer = approver.post(
            seals, {"do": "allow", "paper": number.lower(), "purpose": "寄送", "copies": "1"}
        )
        assert answer.status_code == 302 and SealApproval.objects.get(paper=number).content == content_of(
            number
        )
    assert not {letter, report} & set(waiting())
    listed = client("auditor").get(seals, {"q": "YB"})
    assert [row.paper for row, _href in listed.context["rows"]] == [report]
    assert f'href="{reverse("reports:report", args=["2026-01"])}"' in listed.content.decode()
    for number in (letter, report, paper.number, "BF-OP01-202601", "JK-OW0001-202603"):
        assert client("clerk").get(href_of(number)).status_code == 200, number
    assert href_of("XX-1") == href_of("CJ-1/2") == ""
    before = content_of(letter)  # control: another amount is another content
    changed = Reminder.objects.get(number=letter)
    changed.amount += 1
    assert digest_of(changed) != before


def test_a_manager_sees_what_is_owed_and_the_letters(story_db):
    declined()
    page, theirs = reverse("office:rent"), client("manager-op01")
    seen = theirs.get(page)
    owed = [(one["lease"].code, one["month"], one["amount"]) for one in seen.context["due"]]
    assert owed and {code for code, *_rest in owed} == {"LS01"}
    assert seen.context["total"] == sum(amount for *_rest, amount in owed)
    bureau = client("clerk").get(reverse("bureau:arrears")).context["rows"]
    assert {lease.code: one.total for lease, one, _ages in bureau}["LS01"] == seen.context["total"]
    assert "No letter was sent" in seen.content.decode()
    send("2026-04-02")
    letter = reverse("bureau:reminder_pdf", args=["CJ-LS01-20260402"])
    assert letter in theirs.get(page).content.decode()
    assert theirs.get(letter).content.startswith(b"%PDF")
    assert client("manager-op02").get(letter).status_code == 404  # another's
    assert client("officer").get(page).status_code == 403
    csv = b"".join(theirs.get(page, {"format": "csv"}).streaming_content).decode()
    assert csv.count("LS01") == len(owed) and "LS03" not in csv
