from django.urls import path

from marketplace.web.family import ask, data, own, people, whom

app_name = "people"
urlpatterns = [
    path("whom/", whom.whom, name="whom"),
    path("start/", own.start, name="start"),
    path("own/", own.id_number, name="own"),
    path("own/phone/", own.phone, name="own_phone"),
    path("own/code/", own.code, name="own_code"),
    path("own/paper/", own.paper, name="own_paper"),
    path("own/consent/", own.consent, name="consent"),
    path("own/done/", own.claimed, name="claimed"),
    path("ask/", ask.elder, name="ask"),
    path("ask/me/", ask.me, name="ask_me"),
    path("ask/what/", ask.terms, name="ask_terms"),
    path("ask/code/", ask.code, name="ask_code"),
    path("ask/pin/", ask.by_pin, name="ask_pin"),
    path("ask/done/", ask.agreed, name="agreed"),
    path("people/", people.people, name="people"),
    path("people/<int:number>/answer/", people.answer, name="answer"),
    path("people/<int:number>/end/", people.end, name="end"),
    path("people/<int:number>/leave/", people.leave, name="leave"),
    path("told/", people.told, name="told"),
    path("privacy/", people.privacy, name="privacy"),
    path("privacy/copy/", data.copy, name="copy"),
    path("privacy/erase/", data.erase, name="erase"),
    path("privacy/withdraw/", people.withdraw, name="withdraw"),
]
