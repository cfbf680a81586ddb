"""Who may open what: every address of the URLconf x every role x every method."""

from copy import deepcopy

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path, reverse

from marketplace.accounts.models import Role
from marketplace.web import urls as web_urls
from marketplace.web.access import anyone, declared, roles
from tests.web.addresses import PAGES, address, names, patterns
from tests.web.builder import PEOPLE

BOTH = {"sign_in", "people:whom"}  # pages with a form of their own
PERSON = {
    "": None,
    **{name: str(role) for name, role in PEOPLE.items() if name not in ("stranger", "otherstreet")},
}


def test_every_address_is_in_the_table():
    assert sorted(set(names())) == sorted(PAGES)


def test_every_view_says_who_may_open_it():
    assert [str(p.pattern) for p in patterns() if declared(p.callback) is None] == []


@pytest.mark.parametrize("person", PERSON)
def test_each_role_opens_its_own_pages_only(as_, city, person):
    role = PERSON[person]
    client = as_(person)
    signed_in = deepcopy(client.cookies)
    for name, page in PAGES.items():
        with transaction.atomic():
            _opens_or_not(client, city, person, role, name, page)
            transaction.set_rollback(True)  # each page by itself: some end what others need
        client.cookies = deepcopy(signed_in)


def _opens_or_not(client, city, person, role, name, page):
    data = {"reason": "a check of the rights"} if name == "reveal" else {}
    response = getattr(client, page.method)(address(name, city), data)
    if person in page.missing:
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
    clerk = city.people["clerk"]
    clerk.division = city.people["street"].division
    clerk.save()
    page = as_("clerk").get(reverse("bureau:month", args=[city.month]))
    assert page.context["listing"].total == 4


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
