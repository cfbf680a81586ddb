"""The person's fields go, the money stays."""

from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.urls import reverse
from django.utils import translation

from ledger.books.export import export
from ledger.models import Entry, Record
from marketplace.accounts.models import User
from marketplace.messages.models import Message
from marketplace.models import Erasure, WorkOrder
from marketplace.privacy import erasing
from marketplace.privacy.erasing import CannotErase, ask, erase
from tests import story
from tests.privacy.ground import DAUGHTER, LI_PHONE, NAME, Lives, code_sent, now, signed_in
from tests.shop.ground import HOME
from tests.threads import at_once
from vouchers.codes.operations import identify
from vouchers.codes.refusals import CannotIdentify
from vouchers.elders.sealing import lookup
from vouchers.elders.search import find
from vouchers.models import (
    Delegation,
    Elder,
    ElderCode,
    NameKey,
    Photo,
    Redemption,
    VisitReport,
    Voucher,
)
from vouchers.proof.queries import prove
from vouchers.redemption.refusals import CannotRedeem


def refusal(call) -> str:
    with pytest.raises(CannotErase) as refused:
        call()
    assert str(refused.value) != refused.value.code
    return refused.value.code


def books(into: Path) -> dict[str, bytes]:
    export(into)
    return {str(path.relative_to(into)): path.read_bytes() for path in sorted(into.rglob("*.beancount"))}


def tables_with(text: str) -> set[str]:
    """Where a text stands in the whole database."""
    found = set()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if not model._meta.managed:
                continue
            columns = [
                field.column
                for field in model._meta.concrete_fields
                if isinstance(field, models.CharField | models.TextField | models.JSONField)
            ]
            for column in columns:
                cursor.execute(
                    f'SELECT EXISTS (SELECT FROM "{model._meta.db_table}" WHERE "{column}"::text LIKE %s)',
                    [f"%{text}%"],
                )
                if cursor.fetchone()[0]:
                    found.add(f"{model._meta.db_table}.{column}")
    return found


def opened(model: type, method: str) -> str:
    """What stands sealed, once opened."""
    words = []
    for row in model.objects.all():
        with suppress(ValueError, TypeError):
            words.append(str(getattr(row, method)()))
    return "\n".join(words)


def test_the_way_of_an_erasure(fresh_db, tmp_path):
    lives = Lives()
    li, page = Elder.objects.get(code="LI"), reverse("people:erase")
    number, phone = li.id_number(), li.phone()
    home, told = signed_in(lives.own), signed_in(lives.own)

    # Asked by herself, after a code. What is open is said first; an approver cannot go past it.
    with patch("django.utils.timezone.now", lambda: story.moment("2026-01-20 10:00")):
        shown = home.get(page).content.decode()
    assert "waits for its month to be locked" in shown and "are left" in shown
    home.post(page, {"send": "1"})
    home.post(page, {"code": code_sent()})
    asked = Erasure.objects.get()
    assert (asked.elder, asked.asked_by, asked.at_desk, asked.state) == (li, lives.own, False, "asked")
    assert refusal(lambda: ask(elder=li, by=lives.own, at=now())) == "asked"
    desk = reverse("bureau:erasure", args=[asked.pk])
    approver = signed_in(lives.approver)
    assert approver.post(desk, {"decision": "erase"}).status_code == 422
    assert refusal(lambda: erase(erasure=asked, by=lives.approver, at=now())) == "open_month"
    assert refusal(lambda: erase(erasure=asked, by=lives.clerk, at=now())) == "wrong_role"

    # She thinks better of it, and then a clerk notes it at the desk; whoever asks does not decide.
    home.post(page, {"withdraw": "1"})
    assert Erasure.objects.get().state == "withdrawn"
    register = reverse("registers:elder", args=["LI"])
    clerk = signed_in(lives.clerk)
    assert clerk.post(register, {"do": "erase", "erase_why": ""}).status_code == 422
    clerk.post(register, {"do": "erase", "erase_why": "本人到社区提出，已核对证件"})
    asked = Erasure.objects.get(state="asked")
    assert asked.at_desk and asked.asked_by == lives.clerk
    desk = reverse("bureau:erasure", args=[asked.pk])
    promoted = User.objects.get(pk=lives.clerk.pk)
    promoted.role = "bureau_approver"
    promoted.save()
    assert refusal(lambda: erase(erasure=asked, by=promoted, at=now())) == "same_person"
    User.objects.filter(pk=promoted.pk).update(role="bureau_clerk")

    lives.settle()
    hold = story.place("dinner", "LI", "SV01", "PR01", "2026-02-05", "2026-02-04 09:00")
    assert refusal(lambda: erase(erasure=asked, by=lives.approver, at=now())) == "open_order"
    story.cancel(hold.key, "2026-02-04 10:00")

    # Killed half-way, nothing has happened.
    before = books(tmp_path / "before"), list(Entry.objects.values_list("id", "key"))
    left = list(Voucher.objects.filter(elder=li).order_by("id").values_list("id", "remaining", "held"))
    with patch.object(erasing, "_erase_account", side_effect=RuntimeError), pytest.raises(RuntimeError):
        erase(erasure=asked, by=lives.approver, at=now())
    li.refresh_from_db()
    assert (li.name, li.erased_at, ElderCode.objects.filter(elder=li).count()) == (NAME, None, 1)
    asked.refresh_from_db()

    # Decided on the page: the person goes.
    assert NAME in opened(Message, "facts") and HOME in opened(WorkOrder, "address")
    assert approver.post(desk, {"decision": "erase"}).status_code == 302
    li.refresh_from_db()
    assert li.erased_at and str(li) == "LI" and (li.name, li.id_number(), li.phone()) == ("", "", "")
    for text in (NAME, number, phone, HOME, LI_PHONE):
        assert tables_with(text) == set(), text
    for model, method in ((Message, "facts"), (WorkOrder, "address"), (Delegation, "name")):
        assert not {NAME, HOME, DAUGHTER} & set(opened(model, method).split("\n")), model
    assert NAME not in opened(Message, "facts"), "nor in what the daughter was told"
    assert not Photo.objects.filter(visit_report__isnull=False).exclude(sealed=b"").exists()
    assert not VisitReport.objects.filter(latitude__isnull=False).exists()
    assert not ElderCode.objects.filter(elder=li).exists()
    assert not NameKey.objects.filter(name=NAME).exists() and NameKey.objects.filter(name="王大明").exists()
    own = User.objects.get(pk=lives.own.pk)
    assert (own.is_active, own.phone_lookup, own.username) == (False, None, f"erased-{own.pk}")
    told_of = Record.objects.get(action="erase_person")
    assert (told_of.by, told_of.subject, told_of.detail["asked_by"]) == ("approver", "LI", "clerk")

    # The money stays, byte for byte.
    after = books(tmp_path / "after"), list(Entry.objects.values_list("id", "key"))
    assert before == after and len(before[0]) > 3
    assert (
        list(Voucher.objects.filter(elder=li).order_by("id").values_list("id", "remaining", "held")) == left
    )
    assert [one.name for one in prove() if one.violations] == []

    # Nobody finds, signs in, serves, issues to or reveals her.
    assert told.get(page).status_code == 302 and clerk.get(register).status_code == 404
    assert not find("LI") and not find(NAME) and not find(phone[-4:])
    with pytest.raises(CannotIdentify):
        identify(credential={"code": "LI", "pin": "204951"}, terminal_key="t", at=now())
    with pytest.raises(CannotRedeem) as unknown:
        story.redeem("again", "LI", "SV01", "PR01", "2026-02-06 11:30")
    assert unknown.value.code == "unknown_reference"
    story.issue_on("2026-02-01")
    assert not Voucher.objects.filter(elder=li, valid_from="2026-02-01").exists()
    assert Voucher.objects.filter(elder__code="WANG", valid_from="2026-02-01").exists()  # control
    paid = Redemption.objects.get(elder=li)
    seen = clerk.get(reverse("redemption", args=[paid.number]))
    assert "erased" in seen.content.decode() and seen.context["form"] is None
    reveal = clerk.post(reverse("reveal", args=[paid.number]), {"reason": "why not look"})
    assert reveal.status_code == 404
    with translation.override("zh-hans"):
        assert li.masked_name == "已删除"
    assert refusal(lambda: erase(erasure=asked, by=lives.approver, at=now())) == "not_open"
    assert refusal(lambda: ask(elder=li, by=lives.approver, at=now())) == "erased"

    # The database holds it: an erased row takes nothing back, and no row is erased by half.
    for sql in (
        "UPDATE vouchers_elder SET name = '李' WHERE code = 'LI'",
        "UPDATE vouchers_elder SET erased_at = NULL WHERE code = 'LI'",
        "DELETE FROM vouchers_elder WHERE code = 'LI'",
        "UPDATE vouchers_elder SET erased_at = now() WHERE code = 'WANG'",
        "UPDATE vouchers_photo SET sealed = 'x'",
        "UPDATE vouchers_photo SET by = 'x'",
        "UPDATE vouchers_visitreport SET by = 'x', latitude = NULL, longitude = NULL",
        "UPDATE marketplace_erasure SET state = 'asked'",
        "UPDATE accounts_user SET phone_tail = '0000' WHERE erased_at IS NOT NULL",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)

    # Who comes back is a new person.
    new = Elder(
        code="LI2", name=NAME, birth_on="1944-02-03", division=li.division,
        id_number_sealed=b"x", id_number_lookup=lookup(number, field="id_number"),
    )  # fmt: skip
    new.save()
    with pytest.raises(IntegrityError), transaction.atomic():  # control: one person, one row
        Elder.objects.create(
            code="LI3", name=NAME, birth_on="1944-02-03", division=li.division,
            id_number_sealed=b"x", id_number_lookup=new.id_number_lookup,
        )  # fmt: skip


def test_an_account_without_an_elder(db):
    """The daughter: her name goes from what her mother reads, her mother's record stays."""
    lives = Lives()
    asked = ask(user=lives.daughter, by=lives.daughter, at=now())
    assert refusal(lambda: ask(user=lives.clerk, by=lives.clerk, at=now())) == "staff"
    erase(erasure=asked, by=lives.approver, at=now())
    lives.letter.refresh_from_db()
    assert (lives.letter.state, lives.letter.name()) == ("ended", "")
    assert DAUGHTER not in opened(Message, "facts")
    assert not User.objects.get(pk=lives.daughter.pk).is_active
    assert Elder.objects.get(code="LI").name == NAME and User.objects.get(pk=lives.own.pk).is_active
    declined = ask(user=lives.own, by=lives.own, at=now())
    assert (
        refusal(lambda: erasing.decline(erasure=declined, by=lives.approver, at=now(), why=" "))
        == "why_missing"
    )
    erasing.decline(erasure=declined, by=lives.approver, at=now(), why="还有未完成的订单")
    assert "还有未完成的订单" in Erasure.objects.get(pk=declined.pk).answer


def test_the_dead_too_and_both_records_of_one_person(db):
    lives = Lives()
    lives.settle()
    double = story.elder("LI9", NAME, "1944-02-03", lives.community)
    Elder.objects.filter(pk=double.pk).update(same_as=lives.li)
    story.dies("LI", "2026-01-20", at="2026-02-03 09:00")
    asked = ask(elder=double, by=lives.clerk, at=now(), reason="女儿来电", at_desk=True)
    assert asked.elder.code == "LI", "the record that counts"
    erase(erasure=asked, by=lives.approver, at=now())
    gone = Elder.objects.filter(code__in=["LI", "LI9"]).order_by("code")
    assert [(one.name, one.erased_at is None, one.died_on is None) for one in gone] == [
        ("", False, False)
    ] * 2
    assert tables_with(NAME) == set()


def test_at_once_with_a_redemption_and_with_itself(fresh_db):
    """Either the meal was first, and the person stays; or the erasure was, and the meal is refused. Never both."""
    lives = Lives()
    lives.settle()
    for turn, code in enumerate(["LI", "WANG"]):
        elder = Elder.objects.get(code=code)
        asked = ask(elder=elder, by=lives.clerk, at=now(), reason="本人提出", at_desk=True)
        again = lambda asked=asked: erase(erasure=asked, by=lives.approver, at=now())  # noqa: E731
        eat = lambda code=code: story.redeem(f"eat {code}", code, "SV01", "PR01", "2026-02-06 11:30")  # noqa: E731
        calls = [again, eat, again] if turn else [eat, again, again]
        story.issue_on("2026-02-01") if not turn else None
        answers = at_once(calls)
        elder.refresh_from_db()
        ate = Redemption.objects.filter(elder=elder, key=f"eat {code}").exists()
        assert ate != (elder.erased_at is not None), answers
        done = [one for one in answers if isinstance(one, Erasure)]
        assert len(done) == (0 if ate else 1), answers
        allowed = (Erasure, CannotErase, CannotRedeem)
        assert all(isinstance(one, allowed) or hasattr(one, "split") for one in answers), answers
        assert Record.objects.filter(action="erase_person", subject=code).count() == len(done)
    assert [one.name for one in prove() if one.violations] == []
