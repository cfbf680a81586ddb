from django.urls import path

from marketplace.web.papers import views

urlpatterns = [
    path("statements/<code:lease>/<month:month>/papers/", views.hand_out, name="papers"),
    path("papers/<paper:number>/file.pdf", views.pdf, name="paper_pdf"),
    path("verify/", views.ask, name="verify_ask"),
    path("verify/<paper:number>/<slug:code>/", views.verify, name="verify"),
]
