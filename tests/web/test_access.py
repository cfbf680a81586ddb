"""Who may open what: every address of the URLconf x every role x every method."""

import logging
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cache, wraps

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse, HttpResponseForbidden
from django.test import Client, override_settings
from django.urls import path, reverse
from django.utils import timezone

from marketplace.accounts.models import Role
from marketplace.api.api import api
from marketplace.config import urls as config_urls
from marketplace.families.operations import Acting
from marketplace.fulfilment.models import WorkOrder
from marketplace.jobs.models import Job
from marketplace.jobs.operations import CannotStart, start
from marketplace.web import scope
from marketplace.web import urls as web_urls
from marketplace.web.access import anyone, declared, roles
from marketplace.web.family import acting
from marketplace.web.hotline import views as hotline
from providers.models import Premises
from tests.web.addresses import (
    DECIDERS,
    EVERYBODY,
    PAGES,
    PUBLIC,
    TRACE,
    address,
    all_pages,
    arguments,
    names,
    patterns,
)
from tests.web.builder import OF_A_STREET, PEOPLE
from tests.web.foreign import BY_ITSELF, CUT, ROLES, SHARED, Theirs, foreign
from tests.web.offered import OWN, Offered, Unchanged, offered, written
from vouchers.codes.operations import elder_token
from vouchers.models import Elder, IssueRun, Movement, Redemption, Statement
from vouchers.terminals.operations import add_partner, add_terminal

BOTH = {"sign_in", "people:whom"}  # pages with a form of their own
PERSON = {
    "": None,
    **{name: str(role) for name, role in PEOPLE.items() if name not in ("stranger", "otherstreet")},
}


def test_every_address_is_in_the_table():
    assert sorted(set(names())) == sorted(PAGES)


def test_every_view_about_the_whole_city_says_so():
    said = {
        name: getattr(one.callback, "whole_city", False)
        for name, one in zip(names(), patterns(), strict=True)
    }
    assert [name for name, page in PAGES.items() if page.city is not said[name]] == []


def test_every_view_says_who_may_open_it():
    assert [str(p.pattern) for p in patterns() if declared(p.callback) is None] == []


@pytest.mark.parametrize("person", PERSON)
def test_each_role_opens_its_own_pages_only(as_, city, person, offers):
    offers[person] = walk(as_, city, person)


def walk(as_, city, person, look=None) -> list[Offered]:
    """Open every page, or not; what the opened ones offer to do. `look`: how, instead of checking who may."""
    role = PERSON.get(person, PEOPLE.get(person))
    client, look = as_(person), look or _opens_or_not
    signed_in = deepcopy(client.cookies)
    forms: list[Offered] = []
    for name, page in PAGES.items():
        with transaction.atomic():
            answer = look(client, city, person, role, name, page)
            transaction.set_rollback(True)  # each page by itself: some end what others need
        if answer.status_code == 200 and not answer.streaming and page.method == "get":
            forms += offered(answer.content.decode(errors="replace"), address(name, city))
        client.cookies = deepcopy(signed_in)
    return forms


def _look(client, city, _person, _role, name, page):
    return getattr(client, page.method)(address(name, city))


def _opens_or_not(client, city, person, role, name, page):
    data = {"reason": "a check of the rights"} if name == "reveal" else {}
    response = getattr(client, page.method)(address(name, city), data)
    if page.city and person in OF_A_STREET and role in page.roles:
        assert response.status_code == 403, (name, person, response.status_code)
    elif person in page.missing:
        assert response.status_code == 404, (name, person, response.status_code)
    elif page.elder and role in page.roles:
        assert response.status_code in (200, 302, 404), (name, person, response.status_code)
    elif page.public or (role is not None and role in page.roles):
        assert response.status_code in (200, 302, 422), (name, person, response.status_code)
        if page.method == "get" and not (page.public or page.step):
            assert response.status_code == 200, (name, person)
        elif response.status_code == 302 and not page.public:
            assert not response.url.startswith(reverse("sign_in")), (name, person)
    elif role is None:
        assert response.status_code == 302, (name, person)
        assert response.url.startswith(reverse("sign_in")), (name, person)
    elif role in page.own:
        assert response.status_code == 404, (name, person)
    else:
        assert response.status_code == 403, (name, person, response.status_code)
    return response


METHODS = ("head", "post", "put", "patch", "delete", "options")
REFUSED = {302, 403, 404, 405}
TAKEN = {200, 302, 400, 403, 404, 409, 422}  # a form without its fields: told so, or no such thing


def _methods(name: str) -> set[str]:
    """What this page answers those who may open it."""
    page = PAGES[name]
    if page.method == "post":
        return {"post"}
    return {"get", "head", "post"} if name in BOTH or page.posts else {"get", "head"}


def _expected(name: str, person: str, method: str) -> set[int]:
    """What the table says of one request with nothing in it, as statuses; GET is looked at more closely above."""
    page, role = PAGES[name], PERSON[person]
    if role is None and not page.public:
        return {302}
    if not page.public and role not in page.roles | page.own:
        return {403}
    if page.city and person in OF_A_STREET:
        return {403}
    if method not in _methods(name):
        guarded = page.elder or person in page.missing  # for whom it is asked before how
        return {404, 405} if guarded else {405}
    if method == "post":
        return TAKEN
    return (
        {404}
        if role in page.own or person in page.missing
        else {200, 302, 404}
        if page.elder or page.step or page.public
        else {200}
    )


def otherwise(as_, city, person: str, among: Iterable[str] = PAGES) -> list[tuple[str, str, object]]:
    """Every address by every method but GET, without anything sent: what was not answered as the table says.

    What is refused writes nothing; nobody who has signed in is led to the sign-in page.
    """
    client, found = as_(person), []
    signed_in = deepcopy(client.cookies)
    urls = {name: address(name, city) for name in among}
    asked = [(name, method, _expected(name, person, method)) for name in among for method in METHODS]
    before = written()
    for name, method, expected in asked:
        if expected <= REFUSED:
            answer = getattr(client, method)(urls[name])
            led = answer.status_code == 302 and answer.url.startswith(reverse("sign_in"))
            if answer.status_code not in expected or led is not (expected == {302}):
                found.append((name, method, answer.status_code))
    if wrote := {table for table, rows in written().items() if rows != before.get(table, 0)} - OWN:
        found.append(("one of these", "refused", wrote))
    for name, method, expected in asked:
        if expected <= REFUSED:
            continue
        with transaction.atomic():
            answer = getattr(client, method)(urls[name])
            if answer.streaming:
                b"".join(answer.streaming_content)
            transaction.set_rollback(True)
        led = answer.status_code == 302 and answer.url.startswith(reverse("sign_in"))
        if answer.status_code not in expected or (led and not PAGES[name].public):
            found.append((name, method, answer.status_code))
        client.cookies = deepcopy(signed_in)
    return found


@pytest.fixture
def unlogged():
    """Without a line in the log for each of thousands of requests."""
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def plain_refusals(monkeypatch, unlogged):
    """A no without its page: it is said some fifteen thousand times."""
    monkeypatch.setattr(config_urls, "handler403", f"{__name__}._no", raising=False)


def _no(request, exception=None):
    return HttpResponseForbidden()


@pytest.mark.parametrize("person", [one for one in PERSON if one == "street" or one not in OF_A_STREET])
def test_each_role_is_answered_each_method_as_the_table_says(as_, city, person, plain_refusals):
    assert otherwise(as_, city, person) == []


def test_control_a_page_without_its_guard_is_named(as_, city, plain_refusals, monkeypatch):
    """Who may open it is said, but not asked."""
    bare = {"statements", "registers:lease", "bureau:review_decide"}
    for name, one in zip(names(), patterns(), strict=True):
        if name in bare:
            monkeypatch.setattr(one, "callback", _unguarded(one.callback))
    found = otherwise(as_, city, "cashier", among=[*bare, "bureau:months"])
    assert {name for name, _method, _status in found} == bare


def _unguarded(view):
    @wraps(view.__wrapped__)
    def opened(*args, **kwargs):
        return view.__wrapped__(*args, **kwargs)

    opened.access = declared(view)
    return opened


# Another's object: of the other street, of another firm, of another family


@pytest.fixture
def theirs(city) -> dict[str, Theirs]:
    return foreign(city)


def unlisted(named: Iterable[str]) -> list[str]:
    """Addresses with a part that varies, of which nobody says what is another's there or why nothing is."""
    varies = {name for name, one in zip(names(), patterns(), strict=True) if one.pattern.converters}
    return sorted(name for name in varies - {*named} - {*SHARED} if not PAGES[name].city)


def test_every_address_of_an_object_says_what_is_anothers(theirs):
    assert unlisted(theirs) == []
    assert {*theirs} & {*SHARED} == set() and {*theirs, *SHARED} <= {*PAGES}
    assert unlisted({*theirs} - {"statement", "market:order"}) == ["market:order", "statement"]  # control


def _same(answer: HttpResponse, url: str) -> bytes:
    """What an answer says, whatever its address and the token of the day."""
    return re.sub(rb'(nonce|value)="[^"]{20,}"', b"", answer.content.replace(url.encode(), b""))


ABSENT = {
    "IntConverter": 999_999_999,
    "UUIDConverter": "00000000-0000-4000-8000-000000000000",
    "CodeConverter": "ZZ9999",
    "RedemptionConverter": "RD-999999999",
    "SerialConverter": "ZZ9999-999999999",
    "PaperConverter": "PZ-ZZ9999-202608",
    "PayoutConverter": "BF-ZZ9999-202608",
    "StringConverter": "ZZ9999",
    "SlugConverter": "999999",
}


def _anothers(name: str, one: Theirs, ours: list) -> tuple[list[str], str]:
    """The addresses of what is another's, also of theirs within ours, and that of nothing."""
    [pattern] = {p for n, p in zip(names(), patterns(), strict=True) if n == name}
    kinds = [type(kind).__name__ for kind in pattern.pattern.converters.values()]
    parts = [n for n, arg in enumerate(one.args) if arg != ours[n]] or [*range(len(ours))]
    absent = [ABSENT[kind] if n in parts else one.args[n] for n, kind in enumerate(kinds)]
    within = [[one.args[n] if n == part else arg for n, arg in enumerate(ours)] for part in parts]
    urls = {reverse(name, args=args) for args in (one.args, *within)}
    return sorted(urls), reverse(name, args=absent)


def _finds(client, method: str, url: str) -> tuple[HttpResponse, set[str]]:
    """The answer, and the tables that were written to; taken back."""
    with transaction.atomic():
        before = written() if method == "post" else None
        answer = getattr(client, method)(url)
        after = written() if before is not None else {}
        transaction.set_rollback(True)
    return answer, {table for table, rows in after.items() if rows != (before or {}).get(table, 0)} - OWN


def leaks(as_, city, theirs, methods=("get", "post")) -> Iterator[tuple[str, str, str, int]]:
    """Another's object asked for by all who have one of their own: what is not answered as nothing is."""
    for name, one in theirs.items():
        page, ours = PAGES[name], one.ours or arguments(name, city)
        urls, absent = _anothers(name, one, ours)
        for person in CUT:
            role = ROLES[person]
            if role not in page.roles | page.own or (page.city and person in OF_A_STREET):
                continue
            if person == "hotline" and PUBLIC not in page.roles:
                continue  # of the whole city
            for method in _methods(name).intersection(methods) or _methods(name):
                nothing, _wrote = _finds(as_(person), method, absent)
                for url in [*urls, reverse(name, args=ours)] if person == "stranger" else urls:
                    answer, wrote = _finds(as_(person), method, url)
                    alike = answer.status_code == nothing.status_code == 404 and not wrote
                    if not alike or _same(answer, url) != _same(nothing, absent):
                        yield name, person, method, answer.status_code


def test_anothers_object_is_answered_as_none(as_, city, theirs, unlogged):
    clients = cache(as_)
    assert list(leaks(clients, city, theirs)) == []
    # Control: it is there, and ours is found by those who do not find theirs.
    for name, one in theirs.items():
        method = "post" if PAGES[name].method == "post" else "get"
        answer, _wrote = _finds(clients(one.owner), method, reverse(name, args=one.args))
        assert answer.status_code not in {403, 404, 405}, (name, one.owner, answer.status_code)
        if answer.status_code == 302:
            assert not answer.url.startswith(reverse("sign_in")), name
        ours, page = one.ours or arguments(name, city), PAGES[name]
        if ours != one.args:
            mine = [who for who in CUT if ROLES[who] in page.roles and who not in page.missing | {"stranger"}]
            url = reverse(name, args=ours)
            assert {_finds(clients(who), method, url)[0].status_code for who in mine} - {403, 404}, name


def test_control_where_nothing_is_cut_it_is_named(as_, city, theirs, plain_refusals, monkeypatch):
    """Everybody sees the whole city, and acts for the other family."""
    monkeypatch.setattr(scope, "sees_whole_city", lambda user: True)
    monkeypatch.setattr(scope, "elders", lambda user: Elder.objects.all())
    monkeypatch.setattr(scope, "own_places", lambda user, day: Premises.objects.all())
    monkeypatch.setattr(scope, "work_orders", lambda user: WorkOrder.objects.all())
    monkeypatch.setattr(hotline, "_people", lambda user: None)
    family = Acting(city.people["neighbour"].own_records.get().elder, city.people["neighbour"])
    monkeypatch.setattr(acting, "_choices", lambda user: [family])
    clients = cache(as_)
    unseen = {name for name, one in theirs.items() if not any(leaks(clients, city, {name: one}, ("get",)))}
    assert unseen == BY_ITSELF


@pytest.fixture(scope="module")
def offers() -> dict[str, list[Offered]]:
    """What each person's pages offered to do, once that person has opened them."""
    return {}


def test_what_a_page_does_not_offer_cannot_be_done(as_, city, offers):
    """Each form that is offered to somebody, sent by everybody else who may open its page: nothing changes."""
    of = {person: offers.get(person) or walk(as_, city, person, _look) for person in PEOPLE}
    everything = {form.act: (form, person) for person, forms in of.items() for form in forms}
    rows, tried, effective = Unchanged(), 0, 0
    for form, whose in everything.values():
        effective += bool(_changed(as_(whose), form, rows))
        for person, forms in of.items():
            page = PAGES[form.view]
            if page.public or not page.lets_in(person) or form.act in {one.act for one in forms}:
                continue  # whose role it is not is refused before anything is looked at, see above
            tried += 1
            assert _changed(as_(person), form, rows) == set(), (person, form.view, form.button)
    assert tried > 100
    assert effective > 40, "the control: sent by whom it is offered to, a form does what it says"


def _changed(client, form: Offered, rows: Unchanged) -> set[str]:
    """The tables that are others once this was sent; taken back afterwards."""
    with transaction.atomic():
        before = written()
        answer = client.post(form.url, dict([*form.sent, form.button]))
        if answer.streaming:
            b"".join(answer.streaming_content)
        assert answer.status_code < 500
        changed = rows.since(before)
        transaction.set_rollback(True)
    return changed


def test_a_stranger_finds_nothing(as_, city):
    """A manager of a firm without leases: an empty list."""
    assert "LS0" not in as_("stranger").get(reverse("statements")).content.decode()


@pytest.mark.parametrize(
    ("person", "leases"), [("manager", 3), ("street", 4), ("otherstreet", 4), ("clerk", 8)]
)
def test_the_list_of_statements_holds_what_one_may_see(as_, city, person, leases):
    page = as_(person).get(reverse("statements"), {"month": f"{city.month:%Y-%m}"})
    assert page.context["listing"].total == leases


def test_another_streets_officer_cannot_reveal(as_, city):
    url = reverse("reveal", args=[city.redemptions[0].number])
    assert as_("otherstreet").post(url, {"reason": "curiosity"}).status_code == 404


def test_a_clerk_of_one_division_sees_that_division_only(as_, city):
    page = as_("streetclerk").get(reverse("bureau:month", args=[city.month]))
    assert page.context["listing"].total == 4


def test_a_clerk_of_one_street_finds_the_entries_of_its_documents_alone(as_, city):
    """By each document that an entry is posted for; those of the other street are missing. Control: they are there."""
    of = {"ours": city.leases[0].pk, "theirs": city.leases[1].pk}
    found = {
        whose: {
            "redemption": Redemption.objects.filter(lease=lease).first().entry_id,
            "statement": Statement.objects.exclude(entry=None).get(lease=lease).entry_id,
            "voucher": Movement.objects.filter(voucher__programme__lease=lease).first().entry_id,
            "issue": IssueRun.objects.filter(programme__lease=lease).first().entry_id,
        }
        for whose, lease in of.items()
    }
    found["ours"]["bank"], found["theirs"]["bank"] = (city.bank_lines[n].entry_id for n in (0, 2))
    for whose, entries in found.items():
        for document, entry in entries.items():
            url = reverse("entry", args=[entry])
            assert as_("streetclerk").get(url).status_code == {"ours": 200, "theirs": 404}[whose], document
            assert as_("clerk").get(url).status_code == 200, document


def test_a_clerk_of_one_street_starts_no_work_of_the_city(as_, city):
    """Neither on its page nor past it, and finds no run of another; of their own steps they see the run."""
    clerk = city.people["streetclerk"]
    before = Job.objects.count()
    assert (
        as_("streetclerk").post(reverse("work_kind", args=["issue"]), {"on": "2026-09-01"}).status_code == 403
    )
    with pytest.raises(CannotStart) as refused:
        start(kind="issue", args={"on": "2026-09-01"}, by=clerk, at=timezone.now())
    assert (refused.value.code, Job.objects.count()) == ("not_city", before)
    assert as_("streetclerk").get(reverse("job", args=[city.jobs[0].pk])).status_code == 404
    own = start(kind="steps", args={"seen": {}, "step": "confirm"}, by=clerk, at=timezone.now())
    assert as_("streetclerk").get(reverse("job", args=[own.pk])).status_code == 200
    assert (
        as_("clerk").post(reverse("work_kind", args=["issue"]), {"on": "2026-09-01"}).status_code == 302
    )  # control


@pytest.mark.parametrize("person", ["streetclerk", "streetapprover", "clerk"])
def test_no_page_leads_where_one_may_not_go(as_, city, person):
    """Of the pages that those of one street open, no link leads to a page about the whole city."""
    client, dead = as_(person), set()
    forbidden = [re.compile(address(name, city)) for name, page in PAGES.items() if page.city]
    forbidden += [re.compile(reverse(name) + ".*") for name in ("work", "reports:books")]
    for name, url in all_pages(city).items():
        page = client.get(url)
        if page.status_code == 200 and PAGES.get(name, PAGES["home"]).lets_in(person):
            hrefs = set(re.findall(r'(?:href|action)="([^"?#]+)', page.content.decode()))
            dead |= {(name, href) for href in hrefs for one in forbidden if one.fullmatch(href)}
    assert bool(dead) is (person == "clerk"), dead  # control: the whole city's clerk has such links


def test_addresses_that_do_not_fit_are_missing(as_, city):
    client = as_("clerk")
    for url in (
        "/bureau/months/2026-13/",
        "/bureau/months/2019-01/",
        "/statements/LS9999/2026-08/",
        "/statements/LS0000/2026-08/lines/nonsense/",
        "/redemptions/RD-1/",
        "/redemptions/RD-999999999/",
        "/vouchers/PG0001-000000001/",  # the number of another programme's voucher
        "/entries/99999999/",
        "/issues/99999999/",
    ):
        assert client.get(url).status_code == 404, url


# Controls: the declarations and the middleware do what the table relies on.


@anyone
def said(request):
    return HttpResponse("said")


@roles(Role.AUDITOR)
def for_auditors(request):
    return HttpResponse("audit")


def unsaid(request):
    return HttpResponse("nobody said who may see this")


urlpatterns = [
    path("said/", said),
    path("auditors/", for_auditors),
    path("unsaid/", unsaid),
    *web_urls.urlpatterns,
]


@override_settings(ROOT_URLCONF=__name__)
def test_an_undeclared_view_cannot_be_reached(as_):
    assert as_("auditor").get("/said/").content == b"said"
    assert as_("auditor").get("/auditors/").content == b"audit"
    assert as_("cashier").get("/said/").content == b"said"
    unsaid_to = [as_(person).get("/unsaid/") for person in ("", "auditor", "administrator")]
    assert [response.status_code for response in unsaid_to] == [403, 403, 403]
    assert not any(b"nobody said" in response.content for response in unsaid_to)


def test_a_declaration_needs_a_role():
    with pytest.raises(ValueError, match="at least one role"):
        roles()


# What checks by itself: the API and the admin

TOKENS = {"terminal", "partner", "code"}
BY_TOKEN = {"terminal", "partner"}
OPERATIONS = {  # who is heard: by what kind of token, and by which roles' session
    "redeem": BY_TOKEN,
    "quote": BY_TOKEN,
    "reverse": BY_TOKEN | DECIDERS,
    "send_offline_batch": BY_TOKEN,
    "about_terminal": {"terminal"},
    "register_key": {"terminal"},
    "statements": {"partner"} | TRACE,
    "my_vouchers": {"code"},
    "enrol": TOKENS | EVERYBODY | {None},
}
SENT = {
    "reverse": {"reason": "a check of the rights"},
    "register_key": {"algorithm": "Ed25519", "public": "AAAA", "proof": "AAAA"},
}


def test_the_api_hears_whom_its_table_names(as_, city, unlogged):
    """Every operation, by each role's session and each kind of token; else 401 or 403, and nothing is written."""
    now, by = timezone.now(), city.people["clerk"]
    place = city.leases[0].premises
    _made, partner = add_partner(name="收银", operators=[city.leases[0].operator], by=by, at=now)
    tokens = {
        "terminal": add_terminal(premises=place, name="一号", by=by, at=now).token,
        "partner": partner,
        "code": elder_token(elder=city.redemptions[0].elder, at=now),
        "none of ours": "nonsense",
    }
    asking = {person: (as_(person), {}, role) for person, role in PERSON.items()}
    asking |= {
        kind: (Client(), {"authorization": f"Bearer {token}"}, kind if kind in TOKENS else None)
        for kind, token in tokens.items()
    }
    found = set()
    for route, operations in api.get_openapi_schema()["paths"].items():
        url = route.replace("{number}", city.redemptions[0].number)
        url += f"?month={city.month:%Y-%m}" if route.endswith("/statements") else ""
        for method, operation in operations.items():
            name = operation["operationId"]
            found.add(name)
            for who, (client, headers, kind) in asking.items():
                _heard(client, method, url, headers, name, who, kind)
            for other in {"get", "post", "put", "patch", "delete", "options"} - {*operations}:
                assert getattr(as_("clerk"), other)(url).status_code == 405, (name, other)
    assert found == {*OPERATIONS}


def _heard(client, method, url, headers, name, who, kind):
    with transaction.atomic():
        before = written()
        answer = getattr(client, method)(
            url,
            SENT.get(name) if method == "post" else None,
            content_type="application/json",
            headers=headers,
        )
        wrote = {table for table, rows in written().items() if rows != before.get(table, 0)} - OWN
        transaction.set_rollback(True)
    if kind in OPERATIONS[name]:
        assert answer.status_code not in (401, 403) and answer.status_code < 500, (name, who, answer.content)
    else:
        assert answer.status_code in (401, 403) and not wrote, (name, who, answer.status_code)


def test_anothers_is_no_more_to_the_api_than_none(as_, city, theirs, unlogged):
    number, lease = theirs["reversal"].args[0], city.leases[1].code
    asked = f"/api/v1/statements?month={city.month:%Y-%m}&lease="
    for person in ("manager", "street", "streetclerk", "streetapprover"):
        one, none = (as_(person).get(asked + code) for code in (lease, "LS9999"))
        assert (one.status_code, one.content) == (404, none.content), person
    for person in ("streetclerk", "streetapprover"):
        one, none = (
            as_(person).post(
                f"/api/v1/redemptions/{of}/reversal", SENT["reverse"], content_type="application/json"
            )
            for of in (number, "RD-999999999")
        )
        assert (one.status_code, one.content) == (404, none.content), person
    assert as_("clerk").get(asked + lease).status_code == 200  # control


def _of_the_admin(found=None, prefix="/admin/") -> Iterator[str]:
    """Every address of the admin, of the first row where it names one."""
    for one in admin.site.urls[0] if found is None else found:
        route = prefix + re.sub(r"<path:\w+>", "1", str(one.pattern))
        if hasattr(one, "url_patterns"):
            yield from _of_the_admin(one.url_patterns, route)
        elif "(?P<" not in route and not route.endswith("category/jsi18n/"):
            yield route  # all but the words of a script, of Oscar's, which are nobody's


def test_the_admin_opens_to_administrators_alone(as_, city, unlogged):
    urls = list(_of_the_admin())
    assert len(urls) > 400
    few = [url for url in urls if "/accounts/" in url or url.count("/") < 4]
    clients = {person: as_(person) for person, role in PERSON.items() if role != Role.ADMINISTRATOR}
    before = written()
    for person, client in clients.items():
        for url in urls if person == "security" else few:
            answers = [getattr(client, method)(url) for method in ("get", "post")]
            assert {one.status_code for one in answers} <= {302, 403, 404, 405}, (person, url)
            assert not any(one.status_code == 302 and "_changelist" in one.url for one in answers), (
                person,
                url,
            )
    assert {table for table, rows in written().items() if rows != before.get(table, 0)} <= OWN
    assert as_("administrator").get(reverse("admin:index")).status_code == 200  # control
