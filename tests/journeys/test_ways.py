"""Whole ways through the pages: a figure down to the meal and up again, a filter, a wrong form, a name."""

import re
from decimal import Decimal

from playwright.sync_api import expect


def _amount(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.\N{MINUS SIGN}-]", "", text).replace("\N{MINUS SIGN}", "-"))


def test_from_the_month_to_the_meal_and_back(site, visit):
    """The clerk asks what 2026-08 of LS0001 is made of, and ends at the entry of one lunch."""
    page = visit("clerk").new_page()
    page.goto("/")
    page.click("main a[href='/bureau/months/']")
    page.click("main tbody a >> text=2026年8月")
    page.wait_for_load_state()  # what is read at once is read of the whole page
    row = page.locator("tr", has_text="LS0001")
    cells = [_amount(text) for text in row.locator("td.n").all_inner_texts() if text]
    assert cells  # what follows reads them by name
    read = {
        name: _amount(row.locator(f"td[data-name='{name}']").inner_text().split("\n")[0])
        for name in (
            "上月结转",
            "+ 本月形成".replace("+", "＋"),
            "＝ 可抵扣",
            "抵扣上限",
            "应收租金",
            "− 抵扣租金",
            "＝ 待缴现金",
            "结转下月",
        )
    }
    carry_in, earned, available, cap, charge, offset, cash, carry_out = read.values()
    assert carry_in + earned == available
    assert offset == min(available, cap)
    assert available - offset == carry_out
    assert charge - offset == cash

    row.locator("td[data-name='＋ 本月形成'] a").first.click()
    expect(page.locator(".block.good")).to_contain_text("与对账单一致")
    page.locator("tbody a").first.click()
    expect(page.locator("h1 .num")).to_have_text(re.compile(r"^RD-\d{9}$"))
    number = page.locator("h1 .num").inner_text()
    page.locator(".trail a", has_text="PG").first.click()
    expect(page.locator("main")).to_contain_text("最后一行就是券里现在的余额")
    page.locator("tbody a", has_text=number).click()
    page.locator(".trail a", has_text="分录").click()
    expect(page.locator("pre.books")).to_contain_text("VCY")
    page.locator("main a", has_text=number).first.click()
    expect(page.locator("h1")).to_contain_text(number)


def test_filtering_says_how_much_is_left_and_keeps_the_address(site, visit):
    page = visit("clerk").new_page()
    page.goto(site.pages["bureau:month"])
    expect(page.locator("canvas").first).to_be_visible()  # the chart is drawn
    page.fill("#q", "礼堂")
    expect(page.locator("#said")).to_have_text("显示 1 份租约")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q="))
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.fill("#q", "没有这样的")
    expect(page.locator("#list")).to_contain_text("没有符合条件的租约")
    page.click("#list a.btn")
    expect(page.locator("tbody tr")).to_have_count(8)


def test_without_scripts_the_month_can_be_filtered_sorted_and_downloaded(site, visit):
    page = visit("clerk", scripts=False).new_page()
    page.goto(site.pages["bureau:month"])
    page.select_option("#state", "draft")
    page.click("form.filters button")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.click("thead a.sort >> nth=0")
    expect(page).to_have_url(re.compile("(?=.*sort=-lease)(?=.*state=draft)"))
    with page.expect_download() as download:
        page.click("a[download] >> text=XLSX")
    assert download.value.suggested_filename == "statements-2026-08.xlsx"
    expect(page.locator("canvas")).to_have_count(0)


def test_what_blocks_the_month_leads_to_it(site, visit):
    page = visit("clerk", language="en").new_page()
    page.goto(site.pages["bureau:month"])
    page.click("text=1 redemption is held for review")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.click("tbody a.pill")
    expect(page.locator("h1")).to_contain_text("Held for review")
    page.locator("tbody a").first.click()
    expect(page.locator(".head")).to_contain_text("Held for review")


def test_a_wrong_form_moves_the_focus_and_keeps_what_was_typed(site, visit):
    page = visit("", language="en").new_page()
    page.goto(site.pages["statement"])
    expect(page).to_have_url(re.compile(r"/sign-in/\?next="))
    page.fill("#id_username", "clerk")
    page.click("main button")
    expect(page.locator("#errors")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error"))
    page.click("#errors a")
    expect(page.locator("#id_password")).to_be_focused()
    expect(page.locator("#id_username")).to_have_value("clerk")
    page.fill("#id_password", "correct horse battery")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("LS0000")


def test_the_language_changes_where_one_is(site, visit):
    page = visit("clerk", language="zh-hans").new_page()
    page.goto(f"{site.pages['bureau:month']}?state=draft")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.click("text=English")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url(re.compile(r"\?state=draft$"))
    expect(page.locator("h1")).to_contain_text("August 2026")


def test_a_name_is_shown_once_after_saying_why(site, visit):
    page = visit("street", language="en").new_page()
    page.goto(site.pages["redemption"])
    assert "桂兰" not in page.content()
    page.click("main summary")
    page.click("main details button")
    expect(page.locator("#errors")).to_be_focused()
    page.fill("#id_reason", "checking with the family")
    page.click("main details button")
    expect(page.locator("[data-focus]")).to_contain_text("李桂兰")
    page.goto(site.pages["redemption"])
    assert "桂兰" not in page.content()


def test_a_manager_walks_own_statements_and_meets_no_one_elses(site, visit):
    page = visit("manager", language="en", width=390).new_page()
    page.goto("/")
    page.click("main a[href='/statements/']")
    page.wait_for_load_state()
    shown = page.locator("tbody th a b").all_inner_texts()
    assert shown and set(shown) == {"LS0000", "LS0003", "LS0006"}
    page.locator("tbody th a").first.click()
    expect(page.locator("h1")).to_contain_text("August 2026")
    response = page.goto("/statements/LS0001/2026-08/")
    assert response and response.status == 404
    expect(page.locator("h1")).to_have_text("There is no such page")
