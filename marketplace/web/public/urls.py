from django.urls import path

from marketplace.web.public import by_phone, second_factor, views, ways

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/phone/", by_phone.phone, name="sign_in_phone"),
    path("sign-in/code/", by_phone.code, name="sign_in_code"),
    path("sign-in/second/", second_factor.verify, name="sign_in_second"),
    path("sign-in/second/set-up/", second_factor.set_up, name="sign_in_set_up"),
    path("me/second/", ways.ways, name="second_ways"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("language/", views.language, name="set_language"),
    path("keys/", views.keys, name="keys"),
    path("design/", views.design, name="design"),
]
