"""Two homes to be made safer: one whose plan waits for the family's yes, one whose works wait for acceptance.

The photos are drawings: a bare bathroom, and the same with rails and a seat.
"""

from datetime import datetime, timedelta
from io import BytesIO

from django.utils import timezone
from PIL import Image, ImageDraw

from marketplace.adaptation.operations import propose
from marketplace.sample.demo_users import demo_user
from providers.models import Premises
from vouchers.adaptation import operations
from vouchers.adaptation.models import Project
from vouchers.adaptation.quotes import Wanted
from vouchers.adaptation.terms import HOUSEHOLD_CAP
from vouchers.elders.models import Elder
from vouchers.models import OwnRecord
from vouchers.photos.cleaning import Clean, clean

MANAGER, PLACE = "manager-op05", "PR006"
WAITS = (Wanted("SV14", 2), Wanted("SV15", 1), Wanted("SV17", 1))
DONE = (Wanted("SV14", 1), Wanted("SV16", 1), Wanted("SV19", 2))
DUE = timedelta(days=21)
SIZE = (1200, 900)


def make_demo_homes(*, by: str, at: datetime) -> int:
    """This function will take two homes as far as their next step is somebody's; returns how many there are.

    Those of the elder with an account first. What was done before is not done again.
    """
    with_account = set(OwnRecord.objects.filter(ended_at=None).values_list("elder", flat=True))
    able = Elder.objects.filter(
        died_on=None,
        vouchers__programme__categories=["adaptation"],
        vouchers__remaining__gte=HOUSEHOLD_CAP / 2,
        vouchers__valid_until__gt=timezone.localdate(at) + DUE,
    ).distinct()
    homes: dict[str, Elder] = {}
    for one in sorted(able, key=lambda one: (one.pk not in with_account, one.code)):
        homes.setdefault(one.household or one.code, one)  # a home once
    elders = list(homes.values())[:2]
    for elder, wanted in zip(elders, (WAITS, DONE), strict=False):
        project = Project.objects.filter(elder=elder).first() or operations.request(
            elder=elder,
            premises=Premises.objects.get(code=PLACE),
            wish="起夜怕摔，洗澡站不稳",
            address="示例小区 3 栋 2 单元 501",
            by=by,
            at=at,
        )
        _take_on(project, wanted, by=by, at=at)
    return len(elders)


def _take_on(project: Project, wanted: tuple[Wanted, ...], *, by: str, at: datetime) -> None:
    """Each step that is still missing."""
    State, manager, today = Project.State, demo_user(MANAGER), timezone.localdate(at)
    if project.state == State.REQUESTED:
        project = operations.assess(
            project=project,
            visited_on=today,
            assessor="唐师傅",
            findings="卫生间没有扶手，地砖沾水打滑；床边起身没有抓的地方。",
            photos=[photo(rails=False)],
            by=manager,
            at=at,
        )
    if project.state == State.ASSESSED:
        propose(project=project, wanted=wanted, due_on=today + DUE, warranty_months=24, by=manager, at=at)
        project.refresh_from_db()
    if wanted is WAITS:
        return
    if project.state == State.PLANNED:
        project = operations.agree(plan=project.plans.get(answer=""), by=by, at=at)
    if project.state == State.AGREED:
        project = operations.begin(project=project, by=manager, at=at)
    if project.state == State.WORKS:
        operations.finish(project=project, photos=[photo(rails=True)], by=manager, at=at)


def photo(*, rails: bool) -> Clean:
    """A bathroom, drawn."""
    image = Image.new("RGB", SIZE, "#E9E4D8")
    draw = ImageDraw.Draw(image)
    for x in range(0, SIZE[0], 100):  # tiles
        draw.line([(x, 0), (x, 620)], fill="#D5CEBE", width=3)
    for y in range(0, 620, 100):
        draw.line([(0, y), (SIZE[0], y)], fill="#D5CEBE", width=3)
    draw.rectangle([0, 620, *SIZE], fill="#8C8577" if not rails else "#6F7D74")
    draw.rounded_rectangle([420, 430, 620, 720], 30, fill="#FFFFFF", outline="#B9B3A6", width=6)  # the toilet
    draw.rounded_rectangle([440, 250, 600, 440], 16, fill="#FFFFFF", outline="#B9B3A6", width=6)
    draw.rectangle([850, 120, 870, 420], fill="#9AA3A0")  # the shower
    draw.ellipse([820, 100, 900, 140], fill="#9AA3A0")
    if rails:
        for x in (380, 650):
            draw.line([(x, 500), (x, 330)], fill="#3F6B5C", width=22)
        draw.line([(380, 500), (300, 500)], fill="#3F6B5C", width=22)
        draw.line([(1000, 250), (1000, 560)], fill="#3F6B5C", width=22)
        draw.rounded_rectangle([800, 560, 960, 600], 12, fill="#3F6B5C")  # a seat
        draw.line([(820, 600), (820, 700)], fill="#3F6B5C", width=12)
        draw.line([(940, 600), (940, 700)], fill="#3F6B5C", width=12)
        for y in range(650, 900, 30):  # a floor that does not slip
            draw.line([(0, y), (SIZE[0], y)], fill="#83928A", width=4)
    written = BytesIO()
    image.save(written, "JPEG", quality=90)
    return clean(written.getvalue())
