"""How long each kind of data is kept, why, and what is done when its time is over.

KINDS is the whole of it: what is removed or emptied, and what is kept and why it must be. Terms stand in
settings.RETENTION_DAYS, but for those that a rule fixes. A nightly task clears what is past its term, in batches, each
in a transaction of its own: killed half-way, the next run does the rest, and run twice it finds nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.checks import CheckMessage, Error, register
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.models import Entry, Record
from marketplace.accounts import codes as one_time
from marketplace.accounts.models import OneTimeCode
from marketplace.jobs import operations as jobs
from marketplace.models import (
    Clearing,
    ElderBasket,
    FilePart,
    Message,
    NightlyRun,
    StandingOrder,
    WorkOrder,
)
from vouchers.codes import operations as codes
from vouchers.models import Consent, Delegation, Photo, Project, Redemption, TokenUse, VisitReport

AT_ONCE = 2_000
SIX_MONTHS = 184  # days at most: logs are kept no less (Cybersecurity Law, article 21)
A_LOG = _("A log: not less than six months (Cybersecurity Law, article 21).")
REMOVED, EMPTIED, KEPT = _("removed"), _("emptied"), _("kept")

Held = tuple[int, date | None]


@dataclass(frozen=True)
class Kind:
    """One kind of data. `days` is None for what is kept. `held` counts it, with the day of the oldest; `clear` does
    away with what is older than a moment and says how much that was. `log`: never kept for less than six months.
    `fixed`: the term that a rule of its own needs, which no setting changes."""

    name: str
    label: Any
    why: Any
    done: Any
    held: Callable[[], Held]
    clear: Callable[[datetime], int] | None = None
    log: bool = False
    fixed: int = 0

    @property
    def days(self) -> int | None:
        if self.clear is None:
            return None
        return self.fixed or settings.RETENTION_DAYS[self.name]


def _counted(rows: QuerySet, when: str) -> Held:
    oldest = rows.order_by(when).values_list(when, flat=True).first()
    return rows.count(), oldest.date() if isinstance(oldest, datetime) else oldest


def _in_batches(rows: QuerySet, act: Callable[[QuerySet], Any]) -> int:
    """This function will do `act` to these rows, some at a time, until none is left. It must take them out of `rows`."""
    total = 0
    model: type[Model] = rows.model
    while found := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        act(model._default_manager.filter(pk__in=found))
        total += len(found)
    return total


def _delete(rows: QuerySet) -> None:
    rows.delete()


# What there is, and what of it is past its term


def _words() -> QuerySet:
    return Message.objects.exclude(facts_sealed=b"").filter(phone_sealed=None)


def _to_numbers() -> QuerySet:
    return Message.objects.filter(phone_sealed__isnull=False)


def _clear_words(before: datetime) -> int:
    return _in_batches(
        _words().filter(created_at__lt=before).exclude(outcome=Message.Outcome.WAITING),
        lambda rows: rows.update(facts_sealed=b""),
    )


def _clear_to_numbers(before: datetime) -> int:
    old = _to_numbers().filter(created_at__lt=before).exclude(outcome=Message.Outcome.WAITING)
    return _in_batches(old, _delete)


def _sessions() -> QuerySet:
    return Session.objects.all()


def _clear_sessions(before: datetime) -> int:
    return _in_batches(_sessions().filter(expire_date__lt=before), _delete)


def _sign_ins() -> Iterable[QuerySet]:
    return (model.objects.all() for model in (AccessLog, AccessAttempt, AccessFailureLog))


def _held_sign_ins() -> Held:
    found = [_counted(rows, "attempt_time") for rows in _sign_ins()]
    return sum(count for count, _day in found), min((day for _count, day in found if day), default=None)


def _clear_sign_ins(before: datetime) -> int:
    return sum(_in_batches(rows.filter(attempt_time__lt=before), _delete) for rows in _sign_ins())


def _baskets() -> QuerySet:
    return ElderBasket.objects.filter(basket__status="Open")


def _clear_baskets(before: datetime) -> int:
    def drop(rows: QuerySet) -> None:
        for one in rows.select_related("basket"):
            one.basket.delete()

    return _in_batches(_baskets().filter(basket__date_created__lt=before), drop)


def _addresses() -> QuerySet:
    return WorkOrder.objects.filter(address_sealed__isnull=False)


def _clear_addresses(before: datetime) -> int:
    stopped = StandingOrder.objects.filter(stopped_at__lt=before, address_sealed__isnull=False)
    return sum(
        _in_batches(rows, lambda found: found.update(address_sealed=None))
        for rows in (_addresses().filter(closed_at__lt=before), stopped)
    )


def _places() -> QuerySet:
    return VisitReport.objects.filter(latitude__isnull=False)


def _clear_places(before: datetime) -> int:
    old = _places().filter(recorded_at__lt=before).exclude(hold__redemption__review_cases__decision="")
    return _in_batches(old, lambda rows: rows.update(longitude=None, latitude=None, accuracy_m=None))


def _visit_photos() -> QuerySet:
    return Photo.objects.filter(visit_report__isnull=False).exclude(sealed=b"")


def _clear_visit_photos(before: datetime) -> int:
    waits = VisitReport.objects.filter(hold__redemption__review_cases__decision="").exclude(photo=None)
    old = _visit_photos().filter(kept_at__lt=before).exclude(pk__in=waits.values("photo"))
    return _in_batches(old, lambda rows: rows.update(sealed=b""))


def _home_photos() -> QuerySet:
    return Photo.objects.filter(of_adaptation__isnull=False).exclude(sealed=b"")


def _clear_home_photos(before: datetime) -> int:
    old = _home_photos().filter(kept_at__lt=before, of_adaptation__project__state__in=Project.ENDED)
    return _in_batches(old, lambda rows: rows.update(sealed=b""))


def _names() -> QuerySet:
    return Delegation.objects.exclude(name_sealed=b"")


def _clear_names(before: datetime) -> int:
    return _in_batches(_names().filter(ended_at__lt=before), lambda rows: rows.update(name_sealed=b""))


def _runs() -> QuerySet:
    return NightlyRun.objects.all()


def _clear_runs(before: datetime) -> int:
    return _in_batches(_runs().filter(ended_at__lt=before), _delete)


def _logs() -> list[tuple[date, Path]]:
    """The files of the process logs by their day (marketplace/config/logs.py)."""
    found = []
    for path in Path(settings.LOG_DIR).glob("yiquan-*.log"):
        try:
            found.append((date.fromisoformat(path.stem.removeprefix("yiquan-")), path))
        except ValueError:
            continue  # somebody else's
    return sorted(found)


def _held_logs() -> Held:
    found = _logs()
    return len(found), found[0][0] if found else None


def _clear_logs(before: datetime) -> int:
    old = [path for day, path in _logs() if day < timezone.localdate(before)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _clear_uploads(before: datetime) -> int:
    return jobs.drop_forgotten(by=BY, at=before + timedelta(days=jobs.KEPT_DAYS))


def _clear_code_uses(before: datetime) -> int:
    return codes.forget_used(at=before + codes.KEPT)


BY = "nightly"
KINDS = (
    Kind(
        "one_time_codes", _("Codes sent to phones, and tries"),
        _("How often they are sent is counted over a day."), REMOVED,
        lambda: _counted(OneTimeCode.objects.all(), "sent_at"), one_time.forget, fixed=2,
    ),
    Kind(
        "code_uses", _("Uses of elders' codes, and tries of PINs"),
        _("A tablet may report three days later, and none shall be used twice."), REMOVED,
        lambda: _counted(TokenUse.objects.all(), "used_at"), _clear_code_uses, fixed=codes.KEPT.days,
    ),
    Kind(
        "sessions", _("Sessions that have ended"),
        _("A day later nobody asks why somebody was signed out."), REMOVED,
        lambda: _counted(_sessions(), "expire_date"), _clear_sessions,
    ),
    Kind(
        "uploads", _("Files uploaded and checked, never gone on with"),
        _("A clerk comes back within the week. Files that were worked off are removed at once."), REMOVED,
        lambda: _counted(FilePart.objects.all(), "file__job__created_at"), _clear_uploads, fixed=jobs.KEPT_DAYS,
    ),
    Kind(
        "numbers", _("Messages to numbers of nobody on record"),
        _("Complaints about a code that did not come are answered within a month."), REMOVED,
        lambda: _counted(_to_numbers(), "created_at"), _clear_to_numbers,
    ),
    Kind(
        "baskets", _("Baskets that were never ordered"),
        _("Nobody goes on with them after a season; they hold addresses."), REMOVED,
        lambda: _counted(_baskets(), "basket__date_created"), _clear_baskets,
    ),
    Kind(
        "messages", _("Words of messages"),
        _("Proof of what a person was told, for a year of questions. That it was told stays."), EMPTIED,
        lambda: _counted(_words(), "created_at"), _clear_words,
    ),
    Kind(
        "addresses", _("Addresses of services at home"),
        _("The next order finds the last address; a year later it is asked again."), EMPTIED,
        lambda: _counted(_addresses(), "starts_at"), _clear_addresses,
    ),
    Kind(
        "places", _("Where caregivers were on arrival"),
        _("Evidence while the month can be objected to and audited; not while a review is open."), EMPTIED,
        lambda: _counted(_places(), "recorded_at"), _clear_places,
    ),
    Kind(
        "visit_photos", _("Photos of visits"),
        _("Evidence as long as a claim can be brought: three years (Civil Code, article 188)."), EMPTIED,
        lambda: _counted(_visit_photos(), "kept_at"), _clear_visit_photos,
    ),
    Kind(
        "home_photos", _("Photos of homes before and after works"),
        _("Warranty, then three years in which a claim can be brought."), EMPTIED,
        lambda: _counted(_home_photos(), "kept_at"), _clear_home_photos,
    ),
    Kind(
        "names", _("Names of delegates whose leave has ended"),
        _("Who acted can be disputed as long as a claim can be brought: three years."), EMPTIED,
        lambda: _counted(_names(), "asked_at"), _clear_names,
    ),
    Kind(
        "sign_ins", _("Sign-ins, and those that failed"),
        A_LOG, REMOVED,
        _held_sign_ins, _clear_sign_ins, log=True,
    ),
    Kind(
        "process_logs", _("Logs of the processes, a file a day"),
        A_LOG, REMOVED,
        _held_logs, _clear_logs, log=True,
    ),
    Kind(
        "nightly_runs", _("What the nightly tasks did"),
        A_LOG, REMOVED,
        lambda: _counted(_runs(), "started_at"), _clear_runs, log=True,
    ),
    Kind(
        "audit", _("Audit: who did and saw what"),
        _("Only ever added to: the proof of everything else. It names nobody but by code and account."), KEPT,
        lambda: _counted(Record.objects.all(), "at"),
    ),
    Kind(
        "journal", _("Journal: every entry"),
        _("Books of account; sealed in a chain that a gap would break. No person stands in them."), KEPT,
        lambda: _counted(Entry.objects.all(), "recorded_at"),
    ),
    Kind(
        "redemptions", _("Vouchers and redemptions"),
        _("What the books rest on. They bear the elder's code; erased, it leads to nobody."), KEPT,
        lambda: _counted(Redemption.objects.all(), "service_on"),
    ),
    Kind(
        "consents", _("Consents"),
        _("Proof that a person agreed, and when no more. No name stands in them."), KEPT,
        lambda: _counted(Consent.objects.all(), "at"),
    ),
)  # fmt: skip


def clear(*, kind: Kind, at: datetime, by: Any = BY) -> Clearing:
    """This function will clear what is past its term of one kind, and note how much that was and what is held."""
    cleared = 0
    if kind.clear is not None and kind.days is not None:
        cleared = kind.clear(at - timedelta(days=kind.days))
    held, oldest = kind.held()
    if cleared:
        record(by=by, at=at, action="clear", subject=kind.name, detail={"cleared": cleared}, channel="run")
    return Clearing.objects.create(kind=kind.name, at=at, cleared=cleared, held=held, oldest_on=oldest)


def clear_all(*, at: datetime, by: Any = BY) -> list[Clearing]:
    return [clear(kind=kind, at=at, by=by) for kind in KINDS]


def latest() -> dict[str, Clearing]:
    """What the last run saw of each kind. One query."""
    rows = Clearing.objects.order_by("kind", "-id").distinct("kind")
    return {one.kind: one for one in rows}


@register()
def terms_are_lawful(app_configs: Any, **_options: Any) -> list[CheckMessage]:
    """Every term is there and at least a day; logs are kept for six months at least."""
    terms: dict[str, int] = settings.RETENTION_DAYS
    known = {kind.name: kind for kind in KINDS if kind.clear and not kind.fixed}
    wrong: list[CheckMessage] = [
        Error(
            f"RETENTION_DAYS names '{name}', which is no kind of data with a term of its own.",
            id="privacy.E001",
        )
        for name in sorted(terms.keys() - known.keys())
    ]
    for name, kind in known.items():
        least = SIX_MONTHS if kind.log else 1
        if not isinstance(terms.get(name), int) or terms[name] < least:
            wrong.append(
                Error(f"RETENTION_DAYS: '{name}' is kept for at least {least} days.", id="privacy.E002")
            )
    return wrong
