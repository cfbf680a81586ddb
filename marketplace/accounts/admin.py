"""The admin is for looking, not for changing."""

from django.contrib import admin

from marketplace.accounts.models import User


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    list_display = ["username", "role", "operator", "division", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    list_select_related = ["operator", "division"]
    search_fields = ["username"]
    exclude = ["password", "username_key", "groups", "user_permissions"]

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
