"""A price and a serving that wait for the bureau, and two homes for the builder's city: one whose works wait for acceptance, one whose plan waits for the family."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from providers.models import CashPrice, ItemService, Offer, Price, PriceProposal, Service
from tests.vouchers.homes import photo
from vouchers.elders import sealing
from vouchers.models import Plan, PlanLine, Project, ProjectPhoto, Redemption, Serving
from vouchers.photos.operations import keep


def homes(*, leases: list[Any], elders: list[Any]) -> list[Project]:
    """Of the first lease's operator, for the first two elders."""
    lease, now = leases[0], timezone.now()
    rail = Service.objects.create(code="SV12", name="卫生间扶手安装", category="adaptation", unit="item")
    price = Price.objects.create(
        service=rail, valid_from=date(2020, 1, 1), list_price=286, government=0, concession=0, charity=0
    )
    ItemService.objects.create(service=rail, code="SLH13")
    Offer.objects.create(premises=lease.premises, service=rail)
    made = []
    for elder, state in zip(elders[:2], ("done", "planned"), strict=True):
        key, agreed = uuid4(), state == "done"
        project = Project.objects.create(
            key=key,
            elder=elder,
            household=f"elder:{elder.code}",
            operator=lease.operator,
            premises=lease.premises,
            wish="洗澡时怕滑倒",
            address_sealed=sealing.seal("样例路 1 号 2 单元", field="address", row=str(key)),
            state=state,
            requested_at=now,
            requested_by="daughter",
            visited_on=now.date(),
            assessor="吴师傅",
            findings="卫生间无扶手，地面滑",
            assessed_by="manager",
            agreed_at=now if agreed else None,
            agreed_by="daughter" if agreed else "",
            begun_at=now if agreed else None,
            done_at=now if agreed else None,
            done_by="manager" if agreed else "",
        )
        plan = Plan.objects.create(
            project=project,
            ordinal=1,
            due_on=now.date() + timedelta(days=20),
            warranty_months=24,
            made_at=now,
            made_by="manager",
            answer="agreed" if agreed else "",
            answered_at=now if agreed else None,
        )
        PlanLine.objects.create(
            plan=plan, code="SLH13", service=rail, price=price, quantity=2, own=True, list_price=572,
            government=0, concession=0, charity=0, vouchers=0, self_pay=572,
        )  # fmt: skip
        for shows in ("before", "after") if agreed else ("before",):
            kept = keep(photo=photo("gray" if shows == "before" else "white"), by="manager", at=now)
            ProjectPhoto.objects.create(project=project, photo=kept, shows=shows)
        made.append(project)
    return made


def proposal(lease: Any) -> PriceProposal:
    """The operator of this lease asks 300 for a rail, which costs 286, and 290 in cash."""
    price = Price.objects.get(service__code="SV12")
    today = timezone.localdate()
    CashPrice.objects.create(
        premises=lease.premises, service=price.service, valid_from=date(2020, 1, 1), price=290
    )
    return PriceProposal.objects.create(
        operator=lease.operator,
        follows=price,
        valid_from=today + timedelta(days=10),
        list_price=300,
        concession=5,
        reason="材料涨价",
        proposed_at=timezone.now(),
        proposed_by="manager",
    )


def clash(rival: Redemption) -> Serving:
    """Served without a network an hour after `rival` had spent the value; four days ago."""
    return Serving.objects.create(
        key_scope="T1",
        key="offline-1",
        request=b"",
        happened_at=rival.happened_at + timedelta(hours=1),
        recorded_at=timezone.now() - timedelta(days=4),
        premises=rival.lease.premises,
        service=rival.service,
        elder=rival.elder,
        quantity=1,
        channel="offline",
        paper=True,
        amount=8,
        promised=8,
        unpaid=8,
        code="nothing_spendable",
        loser=rival.lease.operator,
        rival=rival,
    )
