from django.urls import path

from marketplace.web.public import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("language/", views.language, name="set_language"),
    path("design/", views.design, name="design"),
]
