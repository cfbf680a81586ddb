"""What was served without a network and not paid: the bureau sees both servings and decides; the bound is printed."""

from django.urls import reverse
from django.utils import timezone

from providers.models import Operator
from vouchers.models import Serving, SignedRecord, Terminal, TerminalKey
from vouchers.offline import caps


def test_the_bureau_sees_who_bears_it_and_the_bound(as_, city):
    page = as_("clerk").get(reverse("bureau:servings"))
    body = page.content.decode()
    assert page.context["waiting"] == 1 and page.context["unpaid"] == 8
    assert Operator.objects.get(pk=city.servings[0].loser_id).name in body
    assert [days for _row, _why, days in page.context["rows"]] == [4]
    assert page.context["bound"]["worst"] == Terminal.objects.filter(revoked_at=None).count() * caps.TERMINAL
    Terminal.objects.create(
        premises=city.servings[0].premises, name="一号", token_digest=b"1", enrolled_at=city.servings[0].recorded_at,
        enrolled_by="x",
    )  # fmt: skip
    assert "3,000.00" in as_("clerk").get(reverse("bureau:servings")).content.decode()
    assert "1" in as_("clerk").get(reverse("bureau:reviews")).content.decode()
    sheet = b"".join(as_("clerk").get(reverse("bureau:servings"), {"format": "csv"})).decode()
    assert city.servings[0].number in sheet and "桂兰" not in sheet


def test_both_servings_stand_side_by_side_and_one_person_decides(as_, city):
    address = reverse("bureau:serving", args=[city.servings[0].pk])
    body = as_("clerk").get(address).content.decode()
    assert city.redemptions[0].number in body and "Leave it with the operator" in body
    assert as_("auditor").get(address).content.decode().count('<form class="card') == 0
    assert as_("auditor").post(address, {"decision": "bear", "reason": "a reason"}).status_code == 422
    assert as_("clerk").post(address, {"decision": "bear", "reason": ""}).status_code == 422
    assert as_("clerk").post(address, {"reason": "a reason"}).status_code == 422
    assert Serving.objects.get().decision == ""
    paying = as_("clerk").post(address, {"decision": "pay", "reason": "a reason"})
    assert (
        paying.status_code == 422 and Serving.objects.get().decision == ""
    )  # nothing is left on the vouchers
    assert as_("clerk").post(address, {"decision": "bear", "reason": "窗口没有核对"}).status_code == 302
    assert Serving.objects.get().decision == "borne"
    assert "窗口没有核对" in as_("clerk").get(address).content.decode()
    assert as_("clerk").post(address, {"decision": "bear", "reason": "again, please"}).status_code == 422


def test_what_a_tablet_signed_and_what_is_missing_in_between(as_, city):
    serving = city.servings[0]
    listed, page = reverse("bureau:servings"), reverse("bureau:serving", args=[serving.pk])
    assert "h-gaps" not in as_("clerk").get(listed).content.decode()
    assert "Signature" not in as_("clerk").get(page).content.decode()
    now = timezone.now()
    terminal = Terminal.objects.create(
        premises=serving.premises, name="二号", token_digest=b"2", enrolled_at=now, enrolled_by="x"
    )
    key = TerminalKey.objects.create(
        terminal=terminal, algorithm="Ed25519", public=b"2" * 32, registered_at=now
    )
    SignedRecord.objects.create(
        signer=key, key="k7", verdict="good", number=7, previous="a" * 64, text="-", digest="b" * 64,
        value=b"-", serving=serving, recorded_at=now,
    )  # fmt: skip
    body = as_("clerk").get(listed).content.decode()
    assert "二号: before record 7" in body
    body = as_("clerk").get(page).content.decode()
    assert "signed by the tablet" in body and "record 7 of this tablet" in body
    clerk = city.people["clerk"]
    clerk.division = city.people["otherstreet"].division
    clerk.save()
    assert "h-gaps" not in as_("clerk").get(listed).content.decode()


def test_another_divisions_case_is_not_there(as_, city):
    clerk = city.people["clerk"]
    clerk.division = city.people["otherstreet"].division
    clerk.save()
    assert as_("clerk").get(reverse("bureau:serving", args=[city.servings[0].pk])).status_code == 404
    assert as_("clerk").get(reverse("bureau:servings")).context["listing"].total == 0
