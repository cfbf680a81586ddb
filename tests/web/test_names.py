"""Names are masked; revealing one is a click that is recorded (experience.md check 15)."""

from django.urls import reverse

from ledger.models import Record
from tests.web.addresses import all_pages

REASON = "电话核实这笔核销"


def test_no_page_shows_a_name(as_, city):
    full = [r.elder.name for r in city.redemptions[:4]]
    shown = 0
    for person in ("clerk", "street", "manager"):
        client = as_(person)
        for name, url in all_pages(city).items():
            text = client.get(url).content.decode()
            assert not any(elder in text for elder in full), (person, name)
            shown += "李*" in text
    assert shown  # control: masked names are there


def test_no_file_shows_a_name(as_, city):
    for url in (reverse("lines", args=[city.leases[0].code, city.month, "earned"]),):
        text = b"".join(as_("clerk").get(url, {"format": "csv"}).streaming_content).decode()
        assert "李*" in text and "李桂兰" not in text


def test_revealing_is_recorded_and_shows_the_name_once(as_, city):
    redemption = city.redemptions[0]
    client = as_("clerk", "zh-hans")
    page = client.post(reverse("reveal", args=[redemption.number]), {"reason": REASON})
    assert page.content.decode().count(redemption.elder.name) == 1
    assert page["Cache-Control"] == "private, no-store"
    record = Record.objects.get(action="reveal_name")
    assert (record.by, record.subject, record.channel) == ("clerk", redemption.elder.code, "web")
    assert record.detail == {"redemption": redemption.number, "reason": REASON}
    assert redemption.elder.name not in str(record.detail)
    again = client.get(reverse("redemption", args=[redemption.number]))
    assert redemption.elder.name not in again.content.decode()


def test_without_a_reason_nothing_is_shown_or_recorded(as_, city):
    redemption = city.redemptions[0]
    for reason in ("", "x", "   "):
        page = as_("clerk").post(reverse("reveal", args=[redemption.number]), {"reason": reason})
        assert page.status_code == 422
        text = page.content.decode()
        assert redemption.elder.name not in text
        assert 'href="#id_reason"' in text and 'aria-invalid="true"' in text
    assert not Record.objects.filter(action="reveal_name").exists()


def test_an_operators_manager_is_not_offered_the_name(as_, city):
    text = as_("manager").get(reverse("redemption", args=[city.redemptions[0].number])).content.decode()
    assert reverse("reveal", args=[city.redemptions[0].number]) not in text
