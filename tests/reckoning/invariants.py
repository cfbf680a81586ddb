"""What must always hold (section 9), asked of a city."""

from collections import defaultdict
from decimal import Decimal


def broken(city):
    """Every invariant that does not hold now, as sentences."""
    found = []
    b = city.balances
    vouchers, redeemed = defaultdict(list), defaultdict(Decimal)
    for wallet in city.wallets.values():
        for voucher in wallet:
            vouchers[voucher.programme].append(voucher)
    for made in city.redemptions.values():
        for line in made.lines if not made.reversed_on else ():
            redeemed[line.voucher.programme] += line.amount
    for code, programme in city.programmes.items():

        def pot(name, code=code):
            return b[city._pot(code, name), "VCY"]

        mine = vouchers[code]
        if sum(map(pot, ("Issued", "Outstanding", "Held", "Redeemed", "Expired", "Voided"))):
            found.append(f"{code}: issued is not outstanding + held + redeemed + expired + voided")
        if any(v.left < 0 or v.held < 0 or v.left + v.held > programme.face_value for v in mine):
            found.append(f"{code}: a voucher below zero or above its face")
        says = {"Issued": -programme.face_value * len(mine), "Redeemed": redeemed[code]}
        says |= {"Outstanding": sum(v.left for v in mine), "Held": sum(v.held for v in mine)}
        found += [f"{code}: {name} is not what its vouchers say" for name in says if pot(name) != -says[name]]
    live = defaultdict(Decimal)
    for order in city.orders.values():
        for line in order.lines if order.state == "open" else ():
            live[line.voucher.serial] += line.amount
    for wallet in city.wallets.values():
        found += [f"{v.serial}: held without an open order" for v in wallet if v.held != live[v.serial]]
    for code in city.leases:
        said = [statement for lease, _, statement in city.approved() if lease == code]
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
