from django.urls import path

from marketplace.web.payments import money, payouts

app_name = "payments"
urlpatterns = [
    path("", payouts.index, name="payouts"),
    path("<payout:number>/", payouts.payout, name="payout"),
    path("<payout:number>/file.pdf", payouts.pdf, name="payout_pdf"),
    path("transfer/<month:month>/", payouts.transfer, name="transfer"),
    path("refunds/", money.refunds, name="refunds"),
    path("fund/", money.fund, name="fund"),
    path("handed-over/", money.handovers, name="handovers"),
    path("handed-over/<paper:number>/", money.handover, name="handover"),
    path("handed-over/<paper:number>/file.pdf", money.handover_pdf, name="handover_pdf"),
]
