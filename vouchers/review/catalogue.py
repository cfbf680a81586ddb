"""The rules by name: what each says and why, its parameters with their defaults, and whether it holds back.

Held by default is only what cannot be true as it stands; everything else is marked, counts, and waits for
somebody to look (docs/decisions/0007-rules-mark-before-they-hold.md).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vouchers.review import of_elders, of_leases
from vouchers.review.facts import Finding, Served
from vouchers.settlement.models import ReviewCase

Reason = ReviewCase.Reason
ELDER, LEASE = "elder", "lease"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A whole number between `least` and `most`; `default` holds until somebody sets another."""

    name: str
    default: int
    least: int
    most: int
    label: Promise


@dataclass(frozen=True, slots=True)
class Rule:
    """`of`: whether it sees the services of one elder or of one lease, in order of time. `said` is a sentence
    over the facts of a finding, `said_else` one over its other kind of facts; `month`: it needs the lease's whole month."""

    code: str
    of: str
    find: Callable[[Sequence[Served], Mapping[str, int]], Iterator[Finding]]
    why: Promise
    said: Promise
    parameters: tuple[Parameter, ...] = ()
    holds: bool = False
    month: bool = False
    said_else: Promise | None = None

    @property
    def label(self) -> str:
        return str(Reason(self.code).label)

    @property
    def defaults(self) -> dict[str, int]:
        return {one.name: one.default for one in self.parameters}

    def sentence(self, facts: Mapping[str, Any]) -> str:
        """What was found, in words; facts written by an earlier version of the rule may lack some."""
        words = {name: _word(value) for name, value in facts.items()}
        for said in (self.said, self.said_else):
            try:
                if said is not None:
                    return str(said) % words
            except KeyError:
                continue
        return self.label


_WORDS: dict[str, Promise] = {
    "staff": _("works there"),
    "relative": _("is a relative of one who works there"),
    "none": _("none"),
    "paper": _("paper"),
    "hotline": _("hotline"),
    "offline": _("without network"),
    "pin": _("PIN"),
    "qr": _("code scanned"),
}


_COUNTERS: dict[str, Promise] = {
    "terminal": _("tablet no. %(number)s"),
    "partner": _("partner no. %(number)s"),
}


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if not isinstance(value, str):
        return str(value)
    kind, _colon, number = value.partition(":")  # of a scope: vouchers/terminals/queries.py
    if number.isdigit() and kind in _COUNTERS:
        return str(_COUNTERS[kind]) % {"number": number}
    return str(_WORDS.get(value, value))


P = Parameter
RULES = {
    rule.code: rule
    for rule in (
        Rule(
            Reason.AFTER_DEATH,
            ELDER,
            of_elders.after_death,
            _(
                "Nobody is served after death. Usually the death was reported late and somebody used the "
                "person's vouchers; sometimes the register has the wrong day. Ask the family or the community "
                "before deciding; a death entered by mistake is corrected and lifts the case."
            ),
            _("The register says that the person died on %(died_on)s."),
            holds=True,
        ),
        Rule(
            Reason.TOO_FAR,
            ELDER,
            of_elders.too_far,
            _(
                "A person cannot sit in two canteens at opposite ends of the city within minutes. One of the "
                "two did not happen as reported; both are named because either may be the false one."
            ),
            _("%(km)s km from the other place, only %(minutes)s minutes apart. Compare %(beside)s."),
            (
                P("km", 3, 1, 100, _("kilometres apart, at least")),
                P("kmh", 60, 10, 300, _("kilometres an hour that nobody exceeds")),
            ),
            holds=True,
        ),
        Rule(
            Reason.BURST,
            LEASE,
            of_leases.burst,
            _(
                "A queue moves at the pace of people. Dozens of redemptions at one counter within a minute "
                "suggest that collected codes were entered one after another without anybody standing there."
            ),
            _("%(count)s redemptions at one counter within %(seconds)s seconds."),
            (
                P("most", 20, 2, 1000, _("redemptions at most")),
                P("seconds", 60, 10, 3600, _("within seconds")),
            ),
        ),
        Rule(
            Reason.CLOSED,
            ELDER,
            of_elders.closed,
            _(
                "Nobody is served at a place that is closed. Either the hours on record are wrong, or the "
                "service did not happen when it was reported."
            ),
            _("At %(clock)s; open %(hours)s that day."),
            (P("minutes", 30, 0, 240, _("minutes of grace before opening and after closing")),),
            said_else=_("At %(clock)s; closed that day."),
        ),
        Rule(
            Reason.TOO_MUCH,
            ELDER,
            of_elders.too_much,
            _(
                "Each service has its daily limit, but meals from several canteens and deliveries add up. "
                "More than one person can eat points to vouchers used for others."
            ),
            _("%(meals)s meals on this day with this one."),
            (P("meals", 4, 1, 20, _("meals a day at most")),),
        ),
        Rule(
            Reason.LAST_HOUR,
            LEASE,
            of_leases.last_hour,
            _(
                "Vouchers that are about to expire tempt to be redeemed without a service. A rush in the "
                "month's last hours, far above those hours on other days, deserves a look."
            ),
            _("%(count)s in the month's last hours, %(usual)s on other days."),
            (
                P("hours", 4, 1, 24, _("the month's last hours")),
                P("times", 4, 2, 100, _("times the other days' average, more than")),
                P("least", 10, 1, 1000, _("redemptions, at least")),
            ),
            month=True,
        ),
        Rule(
            Reason.ONE_CASHIER,
            ELDER,
            of_elders.one_cashier,
            _(
                "Where several people or tablets serve, a regular guest meets more than one of them. A holder who is "
                "only ever served by one may not know that the vouchers are used. A tablet stands for whoever uses it: "
                "who that was is not known. A place with one tablet cannot be judged, nor one that serves nearly all."
            ),
            _(
                "%(services)s services in the month, all by %(cashier)s; %(cashiers)s people or tablets serve there, "
                "this one %(usual)s %% of all guests."
            ),
            (
                P("services", 12, 3, 100, _("services in a month, at least")),
                P("cashiers", 2, 2, 50, _("people or tablets serving there, at least")),
                P("share", 60, 1, 100, _("per cent of the place's guests that this one serves, at most")),
            ),
            said_else=_(
                "%(services)s services in the month, all by %(cashier)s, where %(cashiers)s people or tablets serve."
            ),
        ),
        Rule(
            Reason.KIN,
            ELDER,
            of_elders.kin,
            _(
                "Whoever works for an operator, or belongs to the family of one who does, may hold vouchers "
                "like anybody. But serving oneself needs a second pair of eyes."
            ),
            _("The holder %(relation)s."),
            (P("relatives", 1, 0, 1, _("relatives too (1: yes, 0: staff only)")),),
        ),
        Rule(
            Reason.CLAIMED_TWICE,
            ELDER,
            of_elders.claimed_twice,
            _(
                "Nobody is paid twice for one service: what earns rent offset with vouchers is not reported a "
                "second time for the subsidy alone."
            ),
            _("Once for offset, once for a subsidy of %(government)s yuan. Compare %(beside)s."),
            (P("minutes", 60, 1, 1440, _("within minutes")),),
            holds=True,
        ),
        Rule(
            Reason.TOO_DEAR,
            ELDER,
            of_elders.too_dear,
            _(
                "Who pays with vouchers pays no more than who pays in cash. A price above the operator's own "
                "cash price list takes the difference from the public purse."
            ),
            _("Charged %(charged)s yuan each; in cash it costs %(cash)s."),
            (P("percent", 0, 0, 100, _("per cent above the cash price that are let pass")),),
        ),
        Rule(
            Reason.NO_EVIDENCE,
            ELDER,
            of_elders.no_evidence,
            _(
                "A visit to the home is seen by two people only. It needs a trace: an order, the elder's code, "
                "PIN or signature, or the record of the visit."
            ),
            _("A visit reported by: %(channel)s; no order, code, PIN, signature or record proves it."),
        ),
        Rule(
            Reason.TOO_FAST,
            LEASE,
            of_leases.too_fast,
            _(
                "An operator earns its rent by its own vouchers. They cannot be redeemed faster than meals can "
                "be handed out, or than one carer can go from home to home."
            ),
            _("%(meals)s meals at one counter within %(minutes)s minutes."),
            (
                P("meals", 200, 10, 5000, _("meals within ten minutes at one counter, at most")),
                P("visit", 15, 1, 240, _("minutes that a visit takes at least")),
                P("hour", 40, 1, 60, _("minutes of service for each hour booked, at least")),
            ),
            said_else=_(
                "%(minutes)s minutes after the same person served another home (%(beside)s); it takes %(needed)s."
            ),
        ),
        Rule(
            Reason.DUPLICATE,
            ELDER,
            of_elders.duplicate,
            _(
                "The same service for the same person at the same place, twice within minutes, is mostly one "
                "service entered twice: at the counter and from paper, or after a lost network."
            ),
            _("The same again after %(minutes)s minutes. Compare %(beside)s."),
            (P("minutes", 15, 1, 240, _("within minutes")),),
        ),
        Rule(
            Reason.ORDER_DIFFERS,
            ELDER,
            of_elders.order_differs,
            _("What is delivered follows the order. More than was ordered needs the elder's word."),
            _("%(ordered)s ordered, %(redeemed)s delivered."),
            (P("quantity", 0, 0, 100, _("units more that are let pass")),),
        ),
        Rule(
            Reason.WRONG_MONTH,
            ELDER,
            of_elders.wrong_month,
            _(
                "A service belongs to the month in which it was given. One dated in another month than its "
                "order moves offset from one month to another."
            ),
            _("It was ordered for %(ordered_on)s, in another month."),
            said_else=_("It was recorded on %(recorded_on)s, before its month had begun."),
        ),
        Rule(
            Reason.LATE,
            ELDER,
            of_elders.late,
            _(
                "Terminals report within three days, paper within the month. What comes much later can hardly "
                "be checked any more, and the elder hardly remembers."
            ),
            _("Reported %(days)s days after the service."),
            (P("days", 31, 1, 366, _("days until the report, at most")),),
        ),
        Rule(
            Reason.DENIED,
            ELDER,
            of_elders.denied,
            _(
                "Whoever is drawn for a call-back is asked whether the service took place. A no may be forgotten "
                "or misheard, so by default it only marks: ask the place for its proof and the family before deciding."
            ),
            _("Asked by telephone on %(asked_on)s, the elder said that this service did not take place."),
        ),
    )
}
assert set(RULES) == set(Reason.values)
