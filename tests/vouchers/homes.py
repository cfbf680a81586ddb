"""Homes to be made safer: Grandma Li and her husband share one, Wang lives alone; Crane adapts homes from PM01.

RAIL (item SLH13) costs 286, of which vouchers pay all; MAT (SLH01) 180 with 20 of the operator's concession; TAP
(SLH15) 400, of which the government pays 100. Who is in difficulty has one voucher of 3,000 for them.
"""

from datetime import date
from io import BytesIO

from PIL import Image

from marketplace.accounts.models import User
from providers.models import ItemService, Premises
from tests import story
from tests.story import day, moment
from vouchers.adaptation import operations
from vouchers.adaptation.models import Plan, Project
from vouchers.adaptation.quotes import Wanted
from vouchers.photos.cleaning import Clean, clean

HOME = "湖滨路 8 号 2 单元 301"
DUE = day("2026-02-20")


def ground() -> None:
    city = story.division("98", "湖城市", "city")
    district = story.division("9801", "滨湖区", "district", city)
    east = story.division("980101", "东湖街道", "street", district)
    west = story.division("980102", "西湖街道", "street", district)
    lotus = story.division("98010101", "荷花社区", "community", east)
    crane, ginkgo = story.operator("OP01", "松鹤养老服务有限公司"), story.operator("OP02", "银杏社区照护中心")
    hall, clinic = story.premises("PM01", lotus), story.premises("PM02", lotus)
    story.lease("LS01", hall, crane)
    story.lease("LS02", clinic, ginkgo)
    services = {}
    for code, item, price in (
        ("RAIL", "SLH13", {"list_price": 286}),
        ("MAT", "SLH01", {"list_price": 180, "concession": 20}),
        ("TAP", "SLH15", {"list_price": 400, "government": 100}),
        ("BED", "SLH10", {"list_price": 2900}),
    ):
        services[code] = story.service(code, "adaptation", "item", daily_limit=4)
        story.price(services[code], **price)
        ItemService.objects.create(service=services[code], code=item)
    story.offer(hall, *services.values())
    meal = story.service("MEAL", "canteen", "meal")
    story.price(meal, 20, government=4)
    story.offer(clinic, meal)
    story.programme(
        "PH", "payout", None, categories=["adaptation"], scope="city", face=3000, per_elder=1, cadence="once",
        valid_days=365, any_of=["low_income"],
    )  # fmt: skip
    story.elder("LI", "李桂兰", "1946-03-05", lotus, categories=["low_income"], household="H1")
    story.elder("CHEN", "陈大山", "1944-01-01", lotus, categories=["low_income"], household="H1")
    story.elder("WANG", "王秀英", "1948-07-07", lotus, categories=["low_income"])
    story.user("manager-op01", "operator_manager", operator=crane)
    story.user("manager-op02", "operator_manager", operator=ginkgo)
    story.user("officer-east", "street_officer", division=east)
    story.user("officer-west", "street_officer", division=west)
    story.user("clerk", "bureau_clerk")
    story.user("hotline", "hotline_agent")
    story.user("cashier", "cashier", operator=crane)
    User(username="daughter", username_key="daughter").save()
    story.issue_on("2026-01-01")


def photo(colour: str = "gray") -> Clean:
    return clean(picture(colour))


def picture(colour: str = "gray", size: tuple[int, int] = (640, 480)) -> bytes:
    written = BytesIO()
    Image.new("RGB", size, colour).save(written, "JPEG")
    return written.getvalue()


def requested(who: str = "LI", *, by: str = "daughter", where: str = "PM01") -> Project:
    return operations.request(
        elder=story.elder_named(who),
        premises=Premises.objects.get(code=where),
        wish="洗澡时怕滑倒",
        address=HOME,
        by=story.user_named(by),
        at=moment("2026-02-02"),
    )


def assessed(project: Project, *, by: str = "manager-op01") -> Project:
    return operations.assess(
        project=project,
        visited_on=day("2026-02-03"),
        assessor="吴师傅",
        findings="卫生间无扶手，地面滑",
        photos=[photo()],
        by=story.user_named(by),
        at=moment("2026-02-03"),
    )


def planned(
    project: Project, *wanted: Wanted, due_on: date = DUE, by: str = "manager-op01", warranty: int = 24
) -> Plan:
    return operations.propose(
        project=project,
        wanted=wanted or (Wanted("RAIL", 2), Wanted("MAT", 1)),
        due_on=due_on,
        warranty_months=warranty,
        by=story.user_named(by),
        at=moment("2026-02-04"),
    )


def agreed(plan: Plan, *, by: str = "daughter") -> Project:
    return operations.agree(plan=plan, by=story.user_named(by), at=moment("2026-02-05"))


def done(project: Project, *, by: str = "manager-op01", at: str = "2026-02-18 16:00") -> Project:
    manager = story.user_named(by)
    if project.state == Project.State.AGREED:
        operations.begin(project=project, by=manager, at=moment("2026-02-10"))
    return operations.finish(project=project, photos=[photo("white")], by=manager, at=moment(at))


def inspected(
    project: Project, *, missing: tuple[str, ...] = (), note: str = "", by: str = "officer-east"
) -> Project:
    return operations.inspect(
        project=project, missing=missing, note=note, by=story.user_named(by), at=moment("2026-02-19 10:00")
    )


def finished(who: str = "LI", *wanted: Wanted) -> Project:
    """A project whose works wait for acceptance."""
    return done(agreed(planned(assessed(requested(who)), *wanted)))
