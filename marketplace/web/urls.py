"""Every page. Each view says who may open it (marketplace/web/access.py)."""

from django.urls import include, path

from marketplace.web import adaptation, converters
from marketplace.web.family import share
from marketplace.web.registers import users
from marketplace.web.reports.seals import chain

converters.register()

urlpatterns = [
    path("", include("marketplace.web.public.urls")),
    path("", include("marketplace.web.work.urls")),
    path("", include("marketplace.web.papers.urls")),
    path("services/", include("marketplace.web.market.urls")),
    path("invitation/", users.invitation, name="invitation"),
    path("bureau/", include("marketplace.web.registers.urls")),
    path("bureau/", include("marketplace.web.bureau.urls")),
    path("reports/", include("marketplace.web.reports.urls")),
    path("chain/", chain, name="chain"),
    path("payments/", include("marketplace.web.payments.urls")),
    path("", include("marketplace.web.cards.urls")),
    path("happy/<str:code>/", share.happy, name="happy"),
    path("my/", include("marketplace.web.family.urls")),
    path("my/", include("marketplace.web.family.people_urls")),
    path("office/", include("marketplace.web.provider.urls")),
    path("adaptation/<int:number>/photos/<int:photo>/", adaptation.photo, name="adaptation_photo"),
    path("counter/", include("marketplace.web.counter.urls")),
    path("visits/", include("marketplace.web.visits.urls")),
    path("hotline/", include("marketplace.web.hotline.urls")),
    path("", include("marketplace.web.trace.urls")),
]
