"""A whole city of vouchers in memory: every step of the rules as a method of `City`.

    city = City()
    city.load(Path("scenario/city"))
    city.issue(on=date(2026, 7, 1))
    redemption, repeated = city.redeem(key="K1", happened_at=..., premises="PR1", service="SV1",
                                       elder="EL1", quantity=1)
    city.place(key="O1", service_on=..., ...); city.deliver("O1", key="K2", happened_at=..., quantity=1)
    city.reverse("K1", on=...); city.expire(on=...); city.void("EL1", on=...)
    city.close("2026-07"); city.settle("2026-07")

What the rules refuse raises `Refused` with their code and leaves the city as it was. Amounts are yuan.
`city.balances` holds (account, commodity) -> amount, debits positive as in the books; `city.journal`
every transfer as (date, kind, debited, credited, commodity, amount); `city.broken()` lists invariants
of section 9 that do not hold (none, ever). The readings taken where the rules leave room are listed
in reckoning.py.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from . import bank, closing, invariants, loading
from .arithmetic import ZERO, first_day, floor_fen, last_day, month_of, service_date
from .records import Line, Order, Redemption, Refused, Voucher


class City:
    def __init__(self):
        self.divisions, self.operators, self.premises, self.leases = {}, {}, set(), {}
        self.services, self.offers, self.prices = {}, set(), defaultdict(list)
        self.programmes, self.elders = {}, {}
        self.wallets = defaultdict(list)  # elder -> vouchers
        self.served = set()  # (programme, issue date, elder)
        self.redemptions, self.orders = {}, {}  # by (scope, key), by key
        self.of_lease = defaultdict(list)  # lease -> [(redemption, value of the lease's offset programmes)]
        self.taken = defaultdict(int)  # (elder, service, day) -> quantity counted for the daily limit
        self.balances, self.journal = defaultdict(Decimal), []
        self.locked = None  # last month locked; none until a month is closed for the first time
        self.drawn = {}  # month -> {lease: Statement}, drawn up or approved
        self.credit = defaultdict(list)  # lease -> [[month, left, carry_months]], oldest first
        self.bank_lines = []

    # Loading

    def load(self, directory):
        """Load or update whatever files the directory holds. A row known already changes only what the
        contract lets change: an end, a check, a suspension, an elder's entries."""
        loading.load(self, directory)

    def put_elder(self, elder):
        """A person new to the register, or their entries anew; a death is learnt here."""
        old = self.elders.get(elder.code)
        if old is None:
            self.elders[elder.code] = elder
            return
        died_on = elder.died_on
        self.elders[elder.code] = replace(elder, died_on=old.died_on)
        if died_on and old.died_on is None:
            self.die(elder.code, on=died_on)

    # Issue (section 3)

    def issue(self, *, on):
        """Issue what is due on that day; returns programme -> (elders, vouchers, value)."""
        done = {}
        for programme in sorted(self.programmes.values(), key=lambda p: p.code):
            if not self._issues_on(programme, on):
                continue
            allotment = programme.face_value * programme.per_elder
            elders = vouchers = 0
            for code in sorted(self.elders):
                elder = self.elders[code]
                if (programme.code, on, code) in self.served or not self._entitled(programme, elder, on):
                    continue
                issued = self.balances[f"Equity:Vouchers:{programme.code}:Issued", "VCY"]
                if programme.budget is not None and issued + allotment > programme.budget:
                    break
                self.served.add((programme.code, on, code))
                fresh = [self._new_voucher(programme, code, on, n) for n in range(programme.per_elder)]
                elders, vouchers = elders + 1, vouchers + len(fresh)
                self._post(
                    on, "issue", self._pot(programme.code, "Issued"), self._pot(programme.code), allotment
                )
                if elder.died_on:
                    self._void(fresh, "death", on=elder.died_on)
            done[programme.code] = (elders, vouchers, programme.face_value * vouchers)
        return done

    def _issues_on(self, programme, on):
        if not programme.starts_on <= on <= programme.ends_on:
            return False
        if programme.lease and not self.leases[programme.lease].in_force(on):
            return False
        if programme.cadence == "once":
            return on == programme.starts_on
        return on.day == 1 and (programme.cadence == "monthly" or on.month in (1, 4, 7, 10))

    def _entitled(self, programme, elder, on):
        if elder.died_on and elder.died_on <= on:
            return False
        if elder.age_on(on) < programme.min_age:
            return False
        if programme.min_ability is not None and (
            elder.ability is None or elder.ability < programme.min_ability
        ):
            return False
        if programme.any_of and not programme.any_of & elder.categories:
            return False
        return not programme.divisions or bool(programme.divisions & set(self._above(elder.division)))

    def _above(self, division):
        while division:
            yield division
            division = self.divisions[division].parent

    def _new_voucher(self, programme, elder, on, n):
        if programme.valid_days:
            until = on + timedelta(days=programme.valid_days - 1)
        elif programme.cadence == "once":
            until = programme.ends_on
        elif programme.cadence == "monthly":
            until = last_day(month_of(on))
        else:
            until = last_day(f"{on.year}-{on.month + 2:02d}")
        until = min(until, programme.ends_on)
        serial = f"{programme.code}-{on:%Y%m%d}-{elder}-{n + 1:03d}"
        voucher = Voucher(serial, programme.code, elder, on, until, programme.face_value)
        self.wallets[elder].append(voucher)
        return voucher

    # Redemption (section 4)

    def redeem(self, *, key, happened_at, premises, service, elder, quantity, channel="", scope="files"):
        """Spend on one delivered service; returns (redemption, whether it was told before)."""
        content = (happened_at, premises, service, elder, quantity, channel)  # instants, not their spelling
        known = self.redemptions.get((scope, key))
        if known:
            if known.content != content:
                raise Refused("key_reused")
            return known, True
        day = service_date(happened_at)
        lease, price = self._check(premises, service, elder, quantity, day)
        lines = self._allocate(self._candidates(elder, service, lease, day), price["elder"])
        return self._write(
            scope, key, content, elder, premises, service, day, quantity, lease, price, lines
        ), False

    def _check(self, premises, service, elder, quantity, day, already=0):
        """Steps 2 and 3; `already` is what this very order has taken of the daily limit."""
        if premises not in self.premises or service not in self.services or elder not in self.elders:
            raise Refused("unknown_reference")
        leases = [x for x in self.leases.values() if x.premises == premises and x.in_force(day)]
        if not leases:
            raise Refused("no_lease")
        if self.operators[leases[0].operator].is_suspended(day):
            raise Refused("operator_suspended")
        if (premises, service) not in self.offers:
            raise Refused("service_not_offered")
        person = self.elders[elder]
        if person.died_on and person.died_on <= day:
            raise Refused("elder_deceased")
        prices = [p for p in self.prices[service] if p.fits(day, person.age_on(day))]
        if not prices:
            raise Refused("no_price")
        limit = self.services[service].daily_limit
        if limit is not None and self.taken[elder, service, day] - already + quantity > limit:
            raise Refused("daily_limit")
        parts = {"list": prices[0].list_price, "elder": prices[0].elder_price}
        parts |= {part: getattr(prices[0], part) for part in ("government", "concession", "charity")}
        return leases[0], {part: amount * quantity for part, amount in parts.items()}

    def _candidates(self, elder, service, lease, day):
        """Step 4 as (voucher, what it may spend); `min_spend` is looked at where P is known."""
        category = self.services[service].category
        return [
            (v, v.left)
            for v in self.wallets[elder]
            if v.left > 0
            and v.valid_from <= day <= v.valid_until
            and category in self.programmes[v.programme].categories
            and self._in_scope(self.programmes[v.programme], lease, day)
        ]

    def _in_scope(self, programme, lease, day):
        if programme.scope == "premises":
            return programme.lease == lease.code
        if programme.scope == "operator":
            own = self.leases[programme.lease]
            return own.in_force(day) and own.operator == lease.operator
        return True

    def _allocate(self, candidates, due):
        """Step 5: which vouchers pay how much of `due` = P. Offset and payout never pay together."""
        plans = []
        for settlement in ("offset", "payout"):
            lines, paid, by_programme = [], ZERO, defaultdict(Decimal)
            for voucher, has in sorted(candidates, key=lambda c: c[0].order()):
                programme = self.programmes[voucher.programme]
                if programme.settlement != settlement or programme.min_spend > due:
                    continue
                allowed = min(due - paid, floor_fen(programme.max_share * due) - by_programme[programme.code])
                amount = min(has, allowed) if programme.divisible else has if has <= allowed else ZERO
                if amount > 0:
                    lines.append(Line(voucher, amount))
                    paid += amount
                    by_programme[programme.code] += amount
            if lines:
                plans.append((-paid, lines[0].voucher.order(), lines))
        return min(plans, key=lambda plan: plan[:2])[2] if plans else []

    def _write(
        self, scope, key, content, elder, premises, service, day, quantity, lease, price, lines, pot=None
    ):
        """Steps 6 and 8. `pot` is where the value comes from: what is outstanding, or what an order held."""
        paid = sum((line.amount for line in lines), ZERO)
        if not (paid or price["government"] or price["charity"]):
            raise Refused("nothing_spendable")
        price = price | {"vouchers": paid, "self_pay": price["elder"] - paid}
        made = Redemption(
            key, content, elder, premises, service, day, quantity, lease.code, lease.operator, price, lines
        )
        for line in lines:
            if pot == "Held":
                line.voucher.held -= line.amount
            else:
                line.voucher.left -= line.amount
        self._post_redemption(made, day, "redemption", pot)
        self.redemptions[scope, key] = made
        self.taken[elder, service, day] += quantity
        for code in {self.programmes[x.voucher.programme].lease for x in lines if self._is_offset(x.voucher)}:
            value = sum(
                x.amount
                for x in lines
                if self._is_offset(x.voucher) and self.programmes[x.voucher.programme].lease == code
            )
            self.of_lease[code].append((made, value))
        return made

    def _is_offset(self, voucher):
        return self.programmes[voucher.programme].settlement == "offset"

    def _post_redemption(self, made, day, kind, pot=None, back=False):
        payable = f"Liabilities:Payable:{made.operator}"
        transfers = []
        for line in made.lines:
            programme = line.voucher.programme
            transfers.append(
                (self._pot(programme, pot or "Outstanding"), self._pot(programme, "Redeemed"), line.amount)
            )
            if not self._is_offset(line.voucher):
                transfers.append((f"Expenses:Vouchers:{programme}", payable, line.amount))
        transfers.append(("Expenses:Subsidy:Government", payable, made.price["government"]))
        transfers.append(("Liabilities:Fund:Charity", payable, made.price["charity"]))
        for debited, credited, amount in transfers:
            self._post(day, kind, *((credited, debited) if back else (debited, credited)), amount)

    def reverse(self, key, *, on, scope="files"):
        """Take a redemption back; returns True when it had been reversed before."""
        made = self.redemptions.get((scope, key))
        if made is None:
            raise Refused("unknown_reference")
        if made.reversed_on:
            return True
        made.reversed_on = on
        if made.review == "held":
            made.review = "rejected"
        self.taken[made.elder, made.service, made.service_on] -= made.quantity
        self._post_redemption(made, on, "reversal", back=True)
        for line in made.lines:
            self._give_back(line, on)
        return False

    def _give_back(self, line, on):
        """What comes back to a voided voucher is voided at once, to one past its validity expires at once,
        dated by the day on which it came back. What else is left on a voucher past its validity stays until
        the expiry run."""
        line.voucher.left += line.amount
        if line.voucher.void_by:
            self._void_voucher(line.voucher, line.voucher.void_by, on)
        elif line.voucher.valid_until < on:
            self._expire_voucher(line.voucher, line.amount, on)

    # Orders and holds (section 5)

    def place(self, *, key, placed_on, service_on, premises, service, elder, quantity):
        """Set aside what the service will be paid with on its day; the same key again answers the same."""
        if key in self.orders:
            known = self.orders[key]
            told = (known.elder, known.premises, known.service, known.service_on, known.quantity)
            if told != (elder, premises, service, service_on, quantity):
                raise Refused("key_reused")
            return known
        lease, price = self._check(premises, service, elder, quantity, service_on)
        lines = self._allocate(self._candidates(elder, service, lease, service_on), price["elder"])
        if not (lines or price["government"] or price["charity"]):
            raise Refused("nothing_spendable")
        order = Order(key, elder, premises, service, service_on, quantity, lines, placed_on)
        for line in lines:
            line.voucher.left -= line.amount
            line.voucher.held += line.amount
            self._post(
                placed_on,
                "hold",
                self._pot(line.voucher.programme),
                self._pot(line.voucher.programme, "Held"),
                line.amount,
            )
        self.taken[elder, service, service_on] += quantity
        self.orders[key] = order
        return order

    def cancel(self, order_key, *, on):
        """Cancelling, refusal and time-out alike: what was held is released."""
        order = self.orders[order_key]
        if order.state != "open":
            raise Refused("not_held")
        self._release(order, on)

    def _release(self, order, on):
        order.state = "released"
        self.taken[order.elder, order.service, order.service_on] -= order.quantity
        self._release_lines(order.lines, on)

    def _release_lines(self, lines, on):
        for line in lines:
            voucher, programme = line.voucher, line.voucher.programme
            voucher.held -= line.amount
            self._post(on, "release", self._pot(programme, "Held"), self._pot(programme), line.amount)
            self._give_back(line, on)

    def deliver(self, order_key, *, key, happened_at, quantity, on=None, channel="", scope="files"):
        """Turn the hold into a redemption: at most what is held, the rest released on the day `on`."""
        order = self.orders[order_key]
        content = (happened_at, order.premises, order.service, order.elder, quantity, channel)
        known = self.redemptions.get((scope, key))
        if known:
            if known.content != content:
                raise Refused("key_reused")
            return known
        if order.state != "open":
            raise Refused("not_held")
        day = service_date(happened_at)
        same_day = order.quantity if day == order.service_on else 0
        lease, price = self._check(
            order.premises, order.service, order.elder, quantity, day, already=same_day
        )
        held = {line.voucher.serial: line.amount for line in order.lines}
        category = self.services[order.service].category
        usable = [
            (line.voucher, line.amount)
            for line in order.lines
            if line.voucher.valid_from <= day <= line.voucher.valid_until
            and category in self.programmes[line.voucher.programme].categories
            and self._in_scope(self.programmes[line.voucher.programme], lease, day)
        ]
        lines = self._allocate(usable, price["elder"])
        made = self._write(
            scope,
            key,
            content,
            order.elder,
            order.premises,
            order.service,
            day,
            quantity,
            lease,
            price,
            lines,
            "Held",
        )
        order.state = "delivered"
        self.taken[order.elder, order.service, order.service_on] -= order.quantity
        for line in lines:
            held[line.voucher.serial] -= line.amount
        rest = [Line(x.voucher, held[x.voucher.serial]) for x in order.lines if held[x.voucher.serial]]
        self._release_lines(rest, on or day)
        return made

    # Expiry, voiding, review (section 6)

    def expire(self, *, on):
        """Expire what is past its validity before that day; returns the value."""
        gone = ZERO
        for wallet in self.wallets.values():
            for voucher in wallet:
                if voucher.valid_until < on and voucher.left > 0:
                    gone += voucher.left
                    self._expire_voucher(voucher, voucher.left, on)
        return gone

    def _expire_voucher(self, voucher, amount, on):
        self._post(
            on, "expiry", self._pot(voucher.programme), self._pot(voucher.programme, "Expired"), amount
        )
        voucher.left -= amount

    def _void(self, vouchers, cause, *, on):
        """Void what is left; `on` is the death or the decision, the entry is never before the issue."""
        for voucher in vouchers:
            # The death is dated by the later of itself and the issue, fraud by the day of the decision.
            self._void_voucher(voucher, cause, max(on, voucher.valid_from) if cause == "death" else on)

    def _void_voucher(self, voucher, cause, day):
        voucher.void_by = cause
        self._post(
            day, "void", self._pot(voucher.programme), self._pot(voucher.programme, "Voided"), voucher.left
        )
        if cause == "death":
            voucher.voided_by_death += voucher.left
        voucher.left = ZERO

    def void(self, elder, *, on):
        """Fraud: void everything the elder has left."""
        self._void([v for v in self.wallets[elder] if not v.void_by], "fraud", on=on)

    def die(self, elder, *, on):
        """A death is learnt: open orders fall, vouchers are voided, redemptions from that day on are held back."""
        self.elders[elder].died_on = on
        self._void([v for v in self.wallets[elder] if not v.void_by], "death", on=on)
        for order in self.orders.values():
            if order.elder == elder and order.state == "open":
                issued = [line.voucher.valid_from for line in order.lines]
                self._release(order, max(on, order.placed_on, *issued))
        for made in self.redemptions.values():
            if made.elder == elder and made.service_on >= on and not made.reversed_on:
                made.review = "held"

    def correct_death(self, elder, *, on):
        """The death was a mistake: its voids are mirrored, its reviews lifted."""
        if self.elders[elder].died_on is None:
            raise Refused("not_dead")
        self.elders[elder].died_on = None
        for voucher in self.wallets[elder]:
            if voucher.void_by == "death":
                voucher.void_by = None
                amount, voucher.voided_by_death = voucher.voided_by_death, ZERO
                voucher.left += amount
                programme = voucher.programme
                self._post(on, "correction", self._pot(programme, "Voided"), self._pot(programme), amount)
        for made in self.redemptions.values():
            if made.elder == elder and made.review == "held":
                made.review = None

    def decide_review(self, key, decision, *, on, scope="files"):
        made = self.redemptions.get((scope, key))
        if made is None or made.review != "held":
            raise Refused("not_under_review")
        if decision == "reject":
            self.reverse(key, on=on, scope=scope)
        else:
            made.review = "released"

    # The month of a lease (section 7)

    def change_terms(self, lease, *, since, **changed):
        """New terms of a lease from the first of an open month."""
        if since.day != 1 or (self.locked and month_of(since) <= self.locked):
            raise Refused("month_locked")
        lease = self.leases[lease]
        lease.terms.append((since, replace(lease.terms_on(since), **changed)))

    def statement(self, lease, month):
        """The statement as it would be drawn up now, or None when the lease has none; changes nothing."""
        return closing.reckon(self.leases[lease], self.of_lease[lease], self.credit[lease], month)

    def close(self, month):
        """Draw up every lease's statement of the month; again until it is approved."""
        if self.locked and month <= self.locked:
            raise Refused("month_locked")
        if self.locked is None:  # the first month ever closed opens the accounts and locks all before it
            self.locked = closing.later(month, -1)
        if self.locked != closing.later(month, -1):
            raise Refused("month_before_open")
        drawn = {code: self.statement(code, month) for code in sorted(self.leases)}
        self.drawn[month] = {code: s for code, s in drawn.items() if s}
        return self.drawn[month]

    def settle(self, month):
        """The three approvals of every statement of the month: posted, and the month locked."""
        if month not in self.drawn or (self.locked and month <= self.locked):
            raise Refused("not_drawn_up")
        for code, seen in self.drawn[month].items():
            if self.statement(code, month) != seen:
                raise Refused("statement_changed")
        for code, statement in self.drawn[month].items():
            self._approve(code, month, statement)
        self.locked = month

    def _approve(self, code, month, statement):
        credit, rent = f"Liabilities:OffsetCredit:{code}", f"Assets:Receivable:Rent:{code}"
        for debited, credited, amount in (
            (rent, f"Income:Rent:{code}", statement.charge),
            (f"Expenses:RentOffset:{code}", credit, statement.credit),
            (credit, rent, statement.applied),
            (credit, f"Income:OffsetLapsed:{code}", statement.lapsed),
        ):
            if amount < 0:
                debited, credited, amount = credited, debited, -amount
            self._post(last_day(month), "statement", debited, credited, amount)
        counted, taken_off = closing.counted(self.of_lease[code], code, month)
        for made in counted:
            made.stands[code] = month
        for made in taken_off:
            made.taken_off[code] = month
        self.credit[code] = closing.credit_after(self.leases[code], self.credit[code], statement)

    # Bank (section 8)

    def import_bank(self, lines):
        """Take lines of one file, as lists of its columns; returns the tally of the command."""
        return bank.take(self, lines)

    def approved(self):
        """The statements approved so far as (lease, month, statement), oldest month first."""
        return [
            (code, month, statement)
            for month in sorted(self.drawn)
            if self.locked and month <= self.locked
            for code, statement in self.drawn[month].items()
        ]

    # The books

    @staticmethod
    def _pot(programme, name="Outstanding"):
        root = "Liabilities" if name in ("Outstanding", "Held") else "Equity"
        return f"{root}:Vouchers:{programme}:{name}"

    def _post(self, day, kind, debited, credited, amount):
        """One transfer, dated in the first open month when its own is locked; nothing for nothing."""
        if not amount:
            return
        assert amount > 0, (kind, debited, credited, amount)
        pots = ("Liabilities:Vouchers:", "Equity:Vouchers:")
        commodity = "VCY" if debited.startswith(pots) and credited.startswith(pots) else "CNY"
        if self.locked and kind != "statement" and month_of(day) <= self.locked:
            day = first_day(closing.later(self.locked, 1))
        self.journal.append((day, kind, debited, credited, commodity, amount))
        self.balances[debited, commodity] += amount
        self.balances[credited, commodity] -= amount

    def broken(self):
        """Every invariant of section 9 that does not hold now, as sentences; an empty list when all do."""
        return invariants.broken(self)
