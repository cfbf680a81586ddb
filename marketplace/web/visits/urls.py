from django.urls import path

from marketplace.web.visits import keeping, views

app_name = "visits"
urlpatterns = [
    path("", views.today, name="today"),
    path("<int:work>/", views.visit, name="visit"),
    path("<int:work>/report/", views.report, name="report"),
    path("photos/<uuid:number>/", views.photo, name="photo"),
    path("sw.js", keeping.worker, name="worker"),
    path("visits.webmanifest", keeping.manifest, name="manifest"),
]
