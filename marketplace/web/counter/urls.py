from django.urls import path

from marketplace.web.counter import views

urlpatterns = [
    path("", views.counter, name="counter"),
    path("sw.js", views.worker, name="counter_worker"),
    path("counter.webmanifest", views.manifest, name="counter_manifest"),
]
