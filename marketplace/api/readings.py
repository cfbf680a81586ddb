"""What an elder has left, and the statements of leases."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router

from marketplace.accounts.models import User
from marketplace.api import answers, schemas
from marketplace.api.auth import ElderToken, StaffSession, TerminalToken
from marketplace.api.describe import problems
from marketplace.api.problems import Problem
from marketplace.web import scope
from marketplace.web.access import STATEMENT_READERS
from providers.models import Lease
from vouchers.elders.models import Elder
from vouchers.settlement.models import Statement
from vouchers.wallets.models import Voucher

router = Router(tags=["reading"])


@router.get(
    "elders/me/vouchers",
    auth=ElderToken(),
    response={200: schemas.WalletOut, **problems(401, 429, 500, 503)},
    operation_id="my_vouchers",
    summary="An elder's own vouchers: what is left, until when",
)
def my_vouchers(request: HttpRequest) -> HttpResponse:
    """With the elder's changing code as bearer token, as the telephone shows it now. Reading does not use it up."""
    elder = Elder.objects.get(code=request.auth)  # type: ignore[attr-defined]
    today = timezone.localdate()
    vouchers = Voucher.objects.left_of(elder, today=today).select_related("programme")
    return answers.reply(
        {
            "elder": elder.masked_name,
            "vouchers": [
                {
                    "serial": voucher.serial,
                    "programme": voucher.programme.name,
                    "face_value": str(voucher.face_value),
                    "remaining": str(voucher.remaining),
                    "held": str(voucher.held),
                    "valid_from": voucher.valid_from.isoformat(),
                    "valid_until": voucher.valid_until.isoformat(),
                }
                for voucher in vouchers
            ],
        }
    )


@router.get(
    "statements",
    auth=[TerminalToken(), StaffSession()],
    response={200: schemas.StatementsOut, **problems(400, 401, 403, 404, 429, 500, 503)},
    operation_id="statements",
    summary="The statements of a month",
)
def statements(
    request: HttpRequest,
    month: Annotated[str, Query(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])$", examples=["2026-07"])],
    lease: Annotated[str | None, Query(max_length=40, pattern=schemas.PLAIN)] = None,
) -> HttpResponse:
    """Of the leases of the partner's operators; of those that somebody signed in may see. Figures as in rules.md,
    section 7, in yuan."""
    leases, seen = seen_by(request.auth)  # type: ignore[attr-defined]
    if lease and not leases.filter(code=lease).exists():
        raise Problem("not_found")
    found = seen.filter(month=date.fromisoformat(f"{month}-01")).select_related("lease")
    if lease:
        found = found.filter(lease__code=lease)
    return answers.reply({"statements": [statement(one) for one in found.order_by("lease__code")]})


def seen_by(who: Any) -> tuple[Any, Any]:
    """The leases that may be asked for, and their statements. Raises Problem: forbidden."""
    if isinstance(who, User):
        if who.role not in STATEMENT_READERS:
            raise Problem("forbidden")
        return scope.leases(who), scope.statements(who)
    if who.caller.is_terminal:
        raise Problem("forbidden")
    leases = Lease.objects.filter(operator__code__in=who.caller.operators)
    return leases, Statement.objects.filter(lease__in=leases)


def statement(one: Statement) -> dict[str, Any]:
    return {
        "lease": one.lease.code,
        "month": f"{one.month:%Y-%m}",
        **{figure: str(getattr(one, figure)) for figure in Statement.FIGURES},
        "redemptions": one.redemptions,
        "under_review": one.under_review,
        "state": one.state,
    }
