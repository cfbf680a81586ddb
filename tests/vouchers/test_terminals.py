"""Terminals, partners and the codes that enrol a tablet: tokens told once, gone at once, nobody guesses them."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from ledger.models import Record
from marketplace.management import base
from providers.models import Operator, Premises
from tests import story
from tests.story import moment
from tests.threads import at_once
from vouchers.models import EnrolmentCode, Partner, Terminal
from vouchers.terminals import operations, tokens
from vouchers.terminals.queries import find_caller

AT = moment("2026-01-05 11:00")


@pytest.fixture
def town(db):
    story.town()


def hall() -> Premises:
    return Premises.objects.get(code="PM01")


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_token_is_printed_once_and_kept_nowhere(town):
    token = printed("add_terminal", "PM01", "--name", "一号窗口").strip()
    assert tokens.kind_of(token) == tokens.TERMINAL
    terminal = Terminal.objects.get()
    assert (terminal.name, terminal.premises) == ("一号窗口", hall())
    kept = repr(list(Terminal.objects.values())) + repr(list(Record.objects.values()))
    assert token not in kept and token[3:] not in kept
    assert bytes(terminal.token_digest) == tokens.digest(token)
    known = find_caller(token=token)
    assert known and (known.caller.scope, known.caller.premises) == (terminal.scope, "PM01")


def test_each_call_makes_another_terminal(town):
    made = {printed("add_terminal", "PM01", "--name", "一号窗口") for _ in range(2)}
    assert len(made) == Terminal.objects.count() == 2


def test_premises_that_nobody_knows_get_no_terminal(town):
    with pytest.raises(base.Refused):
        printed("add_terminal", "PM99", "--name", "一号窗口")
    with pytest.raises(base.Refused):
        printed("add_terminal", "PM01", "--name", "  ")
    assert not Terminal.objects.exists()


def test_a_partner_serves_its_operators(town):
    token = printed("add_partner", "收银系统", "--operator", "OP01", "--operator", "OP02").strip()
    known = find_caller(token=token)
    assert known and known.caller.operators == {"OP01", "OP02"}
    assert not known.caller.may_tell_past
    past = printed("add_partner", "旧系统", "--operator", "OP01", "--may-tell-past").strip()
    assert find_caller(token=past).caller.may_tell_past
    with pytest.raises(base.Refused):
        printed("add_partner", "谁", "--operator", "OP99")
    assert Partner.objects.count() == 2


def test_revoked_is_gone_at_once_and_once(town):
    terminal, token = operations.add_terminal(premises=hall(), name="一号窗口", by="clerk", at=AT)
    assert find_caller(token=token)  # control: it was there
    assert printed("revoke_terminal").startswith(f"{terminal.scope} PM01")
    printed("revoke_terminal", terminal.scope)
    assert find_caller(token=token) is None
    terminal.refresh_from_db()
    first = terminal.revoked_at
    assert not operations.revoke(of=terminal, by="clerk", at=AT)
    terminal.refresh_from_db()
    assert terminal.revoked_at == first
    assert Record.objects.filter(action="revoke_terminal").count() == 1
    with pytest.raises(base.Refused):
        printed("revoke_terminal", "terminal:999999")


@pytest.mark.parametrize(
    "wrong", ["", "yt_", "yt_short", "yp_" + "A" * 43, "yt_" + "A" * 43, "\0" * 46, "é" * 46]
)
def test_what_is_no_token_finds_nobody(town, wrong):
    operations.add_terminal(premises=hall(), name="一号窗口", by="clerk", at=AT)
    assert find_caller(token=wrong) is None


def test_every_bit_of_a_token_matters(town):
    _terminal, token = operations.add_terminal(premises=hall(), name="一号窗口", by="clerk", at=AT)
    for place in range(len(token)):
        for bit in range(7):
            other = token[:place] + chr(ord(token[place]) ^ 1 << bit) + token[place + 1 :]
            assert find_caller(token=other) is None
    assert find_caller(token=token)


class TestEnrolling:
    def test_by_a_code_that_is_read_out(self, town):
        code = operations.give_code(premises=hall(), name="平板", by="manager-op01", at=AT)
        spoken = f"{code[:5].lower()} - {code[5:]}"
        terminal, token = operations.enrol(code=spoken, at=AT + timedelta(minutes=14))
        assert (terminal.premises, terminal.name, terminal.enrolled_by) == (hall(), "平板", "manager-op01")
        assert find_caller(token=token)
        assert code not in repr(list(EnrolmentCode.objects.values()))

    def test_once(self, town):
        code = operations.give_code(premises=hall(), name="平板", by="manager-op01", at=AT)
        operations.enrol(code=code, at=AT)
        assert refused(code) == "code_wrong"
        assert Terminal.objects.count() == 1

    def test_for_a_quarter_of_an_hour(self, town):
        code = operations.give_code(premises=hall(), name="平板", by="manager-op01", at=AT)
        assert refused(code, at=AT + timedelta(minutes=15)) == "code_wrong"
        operations.enrol(code=code, at=AT + timedelta(minutes=14, seconds=59))

    def test_not_by_another(self, town):
        code = operations.give_code(premises=hall(), name="平板", by="manager-op01", at=AT)
        assert refused(code[:-1]) == refused("") == refused("2" * 10) == "code_wrong"


def refused(code: str, at=AT) -> str:
    with pytest.raises(operations.CannotEnrol) as refusal:
        operations.enrol(code=code, at=at)
    return refusal.value.code


def test_twenty_tablets_with_one_code_are_one_terminal(fresh_db):
    story.town()
    code = operations.give_code(premises=hall(), name="平板", by="manager-op01", at=AT)
    answers = at_once([lambda: operations.enrol(code=code, at=AT)] * 20)
    assert sum(isinstance(answer, operations.Enrolled) for answer in answers) == 1
    assert sum(isinstance(answer, operations.CannotEnrol) for answer in answers) == 19
    assert Terminal.objects.count() == 1


def test_a_partner_without_operators_is_refused(town):
    with pytest.raises(operations.CannotEnrol):
        operations.add_partner(name="收银系统", operators=[], by="clerk", at=AT)
    assert Operator.objects.exists() and not Partner.objects.exists()
