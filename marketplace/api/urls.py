from django.urls import path

from marketplace.api.api import api
from marketplace.api.docs import docs

urlpatterns = [
    path("docs", docs, name="api_docs"),
    path("", api.urls),
]
