"""Every page of the site once, from the URLconf, and who may open it.

A page that is missing here fails the suite (test_access.py): whoever adds one says here who may open it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from marketplace.accounts.models import Role
from tests.web.builder import OF_A_STREET, PEOPLE, SHARE_CODE, City

BUREAU = {Role.BUREAU_CLERK, Role.BUREAU_APPROVER, Role.AUDITOR}
ADMINISTRATORS = {Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}
TRACE = BUREAU | {Role.STREET_OFFICER, Role.OPERATOR_MANAGER}
PUBLIC = ""  # elders and families have no role
FAMILY = {PUBLIC, Role.HOTLINE_AGENT}
DECIDERS = {Role.BUREAU_CLERK, Role.BUREAU_APPROVER}
CALLERS = {Role.BUREAU_CLERK, Role.HOTLINE_AGENT}
REGISTERS = BUREAU | {Role.STREET_OFFICER}
KEEPERS = {Role.BUREAU_CLERK}
PAPER_GIVERS = {Role.STREET_OFFICER, Role.BUREAU_CLERK}
FINDERS = PAPER_GIVERS | {Role.HOTLINE_AGENT}
EVERYBODY = {*Role, PUBLIC}
MANAGER = {Role.OPERATOR_MANAGER}
CAREGIVER = {Role.CAREGIVER}
STEPS = {Role.OPERATOR_MANAGER, Role.BUREAU_CLERK, Role.STREET_OFFICER, Role.BUREAU_APPROVER}


@dataclass(frozen=True)
class Page:
    """`roles`: who may open it; `public`: also without sign-in; `method`: the one that it answers.

    `posts`: it is opened by GET and takes its own form by POST, which answers those who may not start
    anything there with 403. `own`: roles that find only what is their own there, here nothing: 404.
    `elder`: its answer depends on the elder one acts for (tests/web/test_family.py), or on an order, of which the
    builder's city has none (tests/shop/test_visit_pages.py).
    `step`: opened out of order it leads back to the first question. `missing`: of the builder's people with
    such a role, those for whom it is not there (404): what belongs to another. `city`: about the whole city, so not
    for those of one street (403).
    """

    roles: frozenset[str]
    public: bool = False
    method: str = "get"
    posts: bool = False
    own: frozenset[str] = frozenset()
    elder: bool = False
    step: bool = False
    missing: frozenset[str] = frozenset()
    city: bool = False

    def lets_in(self, person: str) -> bool:
        """Whether this one of the builder's people has the role for it, and for the whole city where it needs that."""
        return PEOPLE.get(person) in self.roles and not (self.city and person in OF_A_STREET)


def _page(roles: set, **rest: Any) -> Page:
    rest["missing"] = frozenset(rest.get("missing", ()))
    return Page(frozenset(roles), **rest)


NOT_A_DELEGATE = {"daughter"}  # she acts for others; the page is the elder's own


PAGES = {
    "home": _page(EVERYBODY, step=True),
    "sign_in": _page(EVERYBODY, public=True),
    "sign_in_phone": _page(EVERYBODY, public=True, posts=True),
    "sign_in_code": _page(EVERYBODY, public=True, step=True, posts=True),
    "sign_in_second": _page(EVERYBODY, public=True, step=True, posts=True),
    "sign_in_set_up": _page(EVERYBODY, public=True, step=True, posts=True),
    "second_ways": _page(set(Role), posts=True),
    "sign_out": _page(EVERYBODY, public=True, method="post"),
    "set_language": _page(EVERYBODY, public=True, method="post"),
    "design": _page(EVERYBODY, public=True),
    "keys": _page(EVERYBODY),
    "bureau:overview": _page(BUREAU | {Role.STREET_OFFICER}),
    "bureau:reach": _page(BUREAU | {Role.STREET_OFFICER}),
    "bureau:unused": _page(BUREAU | {Role.STREET_OFFICER}),
    "api_docs": _page(EVERYBODY, public=True),
    "counter": _page(EVERYBODY, public=True),
    "counter_worker": _page(EVERYBODY, public=True),
    "counter_manifest": _page(EVERYBODY, public=True),
    "bureau:months": _page(BUREAU),
    "bureau:month": _page(BUREAU),
    "office:today": _page(MANAGER),
    "office:running": _page(MANAGER),
    "office:served": _page(MANAGER),
    "office:papers": _page(MANAGER),
    "office:rent": _page(MANAGER),
    "office:places": _page(MANAGER),
    "office:place": _page(MANAGER, posts=True),
    "office:offer": _page(MANAGER, posts=True),
    "office:caregivers": _page(MANAGER, posts=True),
    "office:caregiver": _page(MANAGER, posts=True),
    "office:work": _page(MANAGER, posts=True),
    "office:rounds": _page(MANAGER, posts=True),
    "office:order": _page(MANAGER, elder=True, posts=True),
    "visits:today": _page(CAREGIVER),
    "visits:visit": _page(CAREGIVER, elder=True),
    "visits:report": _page(CAREGIVER, elder=True, method="post"),
    "visits:photo": _page(TRACE | CAREGIVER, elder=True),
    "visits:worker": _page(EVERYBODY, public=True),
    "visits:manifest": _page(EVERYBODY, public=True),
    "bureau:compare": _page(BUREAU),
    "bureau:receipts": _page(BUREAU),
    "bureau:receipt": _page(BUREAU, posts=True),
    "bureau:arrears": _page(REGISTERS),
    "bureau:balances": _page(BUREAU, city=True),
    "bureau:reminders": _page(BUREAU, posts=True),
    "bureau:reminders_pdf": _page(BUREAU),
    "bureau:reminder_pdf": _page(BUREAU | MANAGER),
    "bureau:catalogue": _page(BUREAU),
    "bureau:catalogue_service": _page(BUREAU, posts=True),
    "market:picture": _page(EVERYBODY),
    "bureau:catalogue_house": _page(BUREAU, posts=True),
    "bureau:layouts": _page(BUREAU, posts=True, city=True),
    "payments:payouts": _page(TRACE, posts=True),
    "payments:payout": _page(TRACE, posts=True),
    "payments:payout_pdf": _page(TRACE),
    "payments:transfer": _page(BUREAU, city=True),
    "payments:refunds": _page(BUREAU, posts=True),
    "payments:fund": _page(BUREAU, posts=True, city=True),
    "payments:handovers": _page(BUREAU, posts=True, city=True),
    "payments:handover": _page(BUREAU, city=True),
    "payments:handover_pdf": _page(BUREAU, city=True),
    "reports:index": _page(BUREAU | {Role.STREET_OFFICER}),
    "reports:report": _page(BUREAU | {Role.STREET_OFFICER}),
    "reports:inspections": _page(BUREAU | {Role.STREET_OFFICER}, posts=True),
    "reports:inspection": _page(BUREAU | {Role.STREET_OFFICER}, posts=True),
    "reports:finding": _page(BUREAU | {Role.STREET_OFFICER}, posts=True),
    "reports:seals": _page(BUREAU, posts=True, city=True),
    "reports:books": _page(BUREAU, city=True),
    "reports:download": _page(
        BUREAU, missing={"clerk", "approver", "auditor"}, city=True
    ),  # no books are written here
    "reports:fava": _page(BUREAU, missing={"clerk", "approver", "auditor"}, city=True),
    "reports:fava_page": _page(BUREAU, missing={"clerk", "approver", "auditor"}, city=True),
    "chain": _page(EVERYBODY, public=True),
    "bureau:audit": _page({Role.AUDITOR, Role.BUREAU_APPROVER, Role.ADMINISTRATOR}, city=True),
    "bureau:nightly": _page(BUREAU | ADMINISTRATORS, city=True),
    "bureau:nightly_task": _page(BUREAU | ADMINISTRATORS, city=True),
    "work": _page(BUREAU, city=True),
    "work_kind": _page(BUREAU, posts=True, city=True),
    "job": _page(
        BUREAU,
        posts=True,
        own=frozenset({Role.STREET_OFFICER, Role.OPERATOR_MANAGER}),
        missing={"streetclerk", "streetapprover"},  # another's
    ),
    "steps": _page(STEPS, posts=True),
    "step": _page(STEPS, posts=True),
    "objections": _page(TRACE, posts=True),
    "papers": _page(TRACE, posts=True),
    "paper_pdf": _page(TRACE),
    "verify": _page(EVERYBODY, public=True),
    "verify_ask": _page(EVERYBODY, public=True),
    "bureau:erasures": _page(BUREAU),
    "bureau:erasure": _page(
        BUREAU, posts=True, missing={"streetclerk", "streetapprover"}
    ),  # of the other street
    "bureau:retention": _page(BUREAU),
    "bureau:reviews": _page(BUREAU),
    "bureau:reviews_release": _page(DECIDERS, method="post"),
    "bureau:review": _page(BUREAU),
    "bureau:review_decide": _page(DECIDERS, method="post"),
    "bureau:orders_missing": _page(BUREAU),
    "bureau:rules": _page(BUREAU),
    "bureau:rule": _page(BUREAU),
    "bureau:rule_set": _page({Role.BUREAU_APPROVER}, method="post", city=True),
    "bureau:rule_run": _page(DECIDERS, method="post", city=True),
    "bureau:rounds": _page(BUREAU),
    "bureau:round_draw": _page(DECIDERS, method="post", city=True),
    "bureau:round": _page(BUREAU),
    "bureau:round_calls": _page(BUREAU),
    "bureau:calls": _page(CALLERS),
    "bureau:call": _page(CALLERS),
    "bureau:call_phone": _page(CALLERS, method="post"),
    "bureau:call_result": _page(CALLERS, method="post"),
    "office:terminals": _page(MANAGER, posts=True),
    "office:adaptation": _page(MANAGER),
    "office:adaptation_project": _page(MANAGER, posts=True),
    "office:prices": _page(MANAGER, posts=True),
    "office:propose": _page(MANAGER, posts=True),
    "bureau:servings": _page(BUREAU),
    "bureau:serving": _page(BUREAU, posts=True),
    "bureau:prices": _page(BUREAU, city=True),
    "bureau:price": _page(BUREAU, posts=True, city=True),
    "bureau:adaptation": _page(BUREAU | {Role.STREET_OFFICER}),
    "bureau:adaptation_project": _page(BUREAU | {Role.STREET_OFFICER}, posts=True),
    "adaptation_photo": _page(TRACE),
    "family:adaptation": _page(FAMILY, elder=True),
    "family:adaptation_new": _page(FAMILY, elder=True, posts=True),
    "family:adaptation_photo": _page(FAMILY, elder=True),
    "family:adaptation_say": _page(FAMILY, elder=True, method="post"),
    "family:adaptation_stop": _page(FAMILY, elder=True, method="post"),
    **{
        f"registers:{name}": _page(REGISTERS)
        for name in (
            "hub",
            "premises",
            "board",
            "plan",
            "leases",
            "operators",
            "services",
            "programmes",
            "programme",
        )
    },
    "registers:elders": _page(KEEPERS, posts=True),
    "registers:add_photos": _page(KEEPERS, posts=True),
    "registers:photo": _page(REGISTERS),
    "registers:withdraw_photo": _page(KEEPERS, posts=True),
    "registers:elder": _page(KEEPERS, posts=True),
    "registers:users": _page({Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR}, posts=True),
    "registers:user": _page({Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR}, posts=True),
    "registers:propose": _page({Role.ADMINISTRATOR}, posts=True),
    "invitation": _page(EVERYBODY, public=True, posts=True),
    **{
        f"registers:{name}": _page(REGISTERS, posts=True)
        for name in ("one_premises", "lease", "operator", "service", "offer")
    },
    **{
        f"registers:{name}": _page(KEEPERS, posts=True)
        for name in (
            "new_premises",
            "edit_premises",
            "new_lease",
            "new_terms",
            "end_lease",
            "change_operator",
        )
    },
    **{
        f"registers:{name}": _page(KEEPERS, posts=True, city=True)
        for name in (
            "new_operator",
            "edit_operator",
            "new_service",
            "edit_service",
            "new_programme",
            "edit_programme",
        )
    },
    "statements": _page(TRACE),
    "statement": _page(TRACE),
    "lines": _page(TRACE),
    "redemption": _page(TRACE),
    "redemptions": _page(TRACE),
    "vouchers": _page(REGISTERS),
    "journal": _page(BUREAU, city=True),
    "reveal": _page(BUREAU | {Role.STREET_OFFICER}, method="post"),
    "reversal": _page(DECIDERS, posts=True),
    "voucher": _page(TRACE),
    "issue_run": _page(BUREAU),
    "entry": _page(BUREAU),
    "people:whom": _page(FAMILY),
    "cards": _page({Role.HOTLINE_AGENT, Role.BUREAU_CLERK}, posts=True),
    **{
        f"family:{name}": _page(FAMILY, elder=True)
        for name in ("home", "wallet", "spent", "code", "record", "record_of")
    },
    "family:pin": _page(FAMILY, elder=True, posts=True),
    "family:share": _page(FAMILY, elder=True, posts=True),
    "family:end_share": _page(FAMILY, elder=True, method="post"),
    **{f"market:{name}": _page(FAMILY, elder=True) for name in ("browse", "service", "orders", "order")},
    **{
        f"market:{name}": _page(FAMILY, elder=True, posts=True)
        for name in ("when", "where", "check", "change", "days")
    },
    **{
        f"market:{name}": _page(FAMILY, elder=True, method="post")
        for name in ("line", "again", "cancel", "stop")
    },
    "happy": _page(EVERYBODY, public=True, posts=True),
    "family:text_size": _page(EVERYBODY, public=True, method="post"),
    "people:start": _page({PUBLIC}),
    "people:own": _page({PUBLIC}, posts=True),
    "people:own_phone": _page({PUBLIC}, step=True, posts=True),
    "people:own_code": _page({PUBLIC}, step=True, posts=True),
    "people:own_paper": _page({PUBLIC}, posts=True),
    "people:consent": _page({PUBLIC}, step=True, posts=True),
    "people:claimed": _page({PUBLIC}),
    "people:ask": _page({PUBLIC}, posts=True),
    "people:ask_me": _page({PUBLIC}, step=True, posts=True),
    "people:ask_terms": _page({PUBLIC}, step=True, posts=True),
    "people:ask_code": _page({PUBLIC}, step=True, posts=True),
    "people:ask_pin": _page({PUBLIC}, step=True, posts=True),
    "people:agreed": _page({PUBLIC}),
    "people:people": _page(FAMILY, missing=NOT_A_DELEGATE),
    "people:answer": _page(FAMILY, missing=NOT_A_DELEGATE, posts=True),
    "people:end": _page(FAMILY, missing=NOT_A_DELEGATE, posts=True),
    "people:leave": _page({PUBLIC}, missing={"elder"}, posts=True),
    "people:told": _page(FAMILY, missing=NOT_A_DELEGATE),
    "people:privacy": _page(FAMILY),
    "people:copy": _page({PUBLIC}, posts=True),
    "people:erase": _page({PUBLIC}, posts=True),
    "people:withdraw": _page(FAMILY, method="post", missing={"daughter", "hotline"}),
    "hotline:search": _page(FINDERS, posts=True),
    "hotline:elder": _page(FINDERS),
    "hotline:paper": _page(PAPER_GIVERS, method="post"),
    "hotline:visits": _page({Role.HOTLINE_AGENT}),
    "hotline:visit": _page({Role.HOTLINE_AGENT}, elder=True, posts=True),
    "hotline:visit_phone": _page({Role.HOTLINE_AGENT}, elder=True, method="post"),
    "hotline:start": _page({Role.HOTLINE_AGENT}, method="post"),
    "hotline:call": _page({Role.HOTLINE_AGENT}),
    "hotline:number": _page({Role.HOTLINE_AGENT}, method="post"),
    "hotline:rang_back": _page({Role.HOTLINE_AGENT}, method="post"),
    "hotline:end": _page({Role.HOTLINE_AGENT}, method="post"),
}
# Answered for programs, not to be looked at.
FILES = {
    "counter_worker",
    "counter_manifest",
    "paper_pdf",
    "registers:photo",
    "market:picture",
    "visits:worker",
    "visits:manifest",
    "payments:payout_pdf",
    "payments:handover_pdf",
    "payments:transfer",
    "bureau:reminders_pdf",
    "bureau:reminder_pdf",
    "reports:download",
    "reports:fava",
    "reports:fava_page",
    "adaptation_photo",
}
# Not pages of ours: the machine's probes, and the admin and the API, which check by themselves.
ELSEWHERE = {"healthz", "readyz", "admin/"}
CHECKING = {"ninja"}


def _elsewhere(pattern: URLPattern | URLResolver) -> bool:
    return str(pattern.pattern) in ELSEWHERE or getattr(pattern, "app_name", None) in CHECKING


def names() -> Iterator[str]:
    """The names of all views of the URLconf outside ELSEWHERE; one without a name gives its route."""

    def walk(patterns: list, prefix: str) -> Iterator[str]:
        for pattern in patterns:
            if _elsewhere(pattern):
                continue
            if isinstance(pattern, URLResolver):
                inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
                yield from walk(pattern.url_patterns, inner)
            elif isinstance(pattern, URLPattern):
                yield f"{prefix}{pattern.name}" if pattern.name else str(pattern.pattern)

    yield from walk(get_resolver().url_patterns, "")


def patterns() -> Iterator[URLPattern]:
    def walk(found: list) -> Iterator[URLPattern]:
        for pattern in found:
            if _elsewhere(pattern):
                continue
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern

    yield from walk(get_resolver().url_patterns)


def arguments(name: str, city: City) -> list[Any]:
    """What an address of this name needs, all belonging to the first lease: manager's and street's own."""
    if not city.arguments:
        city.arguments = _arguments(city)
    return city.arguments.get(name, [])


def _arguments(city: City) -> dict[str, list[Any]]:
    first = city.redemptions[0]
    voucher = first.movements.get().voucher
    return {
        "bureau:month": [city.month],
        "office:running": [city.leases[0].code, "earned"],
        "bureau:unused": [city.leases[0].premises.division.code],
        "office:earned": [city.leases[0].code],
        "bureau:catalogue_service": ["SV01"],
        "bureau:catalogue_house": ["PR0000"],
        "office:place": ["PR0000"],
        "office:offer": ["PR0000", "SV01"],
        "office:caregiver": ["CG01"],
        "bureau:compare": [city.month],
        "bureau:receipt": [city.bank_lines[1].pk],
        "bureau:reminders_pdf": [city.reminders[0].run_id],
        "bureau:reminder_pdf": [city.reminders[0].number],
        "bureau:nightly_task": ["verify_ledger"],
        "work_kind": ["bank"],
        "job": [city.jobs[0].pk],
        "reports:report": [city.month],
        "reports:download": [city.month],
        "reports:fava": [city.month],
        "reports:fava_page": [city.month, "static/app.js"],
        "reports:inspection": [city.findings[0].inspection_id],
        "reports:finding": [city.findings[0].pk],
        "payments:payout": [city.payouts[0].number],
        "payments:payout_pdf": [city.payouts[0].number],
        "payments:transfer": [city.month],
        "payments:handover": ["JK-OW0001-202607"],
        "payments:handover_pdf": ["JK-OW0001-202607"],
        "papers": [city.leases[0].code, city.statements[0].month],
        "paper_pdf": [city.papers[0].number],
        "verify": [city.papers[0].number, city.papers[0].code],
        "step": [city.leases[0].code, city.month],
        "objections": [city.leases[0].code, city.month],
        "bureau:erasure": [city.erasures[0].pk],
        "bureau:review": [city.cases[0].pk],
        "bureau:review_decide": [city.cases[0].pk],
        "bureau:rule": ["duplicate"],
        "bureau:rule_set": ["duplicate"],
        "bureau:rule_run": ["duplicate"],
        "bureau:round": [city.calls[0].round_id],
        "bureau:round_calls": [city.calls[0].round_id],
        "bureau:call": [city.calls[0].pk],
        "bureau:call_phone": [city.calls[0].pk],
        "bureau:call_result": [city.calls[0].pk],
        "statement": [city.leases[0].code, city.month],
        "lines": [city.leases[0].code, city.month, "earned"],
        "redemption": [first.number],
        "reveal": [first.number],
        "reversal": [first.number],
        "voucher": [voucher.serial],
        "issue_run": [voucher.run_id],
        "entry": [first.entry_id],
        **{
            name: [city.projects[0].pk]
            for name in ("office:adaptation_project", "bureau:adaptation_project", "family:adaptation_stop")
        },
        **{
            name: [city.projects[0].pk, city.projects[0].photos.all()[0].pk]
            for name in ("adaptation_photo", "family:adaptation_photo")
        },
        "office:propose": [city.prices[0].follows_id],
        "bureau:serving": [city.servings[0].pk],
        "bureau:price": [city.prices[0].pk],
        "family:adaptation_say": [city.projects[1].plans.all()[0].pk],
        **{
            f"registers:{key}": [city.leases[0].premises.code]
            for key in ("one_premises", "edit_premises", "add_photos")
        },
        **{
            f"registers:{key}": [city.leases[0].code]
            for key in ("lease", "new_terms", "end_lease", "change_operator")
        },
        "registers:elder": [first.elder.code],
        "registers:photo": [city.photos[0].photo.number],
        "registers:withdraw_photo": [city.photos[0].photo.number],
        "registers:user": [city.people["manager"].pk],
        **{f"registers:{key}": [city.leases[0].operator.code] for key in ("operator", "edit_operator")},
        **{f"registers:{key}": [first.service.code] for key in ("service", "edit_service")},
        **{f"registers:{key}": [voucher.programme.code] for key in ("programme", "edit_programme")},
        "registers:offer": [first.service.code, city.leases[0].premises.code],
        "happy": [SHARE_CODE],
        **{key: [1] for key in ("office:order", "visits:visit", "visits:report")},
        **{key: [1] for key in ("hotline:visit", "hotline:visit_phone")},
        "visits:photo": ["00000000-0000-4000-8000-000000000000"],
        "market:picture": [city.pictured.photo.number],
        "market:service": ["PR0000", "SV01"],
        "market:when": ["PR0000", "SV01"],
        **{f"market:{key}": [1] for key in ("where", "line", "order", "again", "stop")},
        **{f"market:{key}": [1, 1] for key in ("cancel", "change", "days")},
        **{key: [city.month.year] for key in ("family:record_of", "family:share", "family:end_share")},
        **{key: [city.delegations[0].pk] for key in ("people:answer", "people:end", "people:leave")},
        **{key: [first.elder.code] for key in ("hotline:elder", "hotline:start", "hotline:paper")},
    }


def address(name: str, city: City) -> str:
    return reverse(name, args=arguments(name, city))


def visitor(name: str) -> str:
    """Which of the builder's people looks at the page of this name (as in all_pages): the clerk where one may."""
    page = PAGES.get(name) or PAGES.get(name.rpartition(":")[0])
    if name == "sign_in_phone":
        return ""
    if page is None or Role.BUREAU_CLERK in page.roles:
        return "clerk"
    return next(
        person
        for person in ("elder", "daughter", "manager", "hotline", "caregiver", "street", "administrator")
        if PEOPLE[person] in page.roles and person not in page.missing
    )


def all_pages(city: City) -> dict[str, str]:
    """Every page that is opened by GET, by a name of its own; figures and error pages too."""
    found = {
        name: address(name, city)
        for name, page in PAGES.items()
        if page.method == "get" and not page.elder and name not in FILES and (name == "home" or not page.step)
    }
    lease = city.leases[0].code
    before = city.statements[0].month
    for figure in (
        "late",
        "reversed",
        "credit",
        "carry_in",
        "lapsed",
        "available",
        "cap",
        "applied",
        "carry_out",
        "charge",
        "cash_due",
        "under_review",
    ):
        found[f"lines:{figure}"] = reverse("lines", args=[lease, city.month, figure])
    found["office:running:charge"] = reverse("office:running", args=[lease, "charge"])
    found["statement:posted"] = reverse("statement", args=[lease, before])
    found["month:locked"] = reverse("bureau:month", args=[before])
    for job in city.jobs[1:3]:  # checked, refused
        found[f"job:{job.kind}"] = reverse("job", args=[job.pk])
    found["receipt:unknown"] = reverse("bureau:receipt", args=[city.bank_lines[2].pk])
    found["receipt:out"] = reverse("bureau:receipt", args=[city.bank_lines[-1].pk])
    found["receipt:matched"] = reverse("bureau:receipt", args=[city.bank_lines[0].pk])
    found["month:nothing"] = f"{found['bureau:month']}?q=nothing"
    found["redemption:reversed"] = reverse("redemption", args=[city.redemptions[5].number])
    found["reviews:ticked"] = f"{found['bureau:reviews']}?ticked=1"
    found["reviews:nothing"] = f"{found['bureau:reviews']}?q=nothing"
    found["review:marked"] = reverse("bureau:review", args=[city.cases[1].pk])
    found["review:released"] = reverse("bureau:review", args=[city.cases[2].pk])
    found["missing"] = "/there/is/no/such/page/"
    return found
