"""Steps of expiry, deaths and their corrections, fraud, reviews, and suspended operators (rules.md sections 4 and 6)."""

from datetime import timedelta

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.journal.operations import hold_journal_open
from providers.models import Operator, Suspension
from tests.reckoning.terms import FAR
from tests.rules import ground
from tests.rules.steps import Steps, elder_of, elders, people, spots, user_of, which
from vouchers.elders.deaths import correct_death, learn_death
from vouchers.models import Elder, Redemption, Voucher
from vouchers.settlement.operations import decide_review
from vouchers.wallets.operations import expire, void


class Lives(Steps):
    # Expiry, deaths, fraud, reviews

    @rule(spot=spots, again=st.booleans())
    def expire(self, spot, again):
        on = self.day(spot)
        for nth in range(1 + again):
            self.both(
                "expire",
                lambda: self.town.expire(on=on),
                lambda: sum(value for _, value in expire(on=on, by="machine", at=self.clock).values()),
                repeated=nth > 0,
            )

    @precondition(lambda self: self._dead() < 2)
    @rule(elder=elders, spot=spots, again=st.booleans())
    def die(self, elder, spot, again):
        if elder in self.town.elders:
            self._die(elder, self.day(spot), again)

    @precondition(lambda self: self.town.redemptions and self._dead() < 2)
    @rule(
        nth=which,
        days=st.sampled_from([0, 0, 1]),
        decisions=st.lists(st.sampled_from(["release", "reject"]), max_size=2),
    )
    def die_long_ago(self, nth, days, decisions):
        """Learnt late: what was redeemed since is held back, and decided on."""
        made = self.town.redemptions[sorted(self.town.redemptions)[nth % len(self.town.redemptions)]]
        self._die(made.elder, made.service_on + timedelta(days=days))
        for key, decision in zip(self._held(), decisions, strict=False):
            self._decide(key, decision, "clerk")

    def _held(self):
        return sorted(key for (_, key), made in self.town.redemptions.items() if made.review == "held")

    def _dead(self):
        return sum(elder.died_on is not None for elder in self.town.elders.values())

    def _die(self, elder, on, again=False):
        for _ in range(1 + again):
            known = self.town.elders[elder].died_on is not None
            self.both(
                "die",
                lambda known=known: None if known else self.town.die(elder, on=on),
                lambda: learn_death(elder=elder_of(elder), died_on=on, by="machine", at=self.clock),
                repeated=known,
            )

    # The program does not know yet why a voucher was voided, where both happened to one person.
    @precondition(lambda self: any(self._correctable(elder) for elder in self.town.elders.values()))
    @rule(nth=which, anybody=st.sampled_from([False, False, False, True]))
    def live(self, nth, anybody):
        dead = [elder for elder in self.town.elders.values() if self._correctable(elder)]
        alive = [elder for elder in self.town.elders.values() if not elder.died_on]
        some = alive if anybody and alive else dead
        elder = some[nth % len(some)].code
        self.both(
            "live",
            lambda: self.town.correct_death(elder, on=self.today),
            lambda: correct_death(elder=elder_of(elder), by="machine", at=self.clock, reason="machine"),
        )

    def _correctable(self, elder):
        return elder.died_on and all(v.void_by != "fraud" for v in self.town.wallets[elder.code])

    @rule(elder=elders, spot=spots, sure=st.sampled_from([True, False, False]))
    def fraud(self, elder, spot, sure):
        if not sure or elder not in self.town.elders or self.town.elders[elder].died_on:
            return
        on = self.day(spot)
        self.both(
            "fraud",
            lambda: self.town.void(elder, on=on),
            lambda: _void_for_fraud(elder, on, self.key("fraud:"), self.clock),
        )

    @precondition(lambda self: any(made.review for made in self.town.redemptions.values()))
    @rule(nth=which, decision=st.sampled_from(["release", "reject"]), by=people, right=st.integers(0, 3))
    def decide(self, nth, decision, by, right):
        keys = (right and self._held()) or sorted(key for _, key in self.town.redemptions)
        self._decide(keys[nth % len(keys)], decision, "clerk" if right else by)

    def _decide(self, key, decision, name):
        self.both(
            f"decide {decision}",
            lambda: self.town.decide(key, decision, by=name, on=self.today),
            lambda: decide_review(
                redemption=Redemption.objects.get(key=key),
                release=decision == "release",
                by=user_of(name),
                at=self.clock,
                reason="machine",
            ),
        )

    # Operators

    @precondition(lambda self: not any(FAR in p for o in self.town.operators.values() for p in o.suspended))
    @rule(operator=st.sampled_from(ground.OPERATORS), spot=spots, days=st.sampled_from([1, 2, 2, None]))
    def suspend(self, operator, spot, days):
        """Later than now, or the town would stand still."""
        on = max(self.day(spot), self.today + timedelta(days=2))
        until = on + timedelta(days=days) if days else None
        known = self.town.operators[operator].suspended
        if any(start == on or (end == FAR and not days) for start, end in known):
            return

        def program():
            Suspension.objects.create(
                operator=Operator.objects.get(code=operator), starts_on=on, reinstated_on=until
            )

        self.both("suspend", lambda: known.append([on, until or FAR]), program)

    @precondition(lambda self: any(FAR in p for o in self.town.operators.values() for p in o.suspended))
    @rule(operator=st.sampled_from(ground.OPERATORS))
    def reinstate(self, operator):
        """All that is open ends tomorrow, or a day after it began."""

        def rules():
            for period in self.town.operators[operator].suspended:
                if period[1] == FAR:
                    period[1] = max(self.today, period[0]) + timedelta(days=1)

        def program():
            for row in Suspension.objects.filter(operator__code=operator, reinstated_on=None):
                row.reinstated_on = max(self.today, row.starts_on) + timedelta(days=1)
                row.save()

        self.both("reinstate", rules, program)


def _void_for_fraud(elder, on, key, at):
    """What a decision of fraud does; the decision itself has no page yet."""
    with transaction.atomic():
        hold_journal_open()
        Elder.objects.select_for_update(no_key=True).get(code=elder)
        vouchers = Voucher.objects.select_for_update(of=["self"]).select_related("programme")
        void(
            vouchers=list(vouchers.filter(elder__code=elder, voided_on=None).order_by("id")),
            on=on,
            kind="void_fraud",
            key=key,
            by="machine",
            at=at,
        )
