"""The bureau's way through a new bank and rent handed over, in Chinese; the officer's through an inspection."""

from playwright.sync_api import expect

from ledger.models import BankMapping
from providers.models import Finding, Handover

FILE = """湖城商业银行,,,,
交易日期,交易发生金额,账户余额,对方户名,摘要
20260810,60.00,160.00,样例颐养服务中心1,LS0000 房租
20260811,-12.50,147.50,样例银行,手续费
"""


def test_a_bank_is_mapped_rent_is_handed_over_and_a_place_inspected(site, visit):
    clerk = visit("clerk").new_page()
    clerk.goto("/bureau/receipts/")
    clerk.get_by_role("link", name="银行格式").click()
    file = {"name": "八月.csv", "mimeType": "text/csv", "buffer": FILE.encode("gb18030")}
    clerk.get_by_label("该银行的文件").set_input_files(file)
    clerk.get_by_label("标题所在行").fill("2")
    clerk.get_by_role("button", name="查看文件").click()
    expect(clerk.get_by_label("带正负号的金额")).to_have_value("交易发生金额")  # guessed
    clerk.get_by_role("button", name="预览读入结果").click()
    expect(clerk.locator("#errors")).to_be_focused()  # which bank, which account
    clerk.get_by_label("银行", exact=True).fill("湖城商业银行")
    clerk.get_by_label("账号", exact=True).fill("98000077")
    clerk.get_by_role("button", name="预览读入结果").click()
    expect(clerk.locator("main")).to_contain_text("−12.50")
    clerk.get_by_role("button", name="保存格式").click()
    expect(clerk.get_by_role("status").first).to_contain_text("湖城商业银行 98000077")
    assert BankMapping.objects.get().header_line == 2

    # One transfer of 12 yuan pays a list whole and of a sum handed over a part: how much is asked once it is needed.
    payer = visit("clerk", scripts=False).new_page()
    payer.goto(site.pages["receipt:out"])
    payer.get_by_label("编号、收款方或金额").fill("BF-")
    payer.get_by_role("button", name="查找").click()
    payer.get_by_role("checkbox").check()
    payer.get_by_label("编号、收款方或金额").fill("JK-")
    payer.get_by_role("button", name="查找").click()
    expect(payer.get_by_role("checkbox", checked=True)).to_have_count(1)  # what was ticked stays
    payer.get_by_role("checkbox", checked=False).check()
    payer.get_by_role("button", name="认领").click()
    expect(payer.get_by_role("alert")).to_contain_text("各部分合计不等于这笔流水")
    payer.get_by_label("其中支付（元） JK-OW0001-202607").fill("3")
    payer.get_by_role("button", name="认领").click()
    expect(payer.get_by_role("status").first).to_contain_text("已对应")
    expect(payer.locator("main")).to_contain_text("（共 5 元）")
    assert Handover.objects.get(number="JK-OW0001-202607").left == 2

    approver = visit("approver", scripts=False).new_page()  # all of it works without scripts
    approver.goto("/payments/handed-over/")
    approver.get_by_role("button", name="批准 JK-OW0001-202608").click()
    expect(approver.get_by_role("alert")).to_contain_text("请填写缴款书上的编号")
    approver.get_by_label("缴款书号").fill("样例 8")
    approver.get_by_role("button", name="批准 JK-OW0001-202608").click()
    expect(approver.get_by_role("status").first).to_contain_text("已办理：JK-OW0001-202608")
    assert Handover.objects.get(number="JK-OW0001-202608").state == "approved"

    street = visit("street", width=390).new_page()
    street.goto("/reports/inspections/?month=2026-08")
    street.get_by_role("link", name="复查").first.click()
    street.get_by_label("复查日期").fill("2026-08-20")
    street.get_by_role("button", name="已整改").click()
    expect(street.get_by_role("status").first).to_contain_text("已登记")
    assert str(Finding.objects.get().mended_on) == "2026-08-20"
