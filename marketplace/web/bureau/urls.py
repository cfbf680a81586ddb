from django.urls import path

from marketplace.web.bureau import audit, overview, receipts, reviews, views

app_name = "bureau"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("months/", views.months, name="months"),
    path("months/<month:month>/", views.month, name="month"),
    path("months/<month:month>/compare/", views.compare, name="compare"),
    path("receipts/", receipts.receipts, name="receipts"),
    path("receipts/<int:number>/", receipts.receipt, name="receipt"),
    path("arrears/", receipts.owed, name="arrears"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<redemption:number>/", reviews.review, name="review"),
    path("audit/", audit.records, name="audit"),
]
