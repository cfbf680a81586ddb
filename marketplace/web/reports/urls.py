from django.urls import path

from marketplace.web.reports import books, fava, inspections, monthly, seals

app_name = "reports"
urlpatterns = [
    path("", monthly.index, name="index"),
    path("<month:month>/", monthly.report, name="report"),
    path("inspections/", inspections.inspections, name="inspections"),
    path("inspections/<int:number>/", inspections.inspection, name="inspection"),
    path("inspections/findings/<int:number>/", inspections.finding, name="finding"),
    path("books/", books.books, name="books"),
    path("books/<month:month>/", books.download, name="download"),
    path("books/<month:month>/fava/", fava.fava, name="fava"),
    path("books/<month:month>/fava/<path:rest>", fava.fava, name="fava_page"),
    path("seals/", seals.seals, name="seals"),
]
