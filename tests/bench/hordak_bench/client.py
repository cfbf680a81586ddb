"""The same redemption as a careful user of django-hordak would write it; runs in the bench's own environment.

python -m tests.bench.hordak_bench.client setup VOUCHERS PREMISES, or N for the client of that number.
"""

import os
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.hordak_bench.settings"

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from hordak.models import Account, AccountType  # noqa: E402
from moneyed import Money  # noqa: E402

from tests.bench import clients  # noqa: E402
from tests.bench.hordak_bench.models import Redemption, Voucher  # noqa: E402

PRICE = Decimal("8.00")
MOST_CLIENTS, STRIDE = 16, 7919


def setup(vouchers: int, premises: int) -> None:
    call_command("migrate", verbosity=0, run_syncdb=True)
    for number in range(premises):
        for kind in ("outstanding", "redeemed"):
            Account.objects.create(
                name=f"{kind} {number}", type=AccountType.liability, currencies=["CNY"], code=None
            )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO hordak_bench_voucher (remaining) SELECT 1000000 FROM generate_series(1, %s)",
            [vouchers],
        )
        cursor.execute("VACUUM (ANALYZE)")


def redeem(key: str, voucher: int, outstanding: Account, redeemed: Account) -> None:
    """Lock and lower the voucher, write a row with a unique key, post. No other rule is checked."""
    with transaction.atomic():
        locked = Voucher.objects.select_for_update().get(id=voucher)
        if locked.remaining < PRICE:
            raise ValueError("nothing left")
        locked.remaining -= PRICE
        locked.save(update_fields=["remaining"])
        Redemption.objects.create(key=key, voucher=locked, amount=PRICE)
        outstanding.transfer_to(redeemed, Money(PRICE, "CNY"), date=date(2026, 2, 1))


def main() -> None:
    if sys.argv[1] == "setup":
        setup(int(sys.argv[2]), int(sys.argv[3]))
        return
    client = int(sys.argv[1])
    done = 0

    def prepare(what: dict[str, Any]) -> Callable[[], None]:
        accounts = {account.name: account for account in Account.objects.all()}
        share, premises = what["vouchers"] // MOST_CLIENTS, what["premises"]

        def once() -> None:
            nonlocal done
            voucher = client * share + done % share * STRIDE % share
            done += 1
            redeem(
                f"{client}-{os.getpid()}-{done}",
                voucher + 1,
                accounts[f"outstanding {voucher % premises}"],
                accounts[f"redeemed {voucher % premises}"],
            )

        return once

    clients.serve(prepare)


if __name__ == "__main__":
    main()
