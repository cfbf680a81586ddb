from django.urls import path

from marketplace.web.work import views

urlpatterns = [
    path("bureau/work/", views.hub, name="work"),
    path("bureau/work/<slug:kind>/", views.kind, name="work_kind"),
    path("jobs/<int:number>/", views.job, name="job"),
]
