from django.urls import path

from marketplace.web.cards import views

urlpatterns = [path("cards/", views.cards, name="cards")]
