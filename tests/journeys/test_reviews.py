"""A clerk's way through the review desk, in Chinese, without a mouse-only step; also without JavaScript."""

import pytest
from playwright.sync_api import expect

from vouchers.models import ReviewCase


@pytest.mark.parametrize("scripts", [True, False])
def test_a_clerk_looks_at_a_case_and_is_asked_why(site, visit, scripts):
    page = visit("clerk", scripts=scripts).new_page()
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="核查").click()
    page.get_by_role("link", name="同一服务重复 RD-").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("同一服务重复")
    expect(page.locator("main")).to_contain_text("4 分钟后又报了一次")
    page.get_by_role("button", name="暂缓计入").click()
    expect(page.get_by_role("alert")).to_contain_text("请用一句话说明理由")
    if scripts:
        expect(page.locator("#errors")).to_be_focused()
    page.get_by_label("为什么这样处理？").fill("请先问老人")
    page.get_by_role("button", name="驳回").click()
    expect(page.get_by_role("heading", name="确定冲正这笔核销？")).to_be_visible()
    page.get_by_role("link", name="返回，不作改动").click()
    expect(page.locator("h1")).to_contain_text("同一服务重复")


def test_a_clerk_holds_one_and_releases_all(site, visit):
    page = visit("clerk").new_page()
    page.goto(site.pages["review:marked"])
    page.get_by_label("为什么这样处理？").fill("请先问老人")
    page.get_by_role("button", name="暂缓计入").click()
    expect(page.get_by_role("status").first).to_contain_text("已列为待查")
    page.goto("/bureau/reviews/")
    page.get_by_role("link", name="勾选本页全部").click()
    page.get_by_label("统一说明理由").fill("电话核实，确有服务")
    page.get_by_role("button", name="放行").click()
    expect(page.get_by_role("status").first).to_contain_text("已放行 2 笔核销")
    assert not ReviewCase.objects.filter(decision="").exists()
