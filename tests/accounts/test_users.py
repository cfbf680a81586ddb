"""People's accounts: one name, one person; what a role holds."""

import io

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from ledger.audit.models import Record
from marketplace.accounts.models import Role, User
from marketplace.accounts.operations import CannotCreateUser, create_user
from providers.models import Division, Operator

PASSWORD = "Osmanthus-2026-tea"


@pytest.fixture
def city(db):
    city = Division.objects.create(code="4301", name="City", level="city")
    street = Division.objects.create(code="430102001", name="Street", level="street", parent=city)
    other = Division.objects.create(code="430102002", name="Other", level="street", parent=city)
    home = Division.objects.create(code="430102001001", name="Home", level="community", parent=street)
    return {"city": city, "street": street, "other": other, "home": home}


def make(username, role=Role.BUREAU_CLERK, **more):
    return create_user(username=username, role=role, by="test", at=timezone.now(), **more)


def test_a_new_person_signs_in_under_any_spelling_of_the_name(db, rf):
    user, made = make("Wang.Clerk", password=PASSWORD)
    assert made
    for spelling in ("Wang.Clerk", "wang.clerk", "WANG.CLERK", "ｗａｎｇ.ｃｌｅｒｋ"):
        assert authenticate(rf.post("/"), username=spelling, password=PASSWORD) == user
    assert authenticate(rf.post("/"), username="wang.clerk", password="wrong") is None


def test_the_same_again_changes_nothing_not_even_the_password(db):
    user, _ = make("clerk", password=PASSWORD)
    again, made = make("ＣＬＥＲＫ", password="Another-2026-word")
    assert (again, made) == (user, False)
    assert User.objects.get().check_password(PASSWORD)
    assert Record.objects.filter(action="create_user").count() == 1


def test_one_person_gets_no_second_account_with_another_role(db):
    make("clerk")
    with pytest.raises(CannotCreateUser) as refusal:
        make("Clerk", role=Role.BUREAU_APPROVER)
    assert refusal.value.code == "name_taken"
    assert User.objects.get().role == Role.BUREAU_CLERK


def test_control_the_database_too_refuses_a_second_spelling(db):
    make("clerk")
    with pytest.raises(IntegrityError), transaction.atomic():
        User(username="CLERK", password="!").save()


@pytest.mark.parametrize(
    ("role", "with_operator", "code"),
    [
        ("emperor", False, "role_unknown"),
        (Role.CASHIER, False, "operator_missing"),
        (Role.AUDITOR, True, "operator_unwanted"),
    ],
)
def test_roles_and_operators_belong_together(db, role, with_operator, code):
    operator = Operator.objects.create(code="OP01", name="Canteen") if with_operator else None
    with pytest.raises(CannotCreateUser) as refusal:
        make("somebody", role=role, operator=operator)
    assert refusal.value.code == code
    assert not User.objects.exists()


def test_a_weak_password_makes_nobody(db):
    with pytest.raises(CannotCreateUser) as refusal:
        make("clerk", password="12345678")
    assert refusal.value.code == "password_weak"
    assert not User.objects.exists()


def test_an_officer_holds_the_role_below_the_own_division_only(city):
    officer, _ = make("officer", role=Role.STREET_OFFICER, division=city["street"])
    assert officer.holds(Role.STREET_OFFICER, division=city["home"])
    assert officer.holds(Role.STREET_OFFICER, division=city["street"])
    assert not officer.holds(Role.STREET_OFFICER, division=city["other"])
    assert not officer.holds(Role.STREET_OFFICER, division=city["city"])
    assert not officer.holds(Role.BUREAU_APPROVER, division=city["home"])
    everywhere, _ = make("city.officer", role=Role.STREET_OFFICER)
    assert everywhere.holds(Role.STREET_OFFICER, division=city["other"])
    everywhere.is_active = False
    assert not everywhere.holds(Role.STREET_OFFICER, division=city["other"])


def test_a_manager_holds_the_role_for_the_own_operator_only(db):
    ours, theirs = (Operator.objects.create(code=code, name=code) for code in ("OP01", "OP02"))
    manager, _ = make("manager", role=Role.OPERATOR_MANAGER, operator=ours)
    assert manager.holds(Role.OPERATOR_MANAGER, operator=ours)
    assert not manager.holds(Role.OPERATOR_MANAGER, operator=theirs)


def test_the_command_makes_repeats_and_refuses(city, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    out = io.StringIO()
    asked = ["create_user", "officer", "--role", "street_officer", "--division", "430102001"]
    call_command(*asked, "--password-stdin", stdout=out)
    call_command(*asked, stdout=out)
    made, again = out.getvalue().splitlines()
    assert "street_officer" in made
    assert again.startswith("officer") and again != made
    officer = User.objects.get()
    assert officer.check_password(PASSWORD) and officer.division == city["street"]
    with pytest.raises(CommandError, match="999"):
        call_command("create_user", "x", "--role", "street_officer", "--division", "999")
    with pytest.raises(CommandError, match="officer"):
        call_command("create_user", "OFFICER", "--role", "auditor")


def test_two_at_once_make_one_person(fresh_db):
    from concurrent.futures import ThreadPoolExecutor

    def work(_):
        try:
            return make("clerk", password=PASSWORD)[1]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [False, False, False, True]
    assert User.objects.count() == 1
