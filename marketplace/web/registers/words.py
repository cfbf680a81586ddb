"""What columns and values of registers are called on screen: one name for one thing, in forms, lists and history."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from providers.models import Lease, Premises, Service
from vouchers.models import Elder, Programme

FIELDS: dict[str, Any] = {
    "code": _("Code"),
    "name": _("Name"),
    "former_use": _("Former use"),
    "owner": _("Owner"),
    "owner_kind": _("Kind of owner"),
    "division": _("Division"),
    "address": _("Address"),
    "longitude": _("Longitude"),
    "latitude": _("Latitude"),
    "floor_area_m2": _("Floor area in m²"),
    "condition": _("Condition"),
    "stage": _("Stage"),
    "market_rent": _("Market rent, yuan a month"),
    "since_on": _("Since"),
    "decision_no": _("Decision number"),
    "premises": _("Premises"),
    "operator": _("Operator"),
    "starts_on": _("First day"),
    "ends_on": _("Last day"),
    "monthly_rent": _("Rent, yuan a month"),
    "rent_free_until": _("Free of rent until"),
    "offset_rate": _("Offset rate"),
    "offset_cap": _("Cap, share of the rent"),
    "carry_months": _("Months that credit is carried on"),
    "basis": _("Basis"),
    "terms_from": _("Terms from"),
    "uscc": _("Unified social credit code"),
    "phone": _("Telephone"),
    "filing_no": _("Filing number"),
    "stars": _("Stars"),
    "safety_checked_on": _("Safety check"),
    "suspended_on": _("Suspended from"),
    "reinstated_on": _("Reinstated on"),
    "reason": _("Reason"),
    "category": _("Category"),
    "unit": _("Unit"),
    "daily_limit": _("At most a day"),
    "service": _("Service"),
    "valid_from": _("Valid from"),
    "valid_until": _("Valid until"),
    "min_age": _("Lowest age"),
    "max_age": _("Highest age"),
    "list_price": _("List price"),
    "government": _("Government part"),
    "concession": _("Operator’s concession"),
    "charity": _("Charity part"),
    "settlement": _("Settlement"),
    "lease": _("Lease"),
    "scope": _("Spent where"),
    "face_value": _("Face value in yuan"),
    "divisible": _("Can be spent in parts"),
    "per_elder": _("Vouchers for each elder"),
    "cadence": _("How often it issues"),
    "valid_days": _("Valid for days"),
    "max_share": _("At most this share of a price"),
    "min_spend": _("Only from a price of"),
    "categories": _("Categories of service"),
    "min_ability": _("Lowest ability level"),
    "any_of": _("One of these groups"),
    "divisions": _("Lives in"),
    "budget": _("Budget in yuan"),
    "died_on": _("Day of death"),
    "same_as": _("The record that counts"),
    "photos": _("Photos"),
    "taken_on": _("Taken on"),
    "role": _("Role"),
    "username": _("User name"),
}

_VALUES: dict[str, Any] = {
    "former_use": Premises.FormerUse,
    "owner_kind": Premises.OwnerKind,
    "condition": Premises.Condition,
    "stage": Premises.Stage,
    "basis": Lease.Basis,
    "category": Service.Category,
    "unit": Service.Unit,
    "settlement": Programme.Settlement,
    "scope": Programme.Scope,
    "cadence": Programme.Cadence,
    "categories": Service.Category,
    "any_of": Elder.Group,
}
YES_NO = {"yes": _("yes"), "no": _("no")}


def value_of(name: str, text: Any) -> str:
    """A value of the audit as a person reads it."""
    text = str(text if text is not None else "")
    if name == "divisible":
        return str(YES_NO.get(text, text))
    if name not in _VALUES or not text:
        return text
    known = dict(_VALUES[name].choices)
    return "、".join(str(known.get(part, part)) for part in text.split(";"))
