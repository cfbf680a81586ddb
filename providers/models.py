"""Gathers the models of this app's concepts."""

from providers.caregivers.models import Appointment, Caregiver, Qualification, Shift
from providers.divisions.models import Division
from providers.leases.models import Lease, LeaseTerms, Receipt, ReceiptDecision, ReceiptPart, RentCharge
from providers.operators.models import Operator, SafetyCheck, StaffLink, Suspension
from providers.ordering.models import Booking, Closure, OpeningHours, OrderTerms, Sitting, Slot
from providers.premises.models import Premises
from providers.services.models import CashPrice, Offer, Price, Service, TermsVersion

__all__ = [
    "Appointment",
    "Booking",
    "Caregiver",
    "CashPrice",
    "Closure",
    "Division",
    "Lease",
    "LeaseTerms",
    "Offer",
    "OpeningHours",
    "Operator",
    "OrderTerms",
    "Premises",
    "Price",
    "Qualification",
    "Receipt",
    "ReceiptDecision",
    "ReceiptPart",
    "RentCharge",
    "SafetyCheck",
    "Service",
    "Shift",
    "Sitting",
    "Slot",
    "StaffLink",
    "Suspension",
    "TermsVersion",
]
