from django.urls import path

from marketplace.web.family import code, pin, record, share, text_size, wallet

app_name = "family"
urlpatterns = [
    path("", wallet.home, name="home"),
    path("wallet/", wallet.wallet, name="wallet"),
    path("spent/", wallet.spent, name="spent"),
    path("code/", code.code, name="code"),
    path("pin/", pin.pin, name="pin"),
    path("record/", record.record, name="record"),
    path("record/<int:year>/", record.record, name="record_of"),
    path("record/<int:year>/share/", share.share, name="share"),
    path("record/<int:year>/share/end/", share.end, name="end_share"),
    path("text-size/", text_size.text_size, name="text_size"),
]
