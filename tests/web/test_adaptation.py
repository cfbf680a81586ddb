"""Home adaptation on the pages: the daughter asks and says yes, the operator works, the street accepts."""

from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook
from PIL import Image

from marketplace.accounts.models import User
from marketplace.messages.models import Message
from providers.models import PriceProposal
from tests import story
from tests.story import moment
from tests.vouchers import homes
from vouchers.adaptation.models import Project
from vouchers.delegates.models import Delegation
from vouchers.models import Redemption, Voucher


def client(name: str, language: str = "en") -> Client:
    made = Client(headers={"accept-language": language})
    made.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return made


@pytest.fixture
def town(db):
    """February 2026; the daughter acts for Grandma Li, up to 1,000 yuan a month."""
    homes.ground()
    letter = Delegation(
        user=story.user_named("daughter"), elder=story.elder_named("LI"), relation="child", scope="order",
        cap=1000, until=story.day("2026-12-31"), state="agreed", asked_at=moment("2026-01-01"),
        agreed_at=moment("2026-01-01"), agreed_by="code",
    )  # fmt: skip
    letter.seal_name("李小红")
    letter.save()
    with time_machine.travel(moment("2026-02-05 09:00"), tick=False) as clock:
        yield clock


def picture(name: str = "IMG_1.jpg") -> SimpleUploadedFile:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (27.0, 49.0, 48.0)}
    written = BytesIO()
    Image.new("RGB", (300, 200), "gray").save(written, "JPEG", exif=exif)
    return SimpleUploadedFile(name, written.getvalue(), "image/jpeg")


def test_from_the_daughters_wish_to_the_accepted_home(town):
    daughter, manager, officer = client("daughter"), client("manager-op01"), client("officer-east")
    assert "Ask somebody to come" in daughter.get(reverse("family:adaptation")).content.decode()
    asked = daughter.post(
        reverse("family:adaptation_new"), {"place": "PM01", "wish": "怕滑倒", "address": homes.HOME}
    )
    assert asked.status_code == 302
    project = Project.objects.get()
    page = reverse("office:adaptation_project", args=[project.pk])
    body = manager.get(page).content.decode()
    assert homes.HOME in body and "李桂兰" not in body and "李*" in body

    wrong = manager.post(
        page, {"act": "assess", "visited_on": "2026-02-05", "assessor": "吴师傅", "findings": "滑"}
    )
    assert wrong.status_code == 422 and "Add a photo at least" in wrong.content.decode()
    form = {"act": "assess", "visited_on": "2026-02-05", "assessor": "吴师傅", "findings": "滑"}
    bad = SimpleUploadedFile("x.jpg", b"no picture", "image/jpeg")
    assert "x.jpg" in manager.post(page, form | {"photos": [bad]}).content.decode()
    assert manager.post(page, form | {"photos": [picture(), picture("IMG_2.jpg")]}).status_code == 302
    for act in ("assess", "begin", "finish", "nonsense"):  # sent again, out of turn, made up
        assert manager.post(page, form | {"act": act, "photos": [picture()]}).status_code == 422

    assert "Of the 30 listed items" in manager.get(page).content.decode()
    plan = {"act": "plan", "due_on": "2026-02-25", "warranty": "24", "quantity_RAIL": "2", "quantity_MAT": ""}
    assert manager.post(page, plan | {"quantity_RAIL": ""}).status_code == 422
    assert manager.post(page, plan).status_code == 302
    said = Message.objects.get(kind="adaptation_planned")
    assert "572" in said.text()

    body = daughter.get(reverse("family:adaptation")).content.decode()
    assert "Yes, do it" in body and "572 yuan" in body
    say = reverse("family:adaptation_say", args=[project.plans.get().pk])
    assert daughter.post(say, {"answer": "yes"}).status_code == 302
    assert Voucher.objects.get(elder__code="LI").held == 572
    assert manager.post(page, {"act": "begin"}).status_code == 302
    late = daughter.post(reverse("family:adaptation_stop", args=[project.pk]), follow=True)
    assert "The works have begun. Call the hotline" in late.content.decode()
    assert manager.post(page, {"act": "finish", "photos": [picture()]}).status_code == 302

    look = reverse("bureau:adaptation_project", args=[project.pk])
    assert client("officer-west").get(look).status_code == 404
    body = officer.get(look).content.decode()
    assert "There and works" in body and homes.HOME in body
    story.user("auditor", "auditor")
    body = client("auditor").get(look).content.decode()  # who does not go there needs no address
    assert homes.HOME not in body and "There and works" not in body
    nothing = officer.post(look, {"note": ""})
    assert nothing.status_code == 422 and "Say what is missing" in nothing.content.decode()
    assert officer.post(look, {"note": "看过", "there": ["SLH13"]}).status_code == 302
    project.refresh_from_db()
    assert project.state == "accepted" and Redemption.objects.get().vouchers == 572
    assert "Warranty until" in daughter.get(reverse("family:adaptation")).content.decode()
    assert Message.objects.filter(kind="adaptation_accepted").count() == 1
    assert "RD-" in manager.get(page).content.decode()


def test_photos_are_for_those_who_may_see_the_project(town):
    project = homes.finished()
    one = project.photos.first()
    address = reverse("adaptation_photo", args=[project.pk, one.pk])
    for name, status in {
        "manager-op01": 200, "officer-east": 200, "clerk": 200,
        "manager-op02": 404, "officer-west": 404, "hotline": 403, "daughter": 403,
    }.items():  # fmt: skip
        assert client(name).get(address).status_code == status, name
    answer = client("clerk").get(address)
    assert answer["Content-Type"] == "image/jpeg" and "no-store" in answer["Cache-Control"]
    assert not Image.open(BytesIO(answer.content)).getexif()
    own = reverse("family:adaptation_photo", args=[project.pk, one.pk])
    assert client("daughter").get(own).status_code == 200
    Delegation.objects.update(state="ended", ended_at=moment("2026-02-05"))
    assert client("daughter").get(own).status_code in (302, 404)


def test_a_household_that_had_one_is_told_so(town):
    homes.requested("CHEN")
    daughter = client("daughter")
    assert "asked for this home already" in daughter.get(reverse("family:adaptation")).content.decode()
    answer = daughter.post(reverse("family:adaptation_new"), {"place": "PM01", "address": homes.HOME})
    assert answer.status_code == 422 and "paid for once" in answer.content.decode()
    assert daughter.post(reverse("family:adaptation_new"), {"place": "PM02"}).status_code == 422


def test_the_lists_and_their_files(town, django_assert_max_num_queries):
    homes.finished("LI")
    homes.requested("WANG")
    manager = client("manager-op01")
    with django_assert_max_num_queries(16):
        page = manager.get(reverse("office:adaptation"))
    assert page.context["listing"].total == 2
    assert client("manager-op02").get(reverse("office:adaptation")).context["listing"].total == 0
    assert client("officer-east").get(reverse("bureau:adaptation")).context["listing"].total == 2
    assert client("officer-west").get(reverse("bureau:adaptation")).context["listing"].total == 0
    waiting = client("clerk").get(reverse("bureau:adaptation"), {"show": "done"})
    assert waiting.context["listing"].total == 1
    rows = sheet(manager, reverse("office:adaptation"), show="open")
    assert len(rows) == 3 and any(
        "安装扶手" in str(cell) or "Handrail" in str(cell) for row in rows for cell in row
    )


def sheet(who: Client, address: str, **query: str) -> list[tuple]:
    answer = who.get(address, {"format": "xlsx", **query})
    assert answer["Content-Type"].startswith("application/vnd.openxmlformats")
    return list(load_workbook(BytesIO(b"".join(answer))).active.values)


def test_every_table_of_the_office_is_a_file(town):
    manager = client("manager-op01")
    for name, query, least in (
        ("today", {}, 2), ("served", {}, 1), ("papers", {}, 3), ("terminals", {}, 1), ("prices", {}, 1),
        ("prices", {"table": "prices"}, 5), ("adaptation", {}, 1),
    ):  # fmt: skip
        rows = sheet(manager, reverse(f"office:{name}"), **query)
        assert len(rows) >= least and rows[0][0], name
        assert client("clerk").get(reverse(f"office:{name}"), {"format": "xlsx"}).status_code == 403, name


def test_a_price_is_proposed_in_the_office_and_approved_by_the_bureau(town):
    manager, clerk, auditor = client("manager-op01"), client("clerk"), story.user("auditor", "auditor")
    page = manager.get(reverse("office:prices"))
    row = next(row for row, _ages, _waits in page.context["prices"] if row.service.code == "TAP")
    propose = reverse("office:propose", args=[row.pk])
    assert client("manager-op02").get(propose).status_code == 404  # offers no such service
    form = {"valid_from": "2026-03-01", "list_price": "420", "concession": "10", "reason": "材料涨价"}
    assert manager.post(propose, form | {"list_price": "50"}).status_code == 422
    assert manager.post(propose, form).status_code == 302
    one = PriceProposal.objects.get()
    assert manager.post(propose, form).status_code == 422  # one waits
    look = reverse("bureau:price", args=[one.pk])
    body = clerk.get(look).content.decode()
    assert "+20.00" in body and "+10.00" in body and "no cash price is known" in body
    assert client(auditor.username).post(look, {"decision": "approve", "note": "x"}).status_code == 422
    assert clerk.post(look, {"decision": "approve", "note": ""}).status_code == 422
    assert clerk.post(look, {"decision": "approve", "note": "同意"}).status_code == 302
    one.refresh_from_db()
    assert one.made.list_price == 420 and one.follows.valid_until == one.made.valid_from - timedelta(days=1)
    body = manager.get(reverse("office:prices")).content.decode()
    assert "approved" in body and "420.00" in body and "同意" in body  # history is in sight
    assert len(sheet(clerk, reverse("bureau:prices"), show="all")) == 2
