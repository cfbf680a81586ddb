"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from marketplace.config import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/v1/", include("marketplace.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("marketplace.web.urls")),
]
