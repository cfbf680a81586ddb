from django.urls import path

from marketplace.web.family import adaptation, code, pin, record, share, text_size, wallet

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
    path("adaptation/", adaptation.home, name="adaptation"),
    path("adaptation/new/", adaptation.new, name="adaptation_new"),
    path("adaptation/plans/<int:plan>/", adaptation.say, name="adaptation_say"),
    path("adaptation/<int:number>/stop/", adaptation.stop, name="adaptation_stop"),
    path("adaptation/<int:number>/photos/<int:photo>/", adaptation.photo, name="adaptation_photo"),
    path("text-size/", text_size.text_size, name="text_size"),
]
