"""The admin is for administrators, for looking, and only at what keeps the machine running."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from ledger.audit.models import Record
from marketplace.accounts.models import Role, User
from marketplace.accounts.operations import CannotCreateUser, create_user
from marketplace.web.admin_site import SHOWN, LookingSite


@pytest.fixture
def chief(db) -> User:
    made, _ = create_user(
        username="chief",
        role=Role.ADMINISTRATOR,
        password="correct horse battery",
        by="test",
        at=timezone.now(),
    )
    return made


def test_nothing_registered_can_be_changed(chief):
    request = RequestFactory().get("/")
    request.user = chief
    assert len(admin.site._registry) > 3
    for model, looking in admin.site._registry.items():
        rights = looking.get_model_perms(request)
        seen = model._meta.app_label in SHOWN
        assert rights == {"add": False, "change": False, "delete": False, "view": seen}, model
        assert looking.get_actions(request) == {}, model


def test_writing_is_refused_and_looking_works(client, chief):
    client.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 200
    assert client.get(reverse("admin:accounts_user_change", args=[chief.pk])).status_code == 200
    changed = client.post(reverse("admin:accounts_user_change", args=[chief.pk]), {"username": "other"})
    assert changed.status_code == 403
    for name in ("accounts_user_add", "django_celery_beat_periodictask_add"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403


def test_an_administrator_looks_at_the_nightly_tasks_and_at_nobodys_address(client, chief):
    client.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("admin:marketplace_nightlyrun_changelist")).status_code == 200
    for name in ("order_shippingaddress", "address_useraddress", "communication_email"):
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 403, name


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_nobody_else_finds_a_door(client, chief, role):
    """Who was an administrator neither: the role is asked, not what the account was once. Control: the chief."""
    url = reverse("admin:index")
    client.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(url).status_code == 200
    User.objects.filter(pk=chief.pk).update(role=role)
    client.force_login(User.objects.get(pk=chief.pk), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(url).status_code == 302


def test_no_account_stands_above_its_role(chief):
    """Django's own command makes an administrator as every other, and the audit has it."""
    User.objects.create_superuser("first", "correct horse battery")
    first = User.objects.get(username="first")
    assert (first.role, first.is_staff, first.is_superuser) == (Role.ADMINISTRATOR, False, False)
    noted = Record.objects.get(action="create_user", subject=f"user:{first.pk}")
    assert noted.by == "command:createsuperuser"
    with pytest.raises(CannotCreateUser) as refused:
        User.objects.create_superuser("FIRST", "correct horse battery")
    assert refused.value.code == "name_taken"
    for flag in ("is_staff", "is_superuser"):
        with pytest.raises(IntegrityError, match="nobody_stands_above_roles"), transaction.atomic():
            User.objects.filter(pk=first.pk).update(**{flag: True})


def test_without_the_looking_site_it_could_be_changed(chief):
    """Control: Django's own site gives a superuser everything."""
    request = RequestFactory().get("/")
    chief.is_superuser = True  # not saved: the database would refuse it
    request.user = chief
    usual = admin.AdminSite()
    usual.register(Group)
    assert usual._registry[Group].get_model_perms(request)["change"] is True
    ours = LookingSite()
    ours.register(Group)
    assert ours._registry[Group].get_model_perms(request)["change"] is False
