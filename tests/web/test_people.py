"""Grandma Li, her daughter far away, the agent on the telephone, and the stranger who gets 404 everywhere."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.models import Record as AuditRecord
from marketplace.accounts.models import User
from marketplace.accounts.operations import account_of_phone
from marketplace.families import operations as families
from marketplace.messages.models import Message
from tests import story
from tests.threads import at_once
from vouchers.codes.operations import set_pin
from vouchers.delegates import operations as delegates
from vouchers.delegates.models import Call, Consent, Delegation, OwnRecord, PaperCode
from vouchers.delegates.operations import CannotAct
from vouchers.elders.models import Elder

DAUGHTER, STRANGER = "13800000088", "13800000099"


@pytest.fixture
def town(db) -> None:
    story.town()


def person(phone: str, language: str = "en") -> Client:
    """Somebody who has signed in with this phone."""
    client = Client(headers={"accept-language": language})
    client.force_login(
        account_of_phone(phone=phone, at=timezone.now()),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def staff(name: str, role: str, **where) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(story.user(name, role, **where), backend="django.contrib.auth.backends.ModelBackend")
    return client


def last_code() -> str:
    return Message.objects.exclude(secret_sealed=None).latest("id").secret()["code"]


def told(elder: Elder) -> list[str]:
    return [message.kind for message in Message.objects.filter(elder=elder).order_by("id")]


def id_of(elder: Elder) -> str:
    return elder.id_number()


def answer(client: Client, name: str, args=(), /, **data):
    """Fill in the page of this name; it must lead on."""
    page = client.post(reverse(name, args=args), data)
    assert page.status_code == 302, (name, page.content.decode()[-3000:])
    return page


def refused(client: Client, name: str, **data) -> str:
    """Fill in the page; it must say what is wrong, in the summary and at the field, and stay."""
    page = client.post(reverse(name), data)
    text = page.content.decode()
    assert page.status_code == 200 and 'id="errors"' in text, (name, page.status_code)
    return text


# Signing in


def test_grandma_li_signs_in_with_her_phone_and_sees_her_vouchers(town):
    """Phone, code, ID number, consent: four questions; the phone on file is the one she signed in with."""
    li, client = story.elder_named("LI"), Client(headers={"accept-language": "zh-hans"})
    wanted = reverse("family:wallet")
    page = client.get(wanted)
    assert page.url.startswith(reverse("sign_in_phone"))
    assert client.post(page.url, {"phone": f" +86 {li.phone()[:3]}－{li.phone()[3:]} "}).url == reverse(
        "sign_in_code"
    )
    assert 'autocomplete="one-time-code"' in client.get(reverse("sign_in_code")).content.decode()
    code = last_code()
    page = answer(client, "sign_in_code", code=f"{code[:3]} {code[3:]}")
    assert page.url == wanted
    assert client.session.get_expiry_age() > 89 * 24 * 3600
    assert client.get(wanted).url.startswith(reverse("people:start"))
    assert answer(client, "people:own", id_number=id_of(li).lower()).url == reverse("people:consent")
    text = refused(client, "people:consent", notice="on")
    assert "请勾选" in text and not OwnRecord.objects.exists()
    answer(client, "people:consent", notice="on", sensitive="on")
    assert client.get(wanted).status_code == 200
    assert [(c.matter, c.version, c.given) for c in Consent.objects.order_by("matter")] == [
        ("notice", delegates.NOTICE_VERSION, True),
        ("sensitive", delegates.NOTICE_VERSION, True),
    ]
    assert told(li) == ["record_claimed"]
    assert "正在替" not in client.get(wanted).content.decode()  # it is she herself


def test_five_wrong_codes_and_not_even_the_right_one(town):
    li = story.elder_named("LI")
    client = Client(headers={"accept-language": "en"})
    client.post(reverse("sign_in_phone"), {"phone": li.phone()})
    code = last_code()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    texts = [refused(client, "sign_in_code", code=wrong) for _ in range(5)]
    assert "you can try 4 more times" in texts[0] and "Too many wrong codes" in texts[4]
    assert "Too many wrong codes" in refused(client, "sign_in_code", code=code)
    neighbour = Client()
    neighbour.post(reverse("sign_in_phone"), {"phone": DAUGHTER})
    answer(neighbour, "sign_in_code", code=last_code())  # at the same address, unharmed


def test_a_second_code_waits_a_minute_and_the_page_says_so(db):
    client = Client(headers={"accept-language": "en"})
    client.post(reverse("sign_in_phone"), {"phone": DAUGHTER})
    assert "seconds" in refused(client, "sign_in_code", again="1")
    assert "seconds" in refused(client, "sign_in_phone", phone=DAUGHTER)
    assert Message.objects.count() == 1


def test_a_closed_account_stays_closed(db):
    user = account_of_phone(phone=DAUGHTER, at=timezone.now())
    User.objects.filter(pk=user.pk).update(is_active=False)
    client = Client(headers={"accept-language": "en"})
    client.post(reverse("sign_in_phone"), {"phone": DAUGHTER})
    assert "closed" in refused(client, "sign_in_code", code=last_code())
    assert client.get(reverse("people:start")).status_code == 302


def test_signing_in_by_phone_never_leads_away(db):
    client = Client()
    client.post(reverse("sign_in_phone") + "?next=https://elsewhere.example/", {"phone": DAUGHTER})
    assert answer(client, "sign_in_code", code=last_code()).url == reverse("home")


# The elder's own record


def test_from_another_phone_the_code_goes_to_the_phone_on_file(town):
    li, client = story.elder_named("LI"), person(DAUGHTER)
    answer(client, "people:own", id_number=id_of(li))
    answer(client, "people:own_phone", phone=li.phone())
    message = Message.objects.latest("id")
    assert (message.kind, message.elder) == ("record_code", li)
    answer(client, "people:own_code", code=last_code())
    answer(client, "people:consent", notice="on", sensitive="on")
    assert client.get(reverse("family:home")).status_code == 200


def test_whether_somebody_is_on_the_register_is_never_told(town):
    """A stranger with an ID number of nobody, or of Grandma Li and a phone of his own: the same pages, no message."""
    li = story.elder_named("LI")
    for number, phone in (
        (story.resident_id(li.birth_on, 777), li.phone()),
        (id_of(li), STRANGER),
        (id_of(story.elder_named("ZHANG")), li.phone()),
    ):
        client = person(f"1380000{Message.objects.count() + User.objects.count():04d}")
        assert answer(client, "people:own", id_number=number).url == reverse("people:own_phone")
        assert answer(client, "people:own_phone", phone=phone).url == reverse("people:own_code")
        assert "you can try 4 more times" in refused(client, "people:own_code", code="000000")
        assert client.get(reverse("people:consent")).url == reverse("people:own")
        assert client.get(reverse("family:home")).status_code == 302
    assert not Message.objects.exists()


def test_id_numbers_are_guessed_five_times_at_most(town):
    li, client = story.elder_named("LI"), person(story.elder_named("LI").phone())
    for n in range(5):
        answer(client, "people:own", id_number=story.resident_id(li.birth_on, 700 + n))
    assert "Too many" in refused(client, "people:own", id_number=id_of(li))


def test_a_paper_code_works_once_and_until_its_day(town):
    li = story.elder_named("LI")
    clerk = staff("clerk-2", "bureau_clerk")
    first, second = (
        clerk.post(reverse("hotline:paper", args=["LI"])).context["code"].replace(" ", "") for _ in range(2)
    )
    client = person(DAUGHTER)
    assert "does not fit" in refused(client, "people:own_paper", code=first)  # the later one took its place
    answer(client, "people:own_paper", code=f"{second[:5]} {second[5:]}")
    answer(client, "people:consent", notice="on", sensitive="on")
    assert OwnRecord.objects.get().elder == li
    assert "does not fit" in refused(person(STRANGER), "people:own_paper", code=second)
    third, made = delegates.print_paper_code(elder=li, by=story.user_named("clerk"), at=timezone.now())
    PaperCode.objects.filter(pk=made.pk).update(until=timezone.localdate() - timedelta(days=1))
    assert "does not fit" in refused(person(STRANGER), "people:own_paper", code=third)


def test_withdrawing_consent_unties_the_record_and_leaves_the_vouchers(town):
    li = story.elder_named("LI")
    client = person(li.phone())
    answer(client, "people:own", id_number=id_of(li))
    answer(client, "people:consent", notice="on", sensitive="on")
    assert "2026-11" in client.get(reverse("people:privacy")).content.decode()
    answer(client, "people:withdraw")
    assert client.get(reverse("family:home")).status_code == 302
    assert Consent.objects.filter(given=False).count() == 2


def test_two_claims_at_once_are_one(fresh_db):
    story.town()
    li, user = story.elder_named("LI"), account_of_phone(phone=DAUGHTER, at=timezone.now())
    given = {"notice": True, "sensitive": True, "at": timezone.now()}
    made = at_once([lambda: families.claim(user=user, elder=li, **given)] * 8)
    assert {own.pk for own in made} == {OwnRecord.objects.get().pk}
    assert Consent.objects.count() == 2 and told(li) == ["record_claimed"]


def test_one_paper_code_used_by_two_at_once_ties_one(fresh_db):
    story.town()
    code, _ = delegates.print_paper_code(
        elder=story.elder_named("LI"), by=story.user_named("clerk"), at=timezone.now()
    )
    users = [account_of_phone(phone=f"1380000{n:04d}", at=timezone.now()) for n in range(6)]
    given = {"code": code, "notice": True, "sensitive": True, "at": timezone.now()}
    answers = at_once([lambda user=user: families.claim_by_paper(user=user, **given) for user in users])
    assert sum(isinstance(one, OwnRecord) for one in answers) == 1 == OwnRecord.objects.count()
    assert [str(one.code) for one in answers if isinstance(one, CannotAct)] == ["paper_unknown"] * 5


# Family


def asks(client: Client, elder: Elder, *, phone: str = "", may: str = "300") -> None:
    answer(client, "people:ask", elder=elder.name, phone=phone or elder.phone())
    answer(client, "people:ask_me", name="李小红", relation="child")
    answer(client, "people:ask_terms", may=may, months="6")


def grandma(code: str = "LI") -> Client:
    """The elder's own telephone."""
    elder = story.elder_named(code)
    client = person(elder.phone())
    families.claim(
        user=User.objects.get(pk=client.session["_auth_user_id"]),
        elder=elder,
        notice=True,
        sensitive=True,
        at=timezone.now(),
    )
    return client


def test_the_daughter_asks_grandma_tells_the_code_and_ends_it_in_three_taps(town):
    li, daughter = story.elder_named("LI"), person(DAUGHTER)
    home = reverse("family:home")
    asks(daughter, li)
    assert told(li) == ["delegate_asks"]
    assert "李小红" in Message.objects.latest("id").text() and "300" in Message.objects.latest("id").text()
    assert daughter.get(home).status_code == 302  # asking lets nobody in
    answer(daughter, "people:ask_code", code=last_code())
    page = daughter.get(home).content.decode()
    assert "Acting for 李桂兰" in page
    assert told(li) == ["delegate_asks", "delegate_may_act"]
    li_at_home = grandma()
    one = Delegation.objects.get()
    assert reverse("people:people") in li_at_home.get(home).content.decode()  # first tap
    assert reverse("people:end", args=[one.pk]) in li_at_home.get(reverse("people:people")).content.decode()
    assert "Shall 李小红" in li_at_home.get(reverse("people:end", args=[one.pk])).content.decode()
    answer(li_at_home, "people:end", [one.pk])
    assert daughter.get(home).status_code == 302  # with her next press of a button
    assert daughter.post(reverse("people:whom"), {"elder": "LI"}).status_code == 404
    assert Message.objects.filter(user=one.user).latest("id").kind == "delegate_ended"


def test_grandma_beside_her_daughter_agrees_with_her_pin(town):
    li, daughter, stranger = story.elder_named("LI"), person(DAUGHTER), person(STRANGER)
    assert daughter.get(reverse("people:ask_pin")).status_code == 302, "first one asks"
    set_pin(elder=li, pin="730514", by="test", at=timezone.now())
    asks(stranger, li, phone=story.elder_named("ZHANG").phone())
    asks(daughter, li)
    assert reverse("people:ask_pin") in daughter.get(reverse("people:ask_code")).content.decode()
    for who in (daughter, stranger):  # there is such an elder, or not: the words are the same
        assert "This PIN does not fit." in refused(who, "people:ask_pin", pin="111222")
    assert not Delegation.objects.filter(state="agreed").exists()
    answer(daughter, "people:ask_pin", pin="７３０ ５１４")
    one = Delegation.objects.get()
    assert (one.state, one.agreed_by, one.user.phone_tail) == ("agreed", "pin", DAUGHTER[-4:])
    assert told(li) == ["delegate_asks", "delegate_may_act"]
    said = [refused(stranger, "people:ask_pin", pin="111222") for _ in range(5)]
    assert "Too many wrong codes" in said[-1] and "Too many wrong codes" not in said[0]


def test_grandma_answers_on_her_own_phone(town):
    li, daughter = story.elder_named("LI"), person(DAUGHTER)
    li_at_home = grandma()
    for said, state in (("no", "refused"), ("yes", "agreed")):
        Delegation.objects.filter(state="asked").delete()
        families.ask_to_act(
            user=User.objects.get(phone_tail="0088"),
            name=li.name,
            phone=li.phone(),
            terms=families.Terms("李小红", "child", "see", None, timezone.localdate() + timedelta(days=30)),
            address="203.0.113.1",
            at=timezone.now() + timedelta(hours=said == "yes"),
        )
        one = Delegation.objects.get(state="asked")
        answer(li_at_home, "people:answer", [one.pk], answer=said)
        one.refresh_from_db()
        assert one.state == state
    assert one.agreed_by == "account"
    assert daughter.get(reverse("family:wallet")).status_code == 200


def test_a_stranger_learns_nothing_and_gets_404_everywhere(town):
    """Names and phones that do not fit lead through the same pages; what is another's is not there."""
    li, stranger = story.elder_named("LI"), person(STRANGER)
    asks(stranger, li, phone=story.elder_named("ZHANG").phone())
    assert "you can try 4 more times" in refused(stranger, "people:ask_code", code="000000")
    assert not Delegation.objects.exists() and not Message.objects.exists()
    daughter = person(DAUGHTER)
    asks(daughter, li)
    answer(daughter, "people:ask_code", code=last_code())
    grandma("ZHANG")
    one = Delegation.objects.get()
    zhang = person(story.elder_named("ZHANG").phone())
    for client in (stranger, zhang, daughter):
        for name in ("people:answer", "people:end"):
            assert client.post(reverse(name, args=[one.pk])).status_code == 404, name
    for client in (stranger, zhang):
        assert client.post(reverse("people:leave", args=[one.pk])).status_code == 404
        assert client.post(reverse("people:whom"), {"elder": "LI"}).status_code == 404
    assert daughter.get(reverse("people:people")).status_code == 404  # who else acts is Grandma's to know
    assert daughter.get(reverse("people:told")).status_code == 404
    assert daughter.get(reverse("family:pin")).status_code == 404
    assert grandma().get(reverse("people:people")).status_code == 200  # control


def test_the_daughter_acts_for_two_and_always_sees_for_whom(town):
    daughter = person(DAUGHTER)
    for code in ("LI", "ZHANG"):
        asks(daughter, story.elder_named(code))
        answer(daughter, "people:ask_code", code=last_code())
    assert "Acting for 张德福" in daughter.get(reverse("family:wallet")).content.decode()
    assert answer(daughter, "people:whom", elder="LI", next=reverse("family:wallet")).url == reverse(
        "family:wallet"
    )
    for name in ("family:home", "family:wallet", "people:privacy", "people:whom"):
        page = daughter.get(reverse(name)).content.decode()
        assert "Acting for 李桂兰" in page, name
    gone = Delegation.objects.get(elder__code="LI")
    answer(daughter, "people:leave", [gone.pk])
    assert "Acting for 张德福" in daughter.get(reverse("family:wallet")).content.decode()


def test_what_has_run_out_or_belongs_to_the_dead_lets_nobody_in(town):
    daughter = person(DAUGHTER)
    asks(daughter, story.elder_named("LI"))
    answer(daughter, "people:ask_code", code=last_code())
    one, home = Delegation.objects.get(), reverse("family:home")
    assert daughter.get(home).status_code == 200
    Delegation.objects.update(until=timezone.localdate() - timedelta(days=1))
    assert daughter.get(home).status_code == 302
    Delegation.objects.update(until=one.until)
    assert daughter.get(home).status_code == 200
    story.dies("LI", "2026-01-05", at="2026-01-06")
    assert daughter.get(home).status_code == 302


def test_each_act_for_another_is_told_and_recorded(town):
    li, daughter = story.elder_named("LI"), person(DAUGHTER)
    asks(daughter, li)
    answer(daughter, "people:ask_code", code=last_code())
    one = Delegation.objects.get()
    acting = families.Acting(li, one.user, delegation=one)
    for _ in range(2):
        families.acted(acting=acting, action="order", what="午餐", at=timezone.now(), once="order:1")
    assert told(li).count("acted_for") == 1
    assert "李小红已替您办理：午餐" in Message.objects.filter(kind="acted_for").get().text()
    assert AuditRecord.objects.filter(action="order", subject="LI", by=one.user.username).exists()
    families.acted(acting=families.Acting(li, one.user), action="order", what="", at=timezone.now())
    assert told(li).count("acted_for") == 1  # what she does herself she knows


def _agreed(*, cap: str | None = "300.00", scope: str = "order") -> Delegation:
    li, now = story.elder_named("LI"), timezone.now()
    asked = delegates.ask(
        user=account_of_phone(phone=DAUGHTER, at=now),
        elder=li,
        name="李小红",
        relation="child",
        scope=scope,
        cap=Decimal(cap) if cap else None,
        until=timezone.localdate(now) + timedelta(days=90),
        at=now,
    )
    return families.agree(delegation=asked, how="code", by="story", at=now)


def _code_of(call) -> str:
    with pytest.raises(CannotAct) as refusal:
        call()
    assert str(refusal.value)
    return refusal.value.code


def test_the_cap_of_a_month(town):
    one, now = _agreed(), timezone.now()

    def count(key: str, amount: str, *, after=timedelta(0)) -> None:
        delegates.count_against_cap(delegation=one, key=key, amount=Decimal(amount), at=now + after)

    count("a", "200")
    count("a", "200")  # the same order again
    assert _code_of(lambda: count("b", "100.01")) == "cap_reached"
    count("c", "100")
    count("c cancelled", "-100")
    count("d", "60")
    assert one.used(now) == Decimal("260.00")
    count("e", "300", after=timedelta(days=31))  # another month
    delegates.end(delegation=one, by="story", at=now)
    assert _code_of(lambda: count("f", "1")) == "not_open"


def test_twenty_orders_at_once_stay_under_the_cap(fresh_db):
    story.town()
    one, now = _agreed(), timezone.now()
    answers = at_once(
        [
            lambda n=n: delegates.count_against_cap(delegation=one, key=f"o{n}", amount=Decimal(40), at=now)
            for n in range(20)
        ]
    )
    assert answers.count(None) == 7
    assert {one.code for one in answers if one} == {"cap_reached"}
    assert one.used(now) == Decimal("280.00")


def test_yes_and_no_at_once_are_one_answer(fresh_db):
    story.town()
    li, now = story.elder_named("LI"), timezone.now()
    asked = delegates.ask(
        user=account_of_phone(phone=DAUGHTER, at=now), elder=li, name="李小红", relation="child",
        scope="see", cap=None, until=timezone.localdate(now), at=now,
    )  # fmt: skip
    answers = at_once(
        [lambda: families.agree(delegation=asked, how="account", by="LI", at=now)] * 4
        + [lambda: families.refuse(delegation=asked, by="LI", at=now)] * 4
    )
    assert sum(isinstance(one, Delegation) for one in answers) == 1
    assert {one.code for one in answers if isinstance(one, CannotAct)} == {"not_open"}


def test_who_may_only_look_does_not_order(town):
    one = _agreed(cap=None, scope="see")
    assert (
        _code_of(
            lambda: delegates.count_against_cap(delegation=one, key="a", amount=Decimal(1), at=timezone.now())
        )
        == "may_not_order"
    )
    assert not families.Acting(one.elder, one.user, delegation=one).may_order


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": " "}, "name_missing"),
        ({"days": 400}, "too_long"),
        ({"days": -1}, "too_long"),
        ({"cap": "0.50"}, "cap_wrong"),
        ({"cap": "2000.01"}, "cap_wrong"),
    ],
)
def test_terms_that_cannot_be_asked_for(town, wrong, code):
    now = timezone.now()
    terms = {"name": "李小红", "days": 90, "cap": "300"} | wrong
    assert (
        _code_of(
            lambda: delegates.ask(
                user=account_of_phone(phone=DAUGHTER, at=now),
                elder=story.elder_named("LI"),
                name=terms["name"],
                relation="child",
                scope="order",
                cap=Decimal(terms["cap"]),
                until=timezone.localdate(now) + timedelta(days=terms["days"]),
                at=now,
            )
        )
        == code
    )


def test_every_state_of_a_delegation_has_its_moves():
    assert set(Delegation.MOVES) == set(Delegation.State)
    assert set(Delegation.OPEN) == {state for state, moves in Delegation.MOVES.items() if moves}


# The telephone


def test_the_agent_finds_rings_back_and_acts(town):
    """Only after ringing the number on file; the agent never comes to PIN or code; the elder hears of each act."""
    from vouchers.elders.search import learn_names

    li, agent = story.elder_named("LI"), staff("agent", "hotline_agent")
    learn_names([elder.name for elder in Elder.objects.all()])
    found = agent.post(reverse("hotline:search"), {"q": f"lgl {li.phone_tail}"})
    assert [elder.code for elder, _name in found.context["found"]] == ["LI"]
    card = agent.get(reverse("hotline:elder", args=["LI"])).content.decode()
    assert li.phone() not in card and li.phone()[-4:] in card
    answer(agent, "hotline:start", ["LI"])
    assert agent.get(reverse("family:home")).url == reverse("hotline:search")  # not yet
    page = agent.get(reverse("hotline:call")).content.decode()
    assert li.phone() not in page
    assert li.phone() in agent.post(reverse("hotline:number")).content.decode()
    assert AuditRecord.objects.filter(action="reveal_phone", subject="LI").count() == 1
    answer(agent, "hotline:rang_back")
    page = agent.get(reverse("family:home")).content.decode()
    assert "Acting for 李桂兰" in page
    for name in ("family:pin", "family:code"):
        assert agent.get(reverse(name)).status_code == 404, name
    daughter = person(DAUGHTER)
    asks(daughter, li)
    one = Delegation.objects.get()
    answer(agent, "people:answer", [one.pk], answer="yes")
    one.refresh_from_db()
    assert (one.state, one.agreed_by) == ("agreed", "hotline")
    answer(agent, "people:end", [one.pk])
    assert told(li) == ["delegate_asks", "delegate_may_act", "acted_for"]
    answer(agent, "hotline:end")
    assert agent.get(reverse("family:home")).url == reverse("hotline:search")
    actions = set(AuditRecord.objects.filter(channel="hotline").values_list("action", flat=True))
    assert actions >= {"open_call", "called_back", "reveal_phone", "delegation_agreed", "end_call"}


def test_a_call_ends_by_itself_and_one_agent_has_one(town):
    agent = staff("agent", "hotline_agent")
    answer(agent, "hotline:start", ["LI"])
    answer(agent, "hotline:start", ["LI"])  # the same one
    answer(agent, "hotline:start", ["ZHANG"])  # refused: another is open
    assert Call.objects.get().elder.code == "LI"
    answer(agent, "hotline:rang_back")
    Call.objects.update(opened_at=timezone.now() - timedelta(hours=1))
    assert agent.get(reverse("family:home")).status_code == 302
    assert agent.post(reverse("hotline:rang_back")).status_code == 404
    answer(agent, "hotline:start", ["ZHANG"])
    assert Call.objects.filter(ended_at=None).get().elder.code == "ZHANG"


def test_a_street_officer_finds_and_prints_for_the_own_street_only(town):
    from tests.story import Division
    from vouchers.elders.search import learn_names

    learn_names([elder.name for elder in Elder.objects.all()])
    officer = staff("officer-2", "street_officer", division=Division.objects.get(code="980101"))
    search = reverse("hotline:search")
    assert [e.code for e, _name in officer.post(search, {"q": "liguilan"}).context["found"]] == ["LI"]
    assert not officer.post(search, {"q": "wangxiuying"}).context["found"]
    for name, method in (("elder", "get"), ("paper", "post")):
        assert getattr(officer, method)(reverse(f"hotline:{name}", args=["WANG"])).status_code == 404
    assert officer.post(reverse("hotline:paper", args=["LI"])).status_code == 200
    assert officer.post(reverse("hotline:start", args=["LI"])).status_code == 403
