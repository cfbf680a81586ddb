from django.urls import path

from marketplace.web.market import browse, check, choose, orders, standing

app_name = "market"
urlpatterns = [
    path("", browse.browse, name="browse"),
    path("check/", check.check, name="check"),
    path("check/<int:line>/", check.line, name="line"),
    path("where/<int:line>/", choose.where, name="where"),
    path("orders/", orders.orders, name="orders"),
    path("orders/<int:number>/", orders.order, name="order"),
    path("orders/<int:number>/again/", orders.again, name="again"),
    path("orders/<int:number>/<int:work>/cancel/", orders.cancel_work, name="cancel"),
    path("orders/<int:number>/<int:work>/time/", orders.change, name="change"),
    path("orders/<int:number>/<int:work>/days/", standing.days, name="days"),
    path("standing/<int:pk>/stop/", standing.stop_standing, name="stop"),
    path("pictures/<uuid:number>/", browse.picture, name="picture"),
    path("<str:premises>/<str:service>/", browse.service, name="service"),
    path("<str:premises>/<str:service>/when/", choose.when, name="when"),
]
