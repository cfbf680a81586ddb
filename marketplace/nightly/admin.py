"""Read-only: what ran when and what came of it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ledger.models import Outbox
from marketplace.nightly.models import NightlyRun


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(NightlyRun)
class NightlyRunAdmin(ReadOnly):
    list_display = ("task", "started_at", "ended_at", "outcome", "summary")
    list_filter = ("task", "outcome")


@admin.register(Outbox)
class OutboxAdmin(ReadOnly):
    list_display = ("key", "topic", "created_at", "due_at", "tries", "done_at", "last_error")
    list_filter = ("topic",)
