"""Django's admin, for looking only, and only at what keeps the machine running: nothing there can be changed.

Who may look is a matter of role, as everywhere: an administrator. Of people's orders, addresses and messages, which
other packages register too, nobody sees anything there.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

SHOWN = frozenset({"accounts", "axes", "django_celery_beat", "ledger", "marketplace", "sites"})
"""The apps of which something is shown."""


class LooksOnly:
    """Put before any ModelAdmin: no adding, changing, deleting, and no actions; a look at what is SHOWN."""

    opts: Any

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.opts.app_label in SHOWN

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.opts.app_label in SHOWN

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict:
        return {}


class LookingSite(admin.AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        """Administrators, by the role of now; no flag on an account says otherwise."""
        from marketplace.accounts.models import Role  # it needs apps that are loaded

        return request.user.is_active and getattr(request.user, "role", "") == Role.ADMINISTRATOR

    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """There is one way in: our own sign-in, with all that it asks for."""
        from django.contrib.auth.views import redirect_to_login  # it needs apps that are loaded

        return redirect_to_login(request.GET.get("next") or reverse("admin:index", current_app=self.name))

    def register(
        self,
        model_or_iterable: Iterable[ModelBase] | ModelBase,
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        looking = type("Looking", (LooksOnly, admin_class or ModelAdmin), {})
        super().register(model_or_iterable, looking, **options)  # type: ignore[arg-type]


class LookingAdminConfig(AdminConfig):
    default_site = "marketplace.web.admin_site.LookingSite"
