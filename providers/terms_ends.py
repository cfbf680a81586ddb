"""How far back the end of terms in use may be moved (contracts.md, "changes")."""

from datetime import date, timedelta

from django.utils.translation import gettext_lazy as _

from ledger.files.draft import Draft
from ledger.files.table import Row
from providers.known import Known


def check_end(
    row: Row,
    column: str,
    *,
    old: date | None,
    new: date | None,
    last_service: date | None,
    draft: Draft,
    known: Known,
) -> None:
    """This function will refuse an end that lies before the end of the last locked month or before the last
    redemption under these terms. None is no end."""
    if new is None or new == old:
        return
    locked_until = known.first_open_day - timedelta(days=1) if known.first_open_day else None
    if locked_until and new < locked_until:
        draft.problem(
            row,
            column,
            _("'%(new)s' is too early: months are locked until %(day)s, the end cannot lie before that"),
            new=new,
            day=locked_until,
        )
    elif last_service and new < last_service:
        draft.problem(
            row,
            column,
            _(
                "'%(new)s' is too early: a service of %(day)s has been redeemed, the end cannot lie before that"
            ),
            new=new,
            day=last_service,
        )
