"""The sentences, one for each kind of message. Plain words, one thought, and what can be done now.

A fact is a text, an amount in yuan (Decimal), a day (date) or a moment (datetime): `stored` makes JSON of
it, `text` writes it in the message's language. Facts name services, places and days, never ID numbers or
phones; what is secret is listed in SECRET and kept sealed.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from marketplace.templatetags.yiquan import day, moment, yuan

SENTENCES = {
    "order_taken": _(
        "Ordered: %(what)s, %(when)s, %(where)s. Vouchers set aside: %(amount)s. To change or cancel: sign in or call %(hotline)s."
    ),
    "order_changed": _("Your order is changed: %(what)s, %(when)s, %(where)s. Not right? Call %(hotline)s."),
    "order_cancelled": _("Cancelled: %(what)s, %(when)s. Your vouchers are free again."),
    "order_declined": _(
        "They cannot come: %(what)s, %(when)s. %(why)s Your vouchers are free again. To order elsewhere: sign in or call %(hotline)s."
    ),
    "visit_missed": _(
        "Did not take place: %(what)s, %(when)s. Your vouchers are free again. Not right? Call %(hotline)s."
    ),
    "standing_order_failed": _(
        "Your standing order could not be placed: %(what)s, %(when)s. %(why)s To order something else: sign in or call %(hotline)s."
    ),
    "spent": _(
        "Vouchers used: %(amount)s for %(what)s at %(where)s, %(when)s. Was it not you? Call %(hotline)s."
    ),
    "spent_by": _("%(who)s used vouchers: %(amount)s for %(what)s at %(where)s, %(when)s."),
    "expiring": _(
        "Vouchers worth %(amount)s can be used until %(until)s. To order: sign in or call %(hotline)s."
    ),
    "acted_for": _(
        "%(who)s has acted for you: %(what)s. You can end this at any time: sign in or call %(hotline)s."
    ),
    "delegate_asks": _(
        "%(who)s asks to act for you: %(scope)s. If you agree, tell %(who)s this code: %(code)s. If not, do nothing. Questions: %(hotline)s."
    ),
    "delegate_agreed": _("%(who)s agreed: you may act now (%(scope)s), until %(until)s."),
    "delegate_refused": _("%(who)s does not agree that you act for them."),
    "delegate_ended": _("You no longer act for %(who)s."),
    "delegate_may_act": _(
        "%(who)s may now act for you (%(scope)s), until %(until)s. You can end this at any time: sign in or call %(hotline)s."
    ),
    "record_claimed": _(
        "Your record is now open on the phone ending in %(tail)s. Was it not you? Call %(hotline)s."
    ),
    "record_code": _(
        "%(code)s is the code that opens your record on a phone. It is good for %(minutes)s minutes. Tell it to nobody you do not know."
    ),
    "sign_in_code": _(
        "%(code)s is your code to sign in. It is good for %(minutes)s minutes. Nobody of ours ever asks for it."
    ),
    "confirm_code": _(
        "%(code)s is the code for this: %(what)s. It is good for %(minutes)s minutes. You did not ask for it? Tell it to nobody and call %(hotline)s."
    ),
    "adaptation_planned": _(
        "The plan to make your home safer is ready: public money pays %(public)s, you pay %(self_pay)s. To say yes or no: sign in or call %(hotline)s."
    ),
    "adaptation_accepted": _(
        "The works at your home were looked at and accepted. Vouchers used: %(amount)s. Warranty until %(until)s. Something broken? Call %(hotline)s."
    ),
    "pin_set": _("A new PIN was set for your vouchers. Was it not you? Call %(hotline)s."),
    "hotline_called": _("You spoke with our hotline (%(hotline)s). What was done for you: %(what)s."),
}
SECRET = {
    "record_code": {"code"},
    "sign_in_code": {"code"},
    "delegate_asks": {"code"},
    "confirm_code": {"code"},
}
USELESS_AFTER_MINUTES = {
    "record_code": 10,
    "sign_in_code": 10,
    "confirm_code": 10,
    "order_taken": 720,
    "order_changed": 720,
}
HIDDEN = "••••••"

_PLACE = re.compile(r"%\((\w+)\)s")

Fact = str | Decimal | date | datetime


def wanted(kind: str) -> set[str]:
    """The facts that a message of this kind needs."""
    with translation.override("en"):
        return set(_PLACE.findall(str(SENTENCES[kind]))) - {"hotline"}


def stored(fact: Fact) -> Any:
    """A fact as JSON: a text as it is, others with their kind."""
    if isinstance(fact, Decimal):
        return ["yuan", str(fact)]
    if isinstance(fact, datetime):
        return ["moment", fact.isoformat()]
    if isinstance(fact, date):
        return ["day", fact.isoformat()]
    return str(fact)


def written(fact: Any) -> str:
    """A stored fact in the language that is active."""
    if isinstance(fact, str):
        return fact
    kind, value = fact
    if kind == "yuan":
        return yuan(Decimal(value))
    return day(date.fromisoformat(value)) if kind == "day" else moment(datetime.fromisoformat(value))


def in_words(facts: dict[str, Any], *, language: str) -> dict[str, str]:
    """Every fact as the message writes it, for gateways that keep the sentence themselves."""
    with translation.override(language):
        return {name: written(fact) for name, fact in facts.items()}


def text(
    kind: str, facts: dict[str, Any], *, language: str = "zh-hans", secret: dict[str, str] | None = None
) -> str:
    with translation.override(language):
        parts = {name: written(fact) for name, fact in facts.items()}
        parts |= dict.fromkeys(SECRET.get(kind, ()), HIDDEN) | (secret or {})
        return str(SENTENCES[kind]) % (parts | {"hotline": settings.HOTLINE})
