"""Who may open what: every address of the URLconf x every role x every method."""

import re
from copy import deepcopy

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path, reverse
from django.utils import timezone

from marketplace.accounts.models import Role
from marketplace.jobs.models import Job
from marketplace.jobs.operations import CannotStart, start
from marketplace.web import urls as web_urls
from marketplace.web.access import anyone, declared, roles
from tests.web.addresses import PAGES, address, all_pages, names, patterns
from tests.web.builder import OF_A_STREET, PEOPLE
from tests.web.offered import Offered, Unchanged, offered, written
from vouchers.models import IssueRun, Movement, Redemption, Statement

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


@pytest.mark.parametrize("person", ["", "clerk", "manager", "cashier"])
def test_a_page_answers_its_own_method_only(as_, city, person):
    """Reading pages take no writing method; the few that write cannot be opened by a link."""
    client = as_(person)
    for name, page in PAGES.items():
        own = {"get", "post"} if name in BOTH or page.posts else {page.method}
        for method in {"get", "post", "put", "patch", "delete"} - own:
            response = getattr(client, method)(address(name, city))
            assert response.status_code in (302, 403, 405), (name, method, response.status_code)
            if response.status_code == 302:
                assert response.url.startswith(reverse("sign_in")), (name, method)


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


def _of_another(city) -> dict[str, str]:
    """Objects of the second lease: of another operator, in the other street."""
    other = city.leases[1]
    redemption = next(r for r in city.redemptions if r.lease_id == other.pk)
    voucher = redemption.movements.get().voucher
    return {
        "statement": reverse("statement", args=[other.code, city.month]),
        "lines": reverse("lines", args=[other.code, city.month, "earned"]),
        "redemption": reverse("redemption", args=[redemption.number]),
        "voucher": reverse("voucher", args=[voucher.serial]),
    }


@pytest.mark.parametrize("person", ["manager", "street"])
def test_anothers_object_is_missing(as_, city, person):
    for name, url in _of_another(city).items():
        assert as_(person).get(url).status_code == 404, name
        assert as_("clerk").get(url).status_code == 200, name  # control: it is there


def test_a_stranger_finds_nothing(as_, city):
    """A manager of a firm without leases: an empty list, and 404 wherever an object is named."""
    client = as_("stranger")
    assert "LS0" not in client.get(reverse("statements")).content.decode()
    for name in ("statement", "lines", "redemption", "voucher"):
        assert client.get(address(name, city)).status_code == 404, name


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
