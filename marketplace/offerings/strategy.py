"""Oscar's price and availability, from our own: what this elder pays on the day of service."""

from decimal import Decimal
from typing import Any

from oscar.apps.partner.availability import Available, Unavailable
from oscar.apps.partner.prices import FixedPrice
from oscar.apps.partner.prices import Unavailable as NoPrice
from oscar.apps.partner.strategy import Base, PurchaseInfo

from ledger.journal.queries import day_of
from vouchers.elders.eligibility import age_on
from vouchers.elders.models import Elder
from vouchers.redemption.terms import PriceRow, Terms


class CareStrategy(Base):
    """The elder's price of a line on the day for which it is wanted. There is no tax in it."""

    def __init__(self, elder: Elder, terms: Terms) -> None:
        super().__init__()
        self.elder, self.terms = elder, terms

    def price_of(self, service: str, day: Any) -> PriceRow | None:
        return self.terms.services[service].price_on(day, age_on(self.elder.birth_on, day))

    def fetch_for_line(self, line: Any, stockrecord: Any = None) -> PurchaseInfo:
        wish = line.wish
        row = self.price_of(wish.offer.service.code, day_of(wish.starts_at))
        if row is None:
            return PurchaseInfo(NoPrice(), Unavailable(), line.stockrecord)
        price = FixedPrice(currency="CNY", excl_tax=row.elder_price, tax=Decimal("0.00"))
        return PurchaseInfo(price, Available(), line.stockrecord)
