"""The bare view of the bench: the redemption's own two statements, and nothing around them. Run by granian."""

import json
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "marketplace.config.settings"

import django
from django.conf import settings

settings.MIDDLEWARE = []
settings.ROOT_URLCONF = __name__
django.setup()

from datetime import datetime  # noqa: E402
from decimal import Decimal  # noqa: E402

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402

from ledger.journal.queries import day_of  # noqa: E402
from ledger.wire import Transaction  # noqa: E402
from vouchers.redemption import statements, terms  # noqa: E402

PAID, GOVERNMENT, NOTHING = Decimal("8.00"), Decimal("4.00"), Decimal("0.00")


def redeem(request: HttpRequest) -> HttpResponse:
    told = json.loads(request.body)
    known = terms.kept() or terms.current()
    happened_at = datetime.fromisoformat(told["happened_at"])
    service_on = day_of(happened_at)
    service = known.services[told["service"]]
    lease = known.premises[told["premises"]].lease_on(service_on)
    with Transaction() as opened:
        context = statements.lock_and_read(
            opened,
            key_scope="bare",
            key=told["key"],
            elder=told["elder"],
            service_id=service.id,
            service_on=service_on,
        )
        voucher = context.vouchers[0]
        programme = known.programmes[voucher.programme_id]
        number = f"RD-{context.redemption_id:09d}"
        written = {
            "entry": context.entry_id,
            "entry_key": f"redeem:{number}",
            "dated_on": service_on,
            "at": timezone.now(),
            "number": number,
            "debits": [programme.outstanding, known.subsidy],
            "credits": [programme.redeemed, lease.operator.payable],
            "commodities": ["VCY", "CNY"],
            "moved": [PAID, GOVERNMENT],
            "redemption": context.redemption_id,
            "scope": "bare",
            "key": told["key"],
            "request": b"-",
            "happened_at": happened_at,
            "service_on": service_on,
            "lease": lease.id,
            "service": service.id,
            "elder": context.elder.id,
            "quantity": 1,
            "channel": "qr",
            "list_price": PAID + GOVERNMENT,
            "government": GOVERNMENT,
            "concession": NOTHING,
            "charity": NOTHING,
            "vouchers": PAID,
            "self_pay": NOTHING,
            "hold": None,
            "by": "bare",
            "voucher_ids": [voucher.id],
            "amounts": [PAID],
            "claim_leases": [lease.id],
            "claim_amounts": [PAID],
            "detail": "{}",
        }
        opened.send((statements.WRITE_FREE, written), last=True)
    answer = HttpResponse(json.dumps({"number": number}), status=201, content_type="application/json")
    answer.headers["Content-Length"] = str(len(answer.content))
    return answer


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n")


urlpatterns = [path("api/v1/redemptions", redeem), path("healthz", healthz)]
application = get_wsgi_application()
