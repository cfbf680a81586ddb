from django.urls import path

from marketplace.web.provider import papers, served, terminals, today

app_name = "office"
urlpatterns = [
    path("", today.today, name="today"),
    path("earned/<code:lease>/", served.earned, name="earned"),
    path("served/", served.served, name="served"),
    path("papers/", papers.papers, name="papers"),
    path("tablets/", terminals.terminals, name="terminals"),
]
