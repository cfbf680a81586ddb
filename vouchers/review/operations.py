"""Running the rules over a month or over what is new, and what a person does with the cases they open."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.journal.queries import SHANGHAI, next_month
from ledger.refusals import Refusal
from vouchers.redemption.models import Redemption
from vouchers.review.catalogue import ELDER, LEASE
from vouchers.review.facts import Finding, Served
from vouchers.review.models import ReviewProgress
from vouchers.review.parameters import Terms, in_force
from vouchers.review.queries import (
    Known,
    New,
    groups,
    lead_in,
    lead_out,
    months_of,
    new_after,
    regulars_of_one,
)
from vouchers.settlement.models import ReviewCase
from vouchers.settlement.operations import CannotSettle, decide_review

REVIEW_LOCK = 7204  # ledger/journal/guards.py and ledger/outbox have the others
BATCH = 1000  # new redemptions looked at together
MANY = 20_000  # more than these are looked at month by month
WRITE = 500
Progress = Callable[[int, int | None, str], None]

OPEN = """
    INSERT INTO vouchers_reviewcase (redemption_id, reason, holds, facts, opened_at)
    SELECT r.id, f.rule, f.holds, f.facts::jsonb, %(at)s
    FROM unnest(%(ids)s::bigint[], %(rules)s::text[], %(holds)s::bool[], %(facts)s::text[])
            AS f(id, rule, holds, facts)
        JOIN vouchers_redemption r ON r.id = f.id
    WHERE r.reversed_on IS NULL AND NOT EXISTS (
        SELECT FROM vouchers_reviewcase k WHERE k.redemption_id = f.id AND k.reason = f.rule)
    ORDER BY r.id FOR SHARE OF r
    ON CONFLICT DO NOTHING
    RETURNING reason
"""


class Cases:
    """Collects findings and opens their cases, some hundred at a time, each lot in one short transaction.

    A redemption reversed meanwhile gets none: its row is locked against a reversal while it is looked at.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.opened: Counter[str] = Counter()
        self._waiting: dict[tuple[int, str], tuple[bool, dict[str, Any]]] = {}

    def add(self, terms: Terms, finding: Finding) -> None:
        self._waiting.setdefault((finding.redemption, terms.rule.code), (terms.holds, finding.facts))
        if len(self._waiting) >= WRITE:
            self.write()

    def write(self) -> None:
        if not self._waiting:
            return
        lot, self._waiting = self._waiting, {}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                OPEN,
                {
                    "at": self.at,
                    "ids": [id_ for id_, _rule in lot],
                    "rules": [rule for _id, rule in lot],
                    "holds": [holds for holds, _facts in lot.values()],
                    "facts": [json.dumps(facts, ensure_ascii=False) for _holds, facts in lot.values()],
                },
            )
            self.opened.update(reason for (reason,) in cursor.fetchall())


def review_month(
    *,
    month: date,
    by: Any,
    at: datetime,
    rules: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Counter[str]:
    """This function will run the rules (`rules`: only these) over all redemptions of a month of service.

    1. Read the month's redemptions twice, once by elder and once by lease, each in order of time; the day before
       and the day after are read along, so that what crosses midnight is seen, and what is found about them left.
    2. Open a case for each finding that has none yet.
    3. Note in the audit how many were opened.

    Returns the cases opened, by rule. Run again, or by two at once, it opens nothing twice; killed half-way,
    the next run opens the rest. Reads in linear time with one elder's or one lease's month in memory.
    """
    terms = _chosen(in_force(month), rules)
    known = Known.read()
    cases = Cases(at)
    looked = 0
    for of in (ELDER, LEASE):
        of_this = [one for one in terms if one.rule.of == of]
        if not of_this:
            continue
        if of == ELDER:
            known.count_cashiers(month)
        for group in groups(known, of, start=lead_in(month), end=lead_out(month)):
            _find(group, of_this, month, cases)
            looked += len(group)
            if progress is not None:
                progress(looked, None, f"{month:%Y-%m}")
    cases.write()
    _note(cases.opened, subject=f"{month:%Y-%m}", by=by, at=at)
    return cases.opened


def open_case(*, redemption: Redemption, rule: str, facts: dict[str, Any], at: datetime) -> None:
    """This function will open the case of something learnt about one redemption, as the rule's parameters of its
    month say, in the caller's transaction. Nothing where the rule rests, or the case was opened before."""
    terms = in_force(redemption.service_on.replace(day=1))[rule]
    if terms.active:
        cases = Cases(at)
        cases.add(terms, Finding(redemption.id, redemption.service_on, facts))
        cases.write()


def _chosen(terms: dict[str, Terms], rules: Collection[str] | None) -> list[Terms]:
    return [one for code, one in terms.items() if one.active and (rules is None or code in rules)]


def _find(group: Sequence[Served], terms: Iterable[Terms], month: date, cases: Cases) -> None:
    end = next_month(month)
    for one in terms:
        for finding in one.rule.find(group, one.values):
            if month <= finding.on < end:
                cases.add(one, finding)


def _note(opened: Counter[str], *, subject: str, by: Any, at: datetime) -> None:
    if opened:
        record(
            by=by,
            at=at,
            action="review_redemptions",
            subject=subject,
            detail=dict(sorted(opened.items())),
            channel="run",
        )


def review_new(*, by: Any, clock: Callable[[], datetime]) -> Counter[str]:
    """This function will run the rules over the redemptions that came since the last time.

    1. Give way when somebody else is at it.
    2. See how far numbers can be trusted: up to where nothing that is under way can still appear.
    3. Look at what lies above the mark, some hundred at a time: at all that their elders had in the month, and
       at all that their leases served on those days. After a large load the months concerned are run whole.
    4. Move the mark to what could be trusted before looking.

    Returns the cases opened, by rule. Killed anywhere, it looks again at what it had not noted.
    """
    opened: Counter[str] = Counter()
    with _alone() as ours:
        if not ours:
            return opened
        progress, _made = ReviewProgress.objects.get_or_create(id=1)
        horizon = _horizon(progress)
        position = progress.through
        if horizon.top - position > MANY:
            for month in months_of(after=position, beside=True):
                opened += review_month(month=month, by=by, at=clock())
            position = horizon.top
        known = None
        while new := new_after(position, BATCH):
            known = known or Known.read()
            cases = Cases(clock())
            _look_at(new, known, cases)
            _note(cases.opened, subject="new", by=by, at=cases.at)
            opened += cases.opened
            position = new[-1].id
        _seen(progress, horizon, clock())
    return opened


def _look_at(new: Sequence[New], known: Known, cases: Cases) -> None:
    """Each in its own month; at the turn of a month in the other one too, where what it stands beside may lie."""
    months: dict[date, list[New]] = defaultdict(list)
    for row in new:
        for month in {(row.on + timedelta(days=days)).replace(day=1) for days in (-1, 0, 1)}:
            months[month].append(row)
    for month, rows in sorted(months.items()):
        terms = _chosen(in_force(month), None)
        _look_at_month(month, rows, {one.rule.code: one for one in terms}, known, cases)
    cases.write()


def _look_at_month(
    month: date, new: Sequence[New], terms: dict[str, Terms], known: Known, cases: Cases
) -> None:
    elders = {row.elder for row in new}
    if one_cashier := terms.get("one_cashier"):
        regulars = regulars_of_one(month, elders, one_cashier.values["services"])
        known.count_cashiers(month, regulars)
    of_elders = [one for one in terms.values() if one.rule.of == ELDER]
    for group in groups(known, ELDER, start=lead_in(month), end=lead_out(month), only=elders):
        _find(group, of_elders, month, cases)
    # Leases with the same days are read together: mostly these are all of today.
    of_leases = [one for one in terms.values() if one.rule.of == LEASE and not one.rule.month]
    leases: dict[int, set[date]] = defaultdict(set)
    for row in new:
        leases[row.lease].add(row.on)
    for days, ids in _by_days(leases).items():
        for start, end in _stretches(days):
            for group in groups(known, LEASE, start=start - timedelta(days=1), end=end, only=ids):
                _find(group, of_leases, month, cases)
    if last_hour := terms.get("last_hour"):
        ends = datetime.combine(next_month(month), time(), SHANGHAI)
        begins = ends - timedelta(hours=last_hour.values["hours"])
        if rushing := {row.lease for row in new if begins <= row.at < ends}:
            for group in groups(known, LEASE, start=month, end=next_month(month), only=rushing):
                _find(group, [last_hour], month, cases)


def _by_days(leases: dict[int, set[date]]) -> dict[frozenset[date], list[int]]:
    found: dict[frozenset[date], list[int]] = {}
    for lease, days in leases.items():
        found.setdefault(frozenset(days), []).append(lease)
    return found


def _stretches(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Days as stretches from a day until before another; the day after is looked at too."""
    start = end = None
    for day in sorted(days):
        if end is not None and day > end:
            yield start, end  # type: ignore[misc]
            start = None
        start, end = start or day, day + timedelta(days=2)
    if end is not None:
        yield start, end  # type: ignore[misc]


class Horizon(NamedTuple):
    """The highest number visible, the transaction that asked after that, and up to where all is visible."""

    top: int
    asked_in: int
    settled: int


def _horizon(progress: ReviewProgress) -> Horizon:
    """How far numbers can be trusted, asked before looking (docs/decisions/0006-rules-look-behind.md).

    Whoever draws a number has its transaction's number already. So once all transactions below `asked_in`
    have ended, nothing up to `top` can appear any more: now, when nobody else is under way, or some time later.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM vouchers_redemption")
        top = cursor.fetchone()[0]
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        asked_in = cursor.fetchone()[0]
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        oldest = cursor.fetchone()[0]
    if oldest >= asked_in:
        return Horizon(top, asked_in, top)
    return Horizon(top, asked_in, progress.seen if progress.seen_in < oldest else progress.through)


def _seen(progress: ReviewProgress, horizon: Horizon, at: datetime) -> None:
    """Move the mark to what was settled before all of it was looked at, and note what was visible then.

    A note stands until it is settled: written anew at each look, it would never be while others are always under way.
    """
    if horizon.top > progress.through or horizon.settled > progress.through:
        progress.through, progress.looked_at = max(progress.through, horizon.settled), at
        if progress.through >= progress.seen:
            progress.seen, progress.seen_in = horizon.top, horizon.asked_in
        progress.save()


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else looks at new redemptions. The lock goes with the database session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [REVIEW_LOCK])
        ours = cursor.fetchone()[0]
    try:
        yield ours
    finally:
        if ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [REVIEW_LOCK])


# What people do

SENTENCES = {
    "wrong_role": _("Only clerks and approvers of the bureau decide on cases."),
    "not_open": _("This case was decided before, or its redemption is held back already."),
}


class CannotHold(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def hold_back(*, case: ReviewCase, by: Any, at: datetime, reason: str) -> ReviewCase:
    """This function will hold a redemption back that a rule only marked, until somebody decides.

    What stands on an approved statement stays there; from now on it is listed to be cleared or rejected.
    Raises CannotHold: wrong_role, not_open.
    """
    if not (by.holds("bureau_clerk") or by.holds("bureau_approver")):
        raise CannotHold("wrong_role")
    with transaction.atomic():
        held = ReviewCase.objects.filter(id=case.id, decision="", holds=False).update(
            holds=True, held_at=at, held_by=name_of(by), held_for=reason[:500]
        )
        if not held:
            raise CannotHold("not_open")
        record(
            by=by,
            at=at,
            action="hold_review",
            subject=case.redemption.number,
            detail={"rule": case.reason, "reason": reason},
        )
    case.refresh_from_db()
    return case


def release_all(
    *,
    redemptions: Iterable[Redemption],
    by: Any,
    at: datetime,
    reason: str,
    seen: Collection[int] | None = None,
) -> tuple[int, list[tuple[Redemption, CannotSettle]]]:
    """This function will clear many redemptions, each in its own transaction; how many, and what was refused.

    `seen`: the cases (ids) that were chosen. What another case holds back is left as it is (also_held).
    """
    done = 0
    refused: list[tuple[Redemption, CannotSettle]] = []
    for redemption in redemptions:
        try:
            decide_review(redemption=redemption, release=True, by=by, at=at, reason=reason, seen=seen)
        except CannotSettle as refusal:
            refused.append((redemption, refusal))
        else:
            done += 1
    return done, refused
