from django.urls import path

from marketplace.web.bureau import views

app_name = "bureau"
urlpatterns = [
    path("months/", views.months, name="months"),
    path("months/<month:month>/", views.month, name="month"),
]
