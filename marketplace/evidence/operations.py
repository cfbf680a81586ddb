"""The evidence of one month in a folder: everything that its figures rest on, nothing about any person.

books/               the books as Beancount files, of every month so far
statements.csv       every figure of every statement, with its digest
approvals.csv        who confirmed, reviewed, approved what digest: by role and number, no names
claims.csv           each redemption's part of a statement
payouts.csv          the payout lists, payout_lines.csv their lines
receipts.csv         the bank lines booked in the month and how they stand; no payer but an operator
receipt_parts.csv    of those that were split, what each lease got
handovers.csv        rent handed over that came in in the month, handover_lines.csv from which leases
refunds.csv          what leases got back: drawn up or paid in the month
donations.csv        what came into the fund with a bank line of the month; no donor
seal_uses.csv        the bureau's seal: what was allowed and put on in the month, by number
inspections.csv      places inspected in the month, findings.csv what is to be mended until when; no words
chain.json           where the chain of seals ended, and whether it held
MANIFEST.json        SHA-256 of each file; MANIFEST.sig its signature
"""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.books.export import export
from ledger.books.manifest import sign
from ledger.files.write import write_csv
from ledger.journal.queries import is_locked
from ledger.models import Head
from ledger.refusals import Refusal
from ledger.seals.operations import broken, head, publish_head, seal_entries
from marketplace.evidence.tables import tables
from vouchers.models import Statement
from vouchers.settlement.papers import heads_on_paper

SENTENCES = {
    "no_statements": _("There are no statements of this month."),
    "not_empty": _("This directory is not empty: name one that is, or that does not exist yet."),
}


class CannotPack(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def signing_secret() -> bytes:
    """The secret from which the key for manifests is derived: the first one that signs."""
    return next(iter(settings.TOKEN_KEYS.values()))


def evidence_pack(*, month: date, into: Path, by: Any, at: datetime, progress: Any = None) -> dict[str, Any]:
    """This function will write the evidence of a month (its first day) into an empty directory; the manifest.

    What is not sealed yet is sealed first, so that the pack's head covers it. Raises CannotPack; OSError.
    """
    if not Statement.objects.filter(month=month).exists():
        raise CannotPack("no_statements")
    if into.exists() and any(into.iterdir()):
        raise CannotPack("not_empty")
    into.mkdir(parents=True, exist_ok=True)
    seal_entries(at=at)
    publish_head(at=at)
    now = head()
    with translation.override("en"):
        export(into / "books", progress=progress)
        for name, (fields, rows) in tables(month).items():
            with (into / f"{name}.csv").open("wb") as file:
                file.writelines(write_csv(fields, rows))
    chain = {
        "head": {"number": now.number, "hash": now.hash},
        "published": [
            {"number": one.number, "hash": one.hash, "at": one.published_at.isoformat()}
            for one in Head.objects.order_by("number")
        ],
        "broken": [list(one) for one in broken(heads=heads_on_paper())],
    }
    (into / "chain.json").write_text(json.dumps(chain, indent=1) + "\n")
    about = {
        "what": "evidence",
        "month": f"{month:%Y-%m}",
        "locked": is_locked(month),
        "made_at": at.isoformat(),
        "head": chain["head"],
    }
    manifest = sign(into, about=about, secret=signing_secret())
    record(
        by=by,
        at=at,
        action="evidence_pack",
        subject=f"{month:%Y-%m}",
        detail={"files": len(manifest["files"])},
    )
    return manifest
