"""Home adaptation: who may take which step when, what is set aside and redeemed, one household once."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from ledger.audit.models import Record
from tests import story
from tests.story import moment
from tests.threads import at_once
from tests.vouchers import homes
from vouchers.adaptation import operations
from vouchers.adaptation.models import PlanLine, Project
from vouchers.adaptation.operations import months_later
from vouchers.adaptation.quotes import Wanted
from vouchers.adaptation.refusals import CannotAdapt
from vouchers.delegates.models import Delegation, OwnRecord
from vouchers.models import Hold, Movement, Redemption, Voucher
from vouchers.proof.queries import prove
from vouchers.redemption.operations import reverse

State = Project.State


@pytest.fixture
def town(db) -> None:
    homes.ground()


def refused(call, *args, **kwargs) -> str:
    """The code of the refusal; nothing was written."""
    before = (list(Project.objects.order_by("pk").values()), Hold.objects.count(), Record.objects.count())
    with pytest.raises(CannotAdapt) as refusal, transaction.atomic():
        call(*args, **kwargs)
    assert len(str(refusal.value)) > 5
    after = (list(Project.objects.order_by("pk").values()), Hold.objects.count(), Record.objects.count())
    assert before == after
    return refusal.value.code


def sound() -> bool:
    return not [one for one in prove() if one.violations]


def left(who: str = "LI") -> Decimal:
    return Voucher.objects.get(elder__code=who).remaining


def test_from_the_request_to_the_accepted_home(town):
    project = homes.requested()
    assert project.address() == homes.HOME and bytes(project.address_sealed).find("湖滨".encode()) < 0
    plan = homes.planned(homes.assessed(project))
    rail, mat = plan.lines.all()
    assert rail.parts == (572, 0, 0, 0, 572, 0) and mat.parts == (180, 0, 20, 0, 160, 0)
    assert left() == 3000  # a plan sets nothing aside
    project = homes.agreed(plan)
    assert left() == 3000 - 732 and Hold.objects.filter(state="open").count() == 2
    project = homes.done(project)
    assert not Redemption.objects.exists()
    project = homes.inspected(project)
    assert (project.state, project.accepted_by) == (State.ACCEPTED, "officer-east")
    assert project.warranty_until == date(2028, 2, 18)
    made = list(Redemption.objects.order_by("id"))
    assert [(one.service.code, one.quantity, one.vouchers, one.self_pay) for one in made] == [
        ("RAIL", 2, 572, 0), ("MAT", 1, 160, 0),
    ]  # fmt: skip
    assert {one.happened_at for one in made} == {moment("2026-02-18 16:00")}  # when the works were done
    assert all(one.hold.state == Hold.State.DELIVERED for one in made) and left() == 2268
    assert Movement.objects.filter(kind=Movement.Kind.REDEEM_HELD).count() == 2
    assert [photo.shows for photo in project.photos.all()] == ["before", "after"]
    steps = Record.objects.filter(subject=project.number).order_by("id").values_list("action", flat=True)
    assert list(steps) == [
        f"{step}_adaptation" for step in ("request", "assess", "plan", "agree", "begin", "finish", "inspect")
    ]
    assert sound()
    undone = {"reversed_at": moment("2026-02-20"), "reason": "x", "by": "clerk"}
    reverse(redemption=made[0], at=moment("2026-02-20"), **undone)  # a redemption like any other
    assert left() == 2268 + 572 and sound()


def test_a_household_has_one_once(town):
    first = homes.requested("LI")
    assert refused(homes.requested, "LI") == "household_had_one"
    assert refused(homes.requested, "CHEN") == "household_had_one"  # her husband
    homes.requested("WANG")  # control: another household
    operations.cancel(project=first, reason="搬家", by=story.user_named("clerk"), at=moment("2026-02-03"))
    second = homes.requested("CHEN")
    with pytest.raises(IntegrityError, match="adaptation_once_a_household"), transaction.atomic():
        Project.objects.filter(pk=first.pk).update(state="requested", cancelled_at=None)
    assert second.state == State.REQUESTED


def test_two_of_one_household_at_once(fresh_db):
    homes.ground()
    answers = at_once([lambda who=who: homes.requested(who) for who in ("LI", "CHEN") * 3])
    assert sum(isinstance(one, Project) for one in answers) == 1
    assert {one.code for one in answers if isinstance(one, CannotAdapt)} == {"household_had_one"}


def test_the_same_yes_and_the_same_acceptance_at_once(fresh_db):
    homes.ground()
    plan = homes.planned(homes.assessed(homes.requested()))
    answers = at_once([lambda: homes.agreed(plan)] * 5)
    assert sorted(type(one).__name__ for one in answers) == ["CannotAdapt"] * 4 + ["Project"]
    project = homes.done(Project.objects.get())
    answers = at_once([lambda: homes.inspected(project)] * 5)
    assert sorted(type(one).__name__ for one in answers) == ["CannotAdapt"] * 4 + ["Project"]
    assert Redemption.objects.count() == 2 and sound()


def test_each_step_is_its_owners_and_in_its_turn(town):
    project = homes.requested()
    for other in ("manager-op02", "officer-east", "clerk", "cashier", "daughter"):
        assert refused(homes.assessed, project, by=other) == "wrong_role"
    assert refused(homes.planned, project) == "not_open"
    assert refused(homes.requested, "WANG", where="PM02") == "not_offered"  # it serves meals only
    homes.assessed(project)
    assert refused(homes.assessed, project) == "not_open"
    plan = homes.planned(project)
    assert refused(homes.done, project) == "not_open"
    assert refused(homes.inspected, project) == "not_open"
    second = homes.planned(project, Wanted("RAIL", 1))
    assert refused(homes.agreed, plan) == "not_open"  # replaced
    project = homes.agreed(second)
    assert refused(homes.planned, project) == "not_open"
    assert refused(homes.agreed, second) == "not_open"
    project = homes.done(project)
    assert refused(homes.inspected, project, by="manager-op01") == "wrong_role"
    assert refused(homes.inspected, project, by="officer-west") == "wrong_role"  # another street's
    assert refused(homes.inspected, project, by="hotline") == "wrong_role"
    assert homes.inspected(project, by="clerk").state == State.ACCEPTED
    assert refused(homes.inspected, project, by="clerk") == "not_open"


def test_a_third_person_accepts(town):
    project = homes.done(homes.agreed(homes.planned(homes.assessed(homes.requested(by="clerk")))))
    assert refused(homes.inspected, project, by="clerk") == "had_a_part"  # who asked for it
    officer = story.user_named("officer-east")
    own = OwnRecord.objects.create(
        user=officer, elder=project.elder, proof="paper", claimed_at=moment("2026-01-01")
    )
    assert refused(homes.inspected, project) == "had_a_part"  # who is the family
    own.delete()
    letter = Delegation(
        user=officer, elder=project.elder, relation="child", scope="see", until=date(2026, 12, 31),
        state="agreed", asked_at=moment("2026-01-01"), agreed_at=moment("2026-01-01"), agreed_by="code",
    )  # fmt: skip
    letter.seal_name("李小红")
    letter.save()
    assert refused(homes.inspected, project) == "had_a_part"
    letter.delete()
    with pytest.raises(IntegrityError, match="third_person"), transaction.atomic():
        Project.objects.filter(pk=project.pk).update(
            state="accepted",
            accepted_at=project.done_at,
            warranty_until=date(2028, 1, 1),
            accepted_by="clerk",
        )
    assert homes.inspected(project).state == State.ACCEPTED  # control


def test_what_is_missing_is_put_right_first(town):
    project = homes.finished()
    assert refused(homes.inspected, project, missing=("SLH13",)) == "say_why"
    project = homes.inspected(project, missing=("SLH13", "SLH30"), note="一根扶手松动")
    assert project.state == State.WORKS and not Redemption.objects.exists()
    assert [str(item) for item in project.inspections.get().missing_items] == ["安装扶手"]
    project = homes.inspected(homes.done(project, at="2026-02-19 09:00"))
    assert project.state == State.ACCEPTED and project.photos.filter(shows="after").count() == 2
    assert Redemption.objects.first().happened_at == moment("2026-02-19 09:00")


def test_a_family_says_no_changes_its_mind_and_is_bound_once_works_begin(town):
    daughter = story.user_named("daughter")
    project = homes.assessed(homes.requested())
    plan = homes.planned(project)
    operations.decline(plan=plan, reason="太贵", by=daughter, at=moment("2026-02-05"))
    assert refused(homes.agreed, plan) == "not_open"
    project = homes.agreed(homes.planned(project, Wanted("RAIL", 1)))
    assert left() == 2714
    operations.cancel(project=project, reason="先不改", by=daughter, at=moment("2026-02-06"))
    assert left() == 3000 and Project.objects.get().state == State.CANCELLED and sound()
    project = homes.agreed(homes.planned(homes.assessed(homes.requested())))
    operations.begin(project=project, by=story.user_named("manager-op01"), at=moment("2026-02-10"))
    cancel = {"project": project, "reason": "x", "at": moment("2026-02-11")}
    assert refused(operations.cancel, **cancel, by=daughter) == "too_late"
    assert refused(operations.cancel, **cancel, by=story.user_named("cashier")) == "wrong_role"
    operations.cancel(**cancel, by=story.user_named("clerk"))
    assert left() == 3000 and sound()
    assert refused(operations.cancel, **cancel, by=story.user_named("clerk")) == "not_open"


def test_a_household_gets_three_thousand_and_pays_the_rest(town):
    project = homes.assessed(homes.requested())
    dear = (
        Wanted("BED", 1),
        Wanted("TAP", 1),
    )  # 2,900 + 300 of vouchers would be 3,200, and 100 of the government's
    assert refused(homes.planned, project, *dear) == "over_cap"
    plan = homes.planned(project, Wanted("BED", 1), Wanted("TAP", 1, own=True))
    tap = plan.lines.get(code="SLH15")
    assert tap.parts == (400, 0, 0, 0, 0, 400)
    project = homes.inspected(homes.done(homes.agreed(plan)))
    assert [one.service.code for one in Redemption.objects.all()] == ["BED"]
    assert left() == 100 and sound()


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ((Wanted("RAIL", 0),), "quantity"),
        ((Wanted("RAIL", 21),), "quantity"),
        ((Wanted("RAIL", 5),), "daily_limit"),
        ((Wanted("RAIL", 1), Wanted("RAIL", 1)), "item_twice"),
        ((Wanted("MEAL", 1),), "not_an_item"),
        ((Wanted("NONE", 1),), "not_an_item"),
    ],
)
def test_a_line_that_cannot_be(town, wanted, code):
    assert refused(homes.planned, homes.assessed(homes.requested()), *wanted) == code


def test_a_plan_that_no_longer_holds_is_not_agreed(town):
    plan = homes.planned(homes.assessed(homes.requested()))
    story.redeem("elsewhere", "LI", "BED", "PM01", "2026-02-05 10:00")  # spent meanwhile
    assert left() == 100 and refused(homes.agreed, plan) == "quote_changed"
    assert PlanLine.objects.filter(hold__isnull=False).count() == 0


def test_a_delegates_limit_counts(town):
    daughter = story.user_named("daughter")
    letter = Delegation(
        user=daughter, elder=story.elder_named("LI"), relation="child", scope="order", cap=500,
        until=date(2026, 12, 31), state="agreed", asked_at=moment("2026-01-01"),
        agreed_at=moment("2026-01-01"), agreed_by="code",
    )  # fmt: skip
    letter.seal_name("李小红")
    letter.save()
    plan = homes.planned(homes.assessed(homes.requested()))
    yes = {"plan": plan, "by": daughter, "at": moment("2026-02-05")}
    assert refused(operations.agree, **yes, delegation=letter) == "cap_reached"  # 732 of 500
    Delegation.objects.update(cap=800)
    letter.refresh_from_db()
    assert operations.agree(**yes, delegation=letter).state == State.AGREED
    assert letter.used(moment("2026-02-05")) == 732


def test_a_death_ends_it(town):
    project = homes.finished()
    story.dies("LI", "2026-02-17", at="2026-02-18 18:00")
    assert refused(homes.inspected, project) in ("not_held", "elder_deceased")
    operations.cancel(project=project, reason="去世", by=story.user_named("clerk"), at=moment("2026-02-20"))
    assert sound()
    story.dies("CHEN", "2026-02-17", at="2026-02-18 18:00")
    assert refused(homes.requested, "CHEN") == "not_alive"


@pytest.mark.parametrize(
    ("day", "months", "last"),
    [
        (date(2026, 2, 19), 24, date(2028, 2, 18)),
        (date(2026, 1, 1), 12, date(2026, 12, 31)),
        (date(2028, 2, 29), 12, date(2029, 2, 27)),
        (date(2026, 12, 31), 36, date(2029, 12, 30)),
    ],
)
def test_a_warranty_ends_the_day_before(day, months, last):
    assert months_later(day, months) == last


def test_every_state_has_its_moves():
    assert set(Project.MOVES) == set(State)
