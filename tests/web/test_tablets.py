"""The office enrols its tablets and stops lost ones; another's are not there."""

import re

import pytest
from django.utils import timezone

from ledger.models import Record
from vouchers.models import Terminal
from vouchers.terminals.operations import add_terminal, enrol
from vouchers.terminals.queries import find_caller

HERE = "/office/tablets/"


@pytest.fixture
def tablet(city):
    """One of the manager's first place, with its token."""
    return add_terminal(premises=city.leases[0].premises, name="一号窗口", by="test", at=timezone.now())


def test_a_code_enrols_one_tablet(as_, city):
    page = as_("manager", "zh-hans").post(
        HERE, {"act": "code", "premises": city.leases[0].premises_id, "name": "一号窗口"}
    )
    code = re.search(r'class="enrol-code num">([A-Z2-9 ]+)<', page.content.decode())[1]
    enrolled = enrol(code=code, at=timezone.now())
    assert (enrolled.terminal.name, enrolled.terminal.premises) == ("一号窗口", city.leases[0].premises)
    assert "一号窗口" in as_("manager", "zh-hans").get(HERE).content.decode()
    assert code not in as_("manager", "zh-hans").get(HERE).content.decode()  # shown once
    assert Record.objects.get(action="give_enrolment_code").by == "manager"


def test_a_wrong_form_says_what_is_missing(as_, city):
    page = as_("manager", "zh-hans").post(HERE, {"act": "code", "name": ""}).content.decode()
    assert page.count("请选择场所") == 2 and page.count("请起个名字") == 2  # in the summary and at the field
    other = city.leases[1].premises_id  # of another operator
    page = as_("manager", "zh-hans").post(HERE, {"act": "code", "premises": other, "name": "x"})
    assert page.context["code"] is None and page.context["form"].errors


def test_a_lost_tablet_is_stopped_at_once(as_, tablet):
    assert find_caller(token=tablet.token)  # control
    page = as_("manager", "zh-hans").post(HERE, {"act": "stop", "terminal": tablet.terminal.pk})
    assert page.status_code == 200 and "一号窗口 已停用" in page.content.decode()
    assert find_caller(token=tablet.token) is None
    assert Terminal.objects.get().revoked_by == "manager"


def test_anothers_tablet_is_not_there(as_, city):
    theirs = add_terminal(premises=city.leases[1].premises, name="别人的", by="test", at=timezone.now())
    page = as_("manager", "zh-hans").get(HERE)
    assert "别人的" not in page.content.decode() and city.leases[1].premises.code not in page.content.decode()
    for number in (theirs.terminal.pk, "", "x", "9" * 30):
        assert as_("manager", "zh-hans").post(HERE, {"act": "stop", "terminal": number}).status_code == 404
    assert find_caller(token=theirs.token)
    assert "别人的" not in as_("stranger", "zh-hans").get(HERE).content.decode()
