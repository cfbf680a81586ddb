"""Publishing the catalogue: services as products, offers as stock records. One way, as often as one likes."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import translation
from oscar.core.loading import get_model

from ledger.audit.operations import record
from ledger.journal.queries import day_of
from marketplace.offerings.models import Listing, Supply
from marketplace.offerings.search import tokens
from marketplace.offerings.words import WORDS
from providers.models import Lease, Offer, Operator, Service
from vouchers.city.operations import Loaded

Product = get_model("catalogue", "Product")
ProductClass = get_model("catalogue", "ProductClass")
Partner = get_model("partner", "Partner")
StockRecord = get_model("partner", "StockRecord")

PUBLISH_LOCK = 7205
VACANT = "vacant"
"""The partner of offers at premises that nobody rents today: nothing is served there."""


@dataclass(frozen=True, slots=True)
class Published:
    """How many offers stand in the catalogue, how many of them are new, changed, or withdrawn now."""

    offers: int
    new: int
    changed: int
    withdrawn: int


@transaction.atomic
def publish(*, on: date, by: Any, at: datetime) -> Published:
    """This function will bring Oscar's catalogue up to what the register says on this day.

    1. One product class, one partner for each operator.
    2. A product and its listing for each service; a stock record and its supply for each offer.
    3. Offers that have ended, or of premises without a lease on this day, are withdrawn; they are listed again
       when that is over.

    Prices are not copied: Oscar is shown what an elder pays on the day (strategy.py). Run again it changes
    nothing; two runs at once wait for each other. Amounts of queries do not grow with the offers.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
    partners = _partners()
    products = _products()
    published = _supplies(on, partners, products)
    if published.new or published.changed or published.withdrawn:
        record(
            by=by,
            at=at,
            action="publish_catalogue",
            subject=on.isoformat(),
            detail={"new": published.new, "changed": published.changed, "withdrawn": published.withdrawn},
            channel="run",
        )
    return published


SAID_IN = ("divisions", "operators", "premises", "leases", "services", "offers")
"""The files of `load_city` that say what stands in the catalogue, and by which words it is found."""


def publish_loaded(*, loaded: Loaded, by: Any, at: datetime) -> Published | None:
    """This function will publish after a load that changed what the catalogue shows; None where it did not.

    After the load's own transaction: killed in between, the nightly run publishes.
    """
    if any((one.new or one.changed) and Path(one.file).stem in SAID_IN for one in loaded.files):
        return publish(on=day_of(at), by=by, at=at)
    return None


def _partners() -> dict[str, Any]:
    partners = {partner.code: partner for partner in Partner.objects.order_by("id")}
    wanted = {VACANT: VACANT} | dict(Operator.objects.order_by("code").values_list("code", "name"))
    Partner.objects.bulk_create(
        Partner(code=code, name=name[:128]) for code, name in wanted.items() if code not in partners
    )
    for code, name in wanted.items():
        if code in partners and partners[code].name != name[:128]:
            Partner.objects.filter(code=code).update(name=name[:128])
    return {partner.code: partner for partner in Partner.objects.order_by("id")}


def _products() -> dict[int, Any]:
    """The product of each service, by the service's id."""
    kind, _ = ProductClass.objects.get_or_create(
        slug="service", defaults={"name": "service", "requires_shipping": False, "track_stock": False}
    )
    listings = {
        listing.service_id: listing for listing in Listing.objects.select_related("product").order_by("id")
    }
    products = {}
    for service in Service.objects.order_by("code"):
        listing = listings.get(service.pk)
        if listing is None:
            # In bulk: saving one product would ask Oscar's search, which is not used, to index it.
            [product] = Product.objects.bulk_create(
                [Product(upc=service.code, title=service.name, slug=service.code.lower(), product_class=kind)]
            )
            Listing.objects.create(product=product, service=service, words=WORDS[service.category])
        else:
            product = listing.product
            if product.title != service.name:
                Product.objects.filter(pk=product.pk).update(title=service.name)
        products[service.pk] = product
    return products


def _supplies(on: date, partners: dict[str, Any], products: dict[int, Any]) -> Published:
    operators = {
        lease.premises_id: lease.operator
        for lease in Lease.objects.filter(starts_on__lte=on, ends_on__gte=on).select_related("operator")
    }
    supplies = {supply.offer_id: supply for supply in Supply.objects.select_related("stockrecord")}
    offers = list(Offer.objects.select_related("premises__division", "service").order_by("id"))
    fresh = [offer for offer in offers if offer.pk not in supplies]
    records = StockRecord.objects.bulk_create(
        StockRecord(
            product=products[offer.service_id],
            partner=_partner(offer, operators, partners),
            partner_sku=f"{offer.premises.code}-{offer.service.code}",
            price_currency="CNY",
        )
        for offer in fresh
    )
    listed = {offer.pk: offer.premises_id in operators and not offer.has_ended(on) for offer in offers}
    for offer, made in zip(fresh, records, strict=True):
        supplies[offer.pk] = Supply(offer=offer, stockrecord=made, listed=listed[offer.pk])
    Supply.objects.bulk_create([supplies[offer.pk] for offer in fresh])
    moved, relisted, reworded, withdrawn = [], [], {}, 0
    for offer in offers:
        supply, partner = supplies[offer.pk], _partner(offer, operators, partners)
        if supply.stockrecord.partner_id != partner.pk:
            supply.stockrecord.partner = partner
            moved.append(supply.stockrecord)
        if supply.listed != listed[offer.pk]:
            supply.listed = not supply.listed
            relisted.append(supply)
            withdrawn += not supply.listed
        texts = _texts(offer, operators.get(offer.premises_id))
        digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
        if supply.words_hash != digest:
            reworded[supply.pk] = (sorted(tokens(texts)), digest)
    StockRecord.objects.bulk_update(moved, ["partner"], batch_size=500)
    Supply.objects.bulk_update(relisted, ["listed"], batch_size=500)
    _reword(reworded)
    known = {offer.pk for offer in fresh}
    changed = {
        supply.offer_id for supply in supplies.values() if supply.pk in reworded or supply in relisted
    } | {supply.offer_id for supply in supplies.values() if supply.stockrecord in moved}
    return Published(len(offers), len(fresh), len(changed - known) - withdrawn, withdrawn)


def _partner(offer: Offer, operators: dict[int, Operator], partners: dict[str, Any]) -> Any:
    operator = operators.get(offer.premises_id)
    return partners[operator.code if operator else VACANT]


def _texts(offer: Offer, operator: Operator | None) -> list[str]:
    """What an offer is found by: service, kind in both languages, premises, former use, community, operator."""
    texts = [offer.service.name, offer.premises.name, offer.premises.division.name, offer.premises.address]
    texts += [operator.name] if operator else []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            texts += [
                str(Service.Category(offer.service.category).label),
                str(offer.premises.get_former_use_display()),
            ]
    return texts


def _reword(words: dict[int, tuple[list[str], str]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE marketplace_supply SET sought = array_to_tsvector(%s::text[]), words_hash = %s WHERE id = %s",
            [(found, digest, pk) for pk, (found, digest) in words.items()],
        )
