"""The admin is for looking: nothing that any package registers can be changed there."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import RequestFactory
from django.urls import reverse

from marketplace.accounts.models import User
from marketplace.web.admin_site import LookingSite


@pytest.fixture
def chief(db) -> User:
    return User.objects.create_superuser("chief", "correct horse battery")


def test_nothing_registered_can_be_changed(chief):
    request = RequestFactory().get("/")
    request.user = chief
    assert len(admin.site._registry) > 3
    for model, looking in admin.site._registry.items():
        rights = looking.get_model_perms(request)
        assert rights == {"add": False, "change": False, "delete": False, "view": True}, model
        assert looking.get_actions(request) == {}, model


def test_writing_is_refused_and_looking_works(client, chief):
    client.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 200
    assert client.get(reverse("admin:accounts_user_change", args=[chief.pk])).status_code == 200
    changed = client.post(reverse("admin:accounts_user_change", args=[chief.pk]), {"username": "other"})
    assert changed.status_code == 403
    for name in ("auth_group_add", "django_celery_beat_periodictask_add"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403


def test_without_the_looking_site_it_could_be_changed(chief):
    """Control: Django's own site gives a superuser everything."""
    request = RequestFactory().get("/")
    request.user = chief
    usual = admin.AdminSite()
    usual.register(Group)
    assert usual._registry[Group].get_model_perms(request)["change"] is True
    ours = LookingSite()
    ours.register(Group)
    assert ours._registry[Group].get_model_perms(request)["change"] is False
