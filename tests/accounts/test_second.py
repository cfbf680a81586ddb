"""The second factor: who needs it, set up once, each code taken once, five tries, paper for a lost phone."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import second
from marketplace.accounts.codes import WrongCode
from marketplace.accounts.models import RecoveryCode, SecondFactor, Try, User
from tests import story
from tests.threads import at_once

PASSWORD = "correct horse battery"
HERE = "203.0.113.7"


@pytest.fixture
def clerk(db, settings) -> User:
    settings.SECOND_FACTOR_REQUIRED = True
    return with_password("clerk", "bureau_clerk")


def with_password(name: str, role: str) -> User:
    user = story.user(name, role)
    user.set_password(PASSWORD)
    user.save()
    return user


def shown(secret: str, at) -> str:
    """What the app shows at this moment."""
    key = base64.b32decode(secret.replace(" ", ""))
    return TOTP(key, 6, SHA1(), 30).generate(int(at.timestamp())).decode()


def sign_in(name: str = "clerk") -> tuple[Client, str]:
    """A client whose password was right, and where it is led."""
    client = Client(headers={"accept-language": "en"})
    page = client.post(reverse("sign_in") + "?next=/statements/", {"username": name, "password": PASSWORD})
    return client, page.url


def set_up(user: User) -> tuple[str, list[str]]:
    secret, _uri = second.begin(user=user, at=timezone.now())
    past = timezone.now() - timedelta(minutes=5)
    return secret, second.confirm(user=user, code=shown(secret, past), address=HERE, at=past)


def test_the_clerk_sets_it_up_at_the_first_sign_in_and_is_asked_at_the_next(clerk):
    client, url = sign_in()
    assert url == reverse("sign_in_set_up")
    assert client.get("/statements/").status_code == 302  # half-way is not in
    page = client.get(url)
    secret = page.context["secret"]
    assert "no-store" in page["Cache-Control"]
    wrong = client.post(url, {"code": "000000"}).content.decode()
    assert "This is not the code" in wrong and not SecondFactor.objects.get().confirmed_at
    page = client.post(url, {"code": shown(secret, timezone.now())})
    paper = page.context["paper"]
    assert len(paper) == 8 and page.context["next"] == "/statements/"
    assert client.get("/statements/").status_code == 200

    client, url = sign_in()
    assert url == reverse("sign_in_second")
    assert client.get(reverse("sign_in_set_up")).url == reverse("sign_in")  # the secret is never shown again
    assert client.post(url, {"code": shown(secret, timezone.now() - timedelta(minutes=3))}).status_code == 200
    assert client.post(url, {"code": paper[0]}).url == "/statements/"
    assert client.get("/statements/").status_code == 200
    client, url = sign_in()
    assert client.post(url, {"code": paper[0]}).status_code == 200  # once


def test_who_needs_it(db, settings):
    roles = ("bureau_clerk", "bureau_approver", "administrator", "auditor", "street_officer", "hotline_agent")
    for name in roles:
        with_password(name, name)
    for required, asked in ((True, set(roles[:4])), (False, set())):
        settings.SECOND_FACTOR_REQUIRED = required
        assert {name for name in roles if sign_in(name)[1] == reverse("sign_in_set_up")} == asked
    set_up(User.objects.get(username="street_officer"))
    assert sign_in("street_officer")[1] == reverse("sign_in_second")  # who has one is always asked


def test_half_way_ends_after_ten_minutes_and_without_a_password_there_is_no_way(clerk):
    client, url = sign_in()
    kept = client.session
    kept["signing_in"] |= {"since": (timezone.now() - timedelta(minutes=11)).isoformat()}
    kept.save()
    assert client.get(url).url == reverse("sign_in")
    for name in ("sign_in_second", "sign_in_set_up"):
        assert Client().post(reverse(name), {"code": "123456"}).url == reverse("sign_in")


def test_the_admin_has_no_door_of_its_own(clerk):
    page = Client().get("/admin/login/?next=/admin/")
    assert page.status_code == 302 and page.url.startswith(reverse("sign_in"))


def test_a_code_is_taken_once_and_codes_go_forward_only(clerk):
    secret, _paper = set_up(clerk)
    now = timezone.now()
    second.verify(user=clerk, code=shown(secret, now), address=HERE, at=now)
    for moment in (now, now - timedelta(seconds=30)):
        with pytest.raises(WrongCode):
            second.verify(user=clerk, code=shown(secret, moment), address=HERE, at=now)
    later = now + timedelta(seconds=60)
    second.verify(user=clerk, code=shown(secret, later + timedelta(seconds=30)), address=HERE, at=later)


def test_five_wrong_ones_and_not_even_the_right_one(clerk):
    secret, paper = set_up(clerk)
    now = timezone.now()
    for n in range(5):
        with pytest.raises(WrongCode):
            second.verify(user=clerk, code=f"99999999{n:02d}", address=HERE, at=now)
    for code in (shown(secret, now), paper[0]):
        with pytest.raises(WrongCode) as refusal:
            second.verify(user=clerk, code=code, address=HERE, at=now)
        assert refusal.value.left == 0
    later = now + timedelta(minutes=16)
    second.verify(user=clerk, code=shown(secret, later), address=HERE, at=later)
    assert not Try.objects.exists()


def test_one_code_at_two_doors_at_once_opens_one(fresh_db, settings):
    user = with_password("clerk", "bureau_clerk")
    secret, _paper = set_up(user)
    now = timezone.now()
    answers = at_once([lambda: second.verify(user=user, code=shown(secret, now), address=HERE, at=now)] * 4)
    assert answers.count(None) == 1


def test_secrets_and_paper_are_not_readable_in_the_database(clerk):
    secret, paper = set_up(clerk)
    kept = bytes(SecondFactor.objects.get().secret_sealed)
    assert base64.b32decode(secret).hex().encode() not in kept and base64.b32decode(secret) not in kept
    assert all(one.encode() not in bytes(row.digest) for one in paper for row in RecoveryCode.objects.all())


def test_phone_and_paper_lost(clerk, capsys):
    story.user("boss", "administrator")
    story.user("approver", "bureau_approver")
    set_up(clerk)
    for name, by in (
        ("clerk", "clerk"),
        ("clerk", "approver"),
        ("boss", "boss"),
    ):  # nobody's own, no other role
        with pytest.raises(CommandError):
            call_command("reset_second_factor", name, "--by", by)
        with pytest.raises(second.CannotForget):
            now = timezone.now()
            second.forget(user=User.objects.get(username=name), by=User.objects.get(username=by), at=now)
    assert second.has_one(clerk)
    call_command("reset_second_factor", "clerk", "--by", "boss")
    assert sign_in()[1] == reverse("sign_in_set_up")
    assert not RecoveryCode.objects.exists()
