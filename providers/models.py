"""Gathers the models of this app's concepts."""

from providers.divisions.models import Division
from providers.leases.models import Lease, LeaseTerms, Receipt, RentCharge
from providers.operators.models import Operator, SafetyCheck, Suspension
from providers.premises.models import Premises
from providers.services.models import Offer, Price, Service, TermsVersion

__all__ = [
    "Division",
    "Lease",
    "LeaseTerms",
    "Offer",
    "Operator",
    "Premises",
    "Price",
    "Receipt",
    "RentCharge",
    "SafetyCheck",
    "Service",
    "Suspension",
    "TermsVersion",
]
