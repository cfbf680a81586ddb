from django.urls import path

from marketplace.web.provider import (
    adaptation,
    board,
    papers,
    prices,
    rent,
    running,
    served,
    terminals,
    today,
)
from marketplace.web.provider.supply import caregivers, offers, places

app_name = "office"
urlpatterns = [
    path("", today.today, name="today"),
    path("running/<code:lease>/<slug:figure>/", running.lines, name="running"),
    path("served/", served.served, name="served"),
    path("papers/", papers.papers, name="papers"),
    path("rent/", rent.rent, name="rent"),
    path("work/", board.board, name="work"),
    path("work/rounds/", board.rounds, name="rounds"),
    path("work/<int:work>/", board.order, name="order"),
    path("tablets/", terminals.terminals, name="terminals"),
    path("places/", places.places, name="places"),
    path("places/<code:premises>/", places.place, name="place"),
    path("places/<code:premises>/<code:service>/", offers.offer, name="offer"),
    path("caregivers/", caregivers.caregivers, name="caregivers"),
    path("caregivers/<code:caregiver>/", caregivers.caregiver, name="caregiver"),
    path("adaptation/", adaptation.projects, name="adaptation"),
    path("adaptation/<int:number>/", adaptation.project, name="adaptation_project"),
    path("prices/", prices.prices, name="prices"),
    path("prices/<int:number>/", prices.propose, name="propose"),
]
