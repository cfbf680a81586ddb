"""The chart of accounts: one function for each account of rules.md; the name is a legal Beancount account.

Commodities: CNY is money, VCY ("voucher yuan") is voucher value. They never meet in one transfer.
"""

CNY = "CNY"
VCY = "VCY"

BANK_RENT = "Assets:Bank:Rent"
SUSPENSE_PAYMENTS = "Assets:Suspense:Payments"
SUSPENSE_RECEIPTS = "Liabilities:Suspense:Receipts"
SUBSIDY_GOVERNMENT = "Expenses:Subsidy:Government"
FUND_CHARITY = "Liabilities:Fund:Charity"
# What the bank takes and gives for keeping the account: no rule names them, a clerk books them out of suspense.
BANK_FEES = "Expenses:Bank:Fees"
BANK_INTEREST = "Income:Bank:Interest"


def vouchers_issued(programme: str) -> str:
    return f"Equity:Vouchers:{programme}:Issued"


def vouchers_redeemed(programme: str) -> str:
    return f"Equity:Vouchers:{programme}:Redeemed"


def vouchers_expired(programme: str) -> str:
    return f"Equity:Vouchers:{programme}:Expired"


def vouchers_voided(programme: str) -> str:
    return f"Equity:Vouchers:{programme}:Voided"


def vouchers_outstanding(programme: str) -> str:
    return f"Liabilities:Vouchers:{programme}:Outstanding"


def vouchers_held(programme: str) -> str:
    return f"Liabilities:Vouchers:{programme}:Held"


def voucher_expense(programme: str) -> str:
    """What vouchers of a payout programme cost the bureau, in money."""
    return f"Expenses:Vouchers:{programme}"


def payable(operator: str) -> str:
    return f"Liabilities:Payable:{operator}"


def receivable_rent(lease: str) -> str:
    return f"Assets:Receivable:Rent:{lease}"


def handed_over(owner: str) -> str:
    """Rent handed to the treasury or to an owner, by the owner's code."""
    return f"Assets:HandedOver:{owner}"


def rent_income(lease: str) -> str:
    return f"Income:Rent:{lease}"


def rent_offset(lease: str) -> str:
    return f"Expenses:RentOffset:{lease}"


def offset_credit(lease: str) -> str:
    return f"Liabilities:OffsetCredit:{lease}"


def offset_lapsed(lease: str) -> str:
    return f"Income:OffsetLapsed:{lease}"


def commodity(account: str) -> str:
    """The one commodity that an account holds."""
    return VCY if account.startswith(("Equity:Vouchers:", "Liabilities:Vouchers:")) else CNY
