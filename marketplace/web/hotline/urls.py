from django.urls import path

from marketplace.web.hotline import views, visits

app_name = "hotline"
urlpatterns = [
    path("", views.search, name="search"),
    path("elders/<str:code>/", views.elder, name="elder"),
    path("elders/<str:code>/call/", views.start, name="start"),
    path("elders/<str:code>/paper/", views.paper, name="paper"),
    path("visits/", visits.visits, name="visits"),
    path("visits/<int:work>/", visits.visit, name="visit"),
    path("visits/<int:work>/phone/", visits.phone, name="visit_phone"),
    path("call/", views.call, name="call"),
    path("call/number/", views.number, name="number"),
    path("call/back/", views.rang_back, name="rang_back"),
    path("call/end/", views.end, name="end"),
]
