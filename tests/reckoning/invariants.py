"""What must always hold (section 9), asked of a city."""

from collections import defaultdict
from decimal import Decimal


def broken(city):
    """Every invariant that does not hold now, as sentences."""
    found = []
    b = city.balances
    for code in city.programmes:
        pots = ("Issued", "Outstanding", "Held", "Redeemed", "Expired", "Voided")
        if sum(b[city._pot(code, name), "VCY"] for name in pots):
            found.append(f"{code}: issued is not outstanding + held + redeemed + expired + voided")
        mine = [v for wallet in city.wallets.values() for v in wallet if v.programme == code]
        face = city.programmes[code].face_value
        if any(v.left < 0 or v.held < 0 or v.left + v.held > face for v in mine):
            found.append(f"{code}: a voucher below zero or above its face")
        for pot, amount in (
            ("Outstanding", sum(v.left for v in mine)),
            ("Held", sum(v.held for v in mine)),
        ):
            if b[city._pot(code, pot), "VCY"] != -amount:
                found.append(f"{code}: {pot} is not what its vouchers say")
        lines = [(r, x) for r in city.redemptions.values() for x in r.lines if x.voucher.programme == code]
        if -b[city._pot(code, "Redeemed"), "VCY"] != sum(x.amount for r, x in lines if not r.reversed_on):
            found.append(f"{code}: Redeemed is not what its redemptions say")
    live = defaultdict(Decimal)
    for order in city.orders.values():
        for line in order.lines if order.state == "open" else ():
            live[line.voucher.serial] += line.amount
    for wallet in city.wallets.values():
        found += [f"{v.serial}: held without an open order" for v in wallet if v.held != live[v.serial]]
    for code in city.leases:
        said = [s[code] for m, s in city.drawn.items() if city.locked and m <= city.locked and code in s]
        paid = sum(line.amount for line in city.bank_lines if line.lease == code)
        if b[f"Assets:Receivable:Rent:{code}", "CNY"] != sum(s.charge - s.applied for s in said) - paid:
            found.append(f"{code}: receivable is not charges - applied - receipts")
        carry = sum(left for _, left, _ in city.credit[code])
        if -b[f"Liabilities:OffsetCredit:{code}", "CNY"] != carry or (said and said[-1].carry_out != carry):
            found.append(f"{code}: the balance of the offset credit is not the carry")
    for commodity in ("CNY", "VCY"):
        if sum(amount for (_, c), amount in b.items() if c == commodity):
            found.append(f"{commodity}: the books do not balance")
    return found
