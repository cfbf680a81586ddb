"""Django's admin, for looking only: whatever is registered by whichever package can be read, not changed."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


class LooksOnly:
    """Put before any ModelAdmin: no adding, changing, deleting, and no actions."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict:
        return {}


class LookingSite(admin.AdminSite):
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
