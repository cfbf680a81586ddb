from django.urls import path

from marketplace.web.family import whom

app_name = "people"
urlpatterns = [
    path("whom/", whom.whom, name="whom"),
]
