"""A home is accepted at the place: photos before and after are seen, each item is ticked, the family sees the warranty.

By keyboard on the officer's side; the family's pages meet axe and hold at 390 px and with text twice as large.
"""

from django.urls import reverse
from playwright.sync_api import expect

from tests.journeys.test_every_page import troubles
from vouchers.models import Project


def test_the_street_officer_accepts_and_the_family_sees_it(site, visit):
    waits, planned = site.city.projects
    officer = visit("street", language="en", width=390).new_page()
    officer.goto(reverse("bureau:adaptation"))
    officer.get_by_role("link", name=waits.number).click()
    photos = officer.locator(".photos img")
    expect(photos).to_have_count(2)
    for one in photos.all():
        one.scroll_into_view_if_needed()
        expect(one).to_have_js_property("complete", True)
        assert one.evaluate("image => image.naturalWidth") == 640  # nothing keeps it from being shown
    officer.get_by_role("button", name="Sign what I saw").click()
    expect(officer.get_by_role("alert")).to_contain_text("Say what is missing")
    tick = officer.get_by_label("Handrail at toilet or bath")
    tick.focus()
    officer.keyboard.press("Space")
    expect(tick).to_be_checked()
    officer.get_by_label("What is missing or wrong").fill("装得牢，老人试过")
    officer.get_by_role("button", name="Sign what I saw").click()
    expect(officer.get_by_text("Accepted. The vouchers are redeemed.")).to_be_visible()
    assert Project.objects.get(pk=waits.pk).accepted_by == "street"

    elder = visit("elder").new_page()
    elder.goto(reverse("family:adaptation"))
    expect(elder.get_by_text("已验收合格，质保至")).to_be_visible()
    assert troubles(elder, (390,)) == []
    daughter = visit("daughter").new_page()
    daughter.goto("/my/whom/")
    daughter.locator(f"button[value={planned.elder.code}]").click()
    daughter.goto(reverse("family:adaptation"))
    expect(daughter.get_by_role("button", name="同意，请施工")).to_be_visible()
    assert troubles(daughter, (390,)) == []
    daughter.get_by_role("button", name="取消改造").click()
    expect(daughter.get_by_text("项目已取消")).to_be_visible()
    daughter.get_by_role("link", name="重新申请").click()
    expect(daughter.get_by_label("家里哪里不方便？")).to_be_visible()
    assert troubles(daughter, (390,)) == []
    assert Project.objects.get(pk=planned.pk).state == "cancelled"
