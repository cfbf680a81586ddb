from django.urls import path

from marketplace.web.trace import (
    behind,
    entries,
    lines,
    objections,
    redemptions,
    reversals,
    statements,
    steps,
    vouchers,
)

urlpatterns = [
    path("statements/", statements.index, name="statements"),
    path("statements/<code:lease>/<month:month>/", statements.statement, name="statement"),
    path("waiting/", steps.many, name="steps"),
    path("statements/<code:lease>/<month:month>/step/", steps.step, name="step"),
    path("statements/<code:lease>/<month:month>/objections/", objections.objections, name="objections"),
    path("statements/<code:lease>/<month:month>/lines/<slug:figure>/", lines.lines, name="lines"),
    path("redemptions/", behind.redemptions, name="redemptions"),
    path("vouchers/", behind.vouchers, name="vouchers"),
    path("journal/", behind.journal, name="journal"),
    path("redemptions/<redemption:number>/", redemptions.redemption, name="redemption"),
    path("redemptions/<redemption:number>/name/", redemptions.reveal, name="reveal"),
    path("redemptions/<redemption:number>/reversal/", reversals.reversal, name="reversal"),
    path("vouchers/<serial:serial>/", vouchers.voucher, name="voucher"),
    path("issues/<int:number>/", vouchers.issue_run, name="issue_run"),
    path("entries/<int:number>/", entries.entry, name="entry"),
]
