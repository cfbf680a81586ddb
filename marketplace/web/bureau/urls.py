from django.urls import include, path

from marketplace.web.bureau import (
    adaptation,
    audit,
    balances,
    catalogue,
    layouts,
    overview,
    prices,
    receipts,
    reminders,
    servings,
    views,
)

app_name = "bureau"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("months/", views.months, name="months"),
    path("months/<month:month>/", views.month, name="month"),
    path("months/<month:month>/compare/", views.compare, name="compare"),
    path("receipts/", receipts.receipts, name="receipts"),
    path("receipts/<int:number>/", receipts.receipt, name="receipt"),
    path("balances/", balances.balances, name="balances"),
    path("bank-layouts/", layouts.layouts, name="layouts"),
    path("arrears/", receipts.owed, name="arrears"),
    path("arrears/reminders/", reminders.reminders, name="reminders"),
    path("arrears/reminders/<int:number>.pdf", reminders.run_pdf, name="reminders_pdf"),
    path("arrears/reminders/<str:number>/file.pdf", reminders.letter_pdf, name="reminder_pdf"),
    path("audit/", audit.records, name="audit"),
    path("catalogue/", catalogue.catalogue, name="catalogue"),
    path("catalogue/services/<code:service>/", catalogue.service, name="catalogue_service"),
    path("catalogue/houses/<code:premises>/", catalogue.house, name="catalogue_house"),
    path("adaptation/", adaptation.projects, name="adaptation"),
    path("adaptation/<int:number>/", adaptation.project, name="adaptation_project"),
    path("prices/", prices.prices, name="prices"),
    path("prices/<int:number>/", prices.price, name="price"),
    path("servings/", servings.servings, name="servings"),
    path("servings/<int:number>/", servings.serving, name="serving"),
    path("reviews/", include("marketplace.web.bureau.reviews.urls")),
]
