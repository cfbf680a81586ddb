from django.urls import path

from marketplace.web.bureau.reviews import calls, cases, orders, rules

urlpatterns = [
    path("", cases.index, name="reviews"),
    path("release/", cases.release, name="reviews_release"),
    path("<int:number>/", cases.case, name="review"),
    path("<int:number>/decide/", cases.decide, name="review_decide"),
    path("orders/", orders.orders, name="orders_missing"),
    path("rules/", rules.index, name="rules"),
    path("rules/<slug:code>/", rules.rule, name="rule"),
    path("rules/<slug:code>/set/", rules.set_rule, name="rule_set"),
    path("rules/<slug:code>/run/", rules.run, name="rule_run"),
    path("rounds/", calls.rounds, name="rounds"),
    path("rounds/draw/", calls.draw, name="round_draw"),
    path("rounds/<int:number>/", calls.round_, name="round"),
    path("rounds/<int:number>/calls/", calls.round_calls, name="round_calls"),
    path("calls/", calls.index, name="calls"),
    path("calls/<int:number>/", calls.call, name="call"),
    path("calls/<int:number>/phone/", calls.phone, name="call_phone"),
    path("calls/<int:number>/result/", calls.result, name="call_result"),
]
