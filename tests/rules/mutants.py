"""Rules broken one at a time, in the program as it runs: the machine must find every one of them.

Most change one expression in the source of a function, which is compiled anew in its place; where the rule stands
in a query, its text is changed.
"""

import inspect
import textwrap
from types import FunctionType, ModuleType
from typing import NamedTuple

from ledger.wire import Prepared
from providers.leases import receipts
from providers.leases import schedule as rent
from vouchers.approvals import operations as approvals
from vouchers.elders import deaths
from vouchers.programmes import operations as programmes
from vouchers.programmes import schedule
from vouchers.redemption import judge
from vouchers.redemption import operations as redemption
from vouchers.redemption import statements as redeeming
from vouchers.redemption.terms import OperatorTerms, ProgrammeTerms
from vouchers.settlement import operations as settlement
from vouchers.settlement import queries, reckon
from vouchers.wallets import allocate
from vouchers.wallets import operations as wallets


class Mutant(NamedTuple):
    """`what` is broken by putting `new` for `old` in the function or constant `name` of `home`."""

    what: str
    home: ModuleType | type
    name: str
    old: str
    new: str

    def break_it(self, monkeypatch) -> None:
        found = vars(self.home)[self.name]
        if isinstance(found, str):
            monkeypatch.setattr(self.home, self.name, self._changed(found))
            return
        if isinstance(found, Prepared):
            broken = Prepared(f"{found.name}_broken", self._changed(found.source))
            monkeypatch.setattr(self.home, self.name, broken)
            return
        source = self._changed(textwrap.dedent(inspect.getsource(found)))
        scope = dict(found.__globals__)
        exec(compile(source, f"<{self.what}>", "exec"), scope)  # noqa: S102 - our own source
        made = scope[self.name]
        assert isinstance(made, FunctionType) and made.__code__.co_freevars == ()
        # In place, so that whoever imported the function by its name has the broken one too.
        monkeypatch.setattr(found, "__code__", made.__code__)

    def _changed(self, text: str) -> str:
        if text.count(self.old) != 1:
            raise LookupError(
                f"{self.name} holds {self.old!r} {text.count(self.old)} times: tell the mutant anew"
            )
        return text.replace(self.old, self.new)


_ALL = [
    Mutant("a share rounded, not floored", allocate, "_one_kind",
           "floor_fen(voucher.max_share * price)", "(voucher.max_share * price).quantize(ZERO, 'ROUND_HALF_UP')"),
    Mutant("a share for each voucher, not for the programme", allocate, "_one_kind",
           " - paid_by.get(voucher.programme, ZERO)", ""),
    Mutant("indivisible vouchers divided", allocate, "_one_kind", " if voucher.divisible else voucher.remaining", ""),
    Mutant("a tie goes to what comes later", allocate, "allocate",
           "first.order < best_rank[1]", "first.order > best_rank[1]"),
    Mutant("the least spend not asked for", ProgrammeTerms, "covers", " or self.min_spend > price", ""),
    Mutant("a lease that ended opens its operator's premises", ProgrammeTerms, "covers",
           "self.lease.in_force(day) and ", ""),
    Mutant("a safety check good for a day too long", OperatorTerms, "may_serve",
           "timedelta(days=SAFETY_CHECK_DAYS)", "timedelta(days=SAFETY_CHECK_DAYS + 1)"),
    Mutant("the daily limit one too many", judge, "judge",
           "elder.had_today + quantity > wanted.daily_limit", "elder.had_today + quantity > wanted.daily_limit + 1"),
    Mutant("what was reversed counts towards the daily limit", redeeming, "READ_LOCKING",
           " AND r.reversed_on IS NULL)", ")"),
    Mutant("a key's content not compared", redemption, "receipt_again", "first.request != request", "False"),
    Mutant("a redemption of the day of death passes", judge, "judge",
           "elder.died_on <= service_on", "elder.died_on < service_on"),
    Mutant("value given back twice over", wallets, "put_back", "voucher.remaining += amount",
           "voucher.remaining = min(voucher.face_value, voucher.remaining + 2 * amount)"),
    Mutant("value given back on the last day expires", wallets, "closes_as",
           "voucher.valid_until < day", "voucher.valid_until <= day"),
    Mutant("the expiry run takes a day too much", wallets, "expire", "valid_until < %s", "valid_until <= %s"),
    Mutant("an order cancelled by a death dated by the death", deaths, "_learn",
           "max(died_on, issued, day_of(hold.placed_at))", "died_on"),
    Mutant("services of the day of death not held back", deaths, "_learn", "service_on__gte", "service_on__gt"),
    Mutant("vouchers valid a day short", schedule, "valid_until", "valid_days - 1", "valid_days - 2"),
    Mutant("the budget forgotten", programmes, "affordable", "programme.budget is None", "True"),
    Mutant("rent free a day short", rent, "charge", "terms.rent_free_until + timedelta(days=1)", "terms.rent_free_until"),
    Mutant("credit lapses a month early", reckon, "_lapse", " > months", " >= months"),
    Mutant("carry used newest first", reckon, "_use", "for layer in layers", "for layer in reversed(layers)"),
    Mutant("a credit below zero leaves the rent alone", reckon, "reckon",
           "applied = min(available, cap)", "applied = max(ZERO, min(available, cap))"),
    Mutant("what was reversed counts once more", reckon, "credit_of", "total += sign * value", "total += value"),
    Mutant("what is held back counts", queries, "SUMS", "'held'", "'counted'"),
    Mutant("figures not compared at each step", approvals.Kind, "take",
           "self.digest(now) != document.digest or ", ""),
    Mutant("the month locked with a statement open", settlement, "lock_if_complete",
           " or not_posted(month).exists()", ""),
    Mutant("any officer may review any street", settlement, "may",
           '"street_officer", division=place', '"street_officer"'),
    Mutant("an amount proposed twice", receipts, "_verdict",
           "dues.propose(verdict.lease, verdict.month, row.amount)", "pass"),
]  # fmt: skip

MUTANTS = {mutant.what: mutant for mutant in _ALL}

# Found within a few histories; the others take longer.
SOON_FOUND = {
    "a share for each voucher, not for the programme",
    "indivisible vouchers divided",
    "a tie goes to what comes later",
    "the daily limit one too many",
    "a key's content not compared",
    "services of the day of death not held back",
    "vouchers valid a day short",
    "the budget forgotten",
    "rent free a day short",
    "credit lapses a month early",
}
