"""A month's books as a signed download, and how to check it.

They are those of DATA_DIR/books, written each night and whenever a month is locked (marketplace/tasks.py).
"""

import tempfile
import zipfile
from datetime import date
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.audit.operations import record
from ledger.books.manifest import public_key, sign
from ledger.journal.queries import is_locked
from ledger.seals.operations import head
from marketplace.evidence.operations import signing_secret
from marketplace.web.access import BUREAU, roles, whole_city


@roles(*BUREAU)
@whole_city
@require_safe
def books(request: HttpRequest) -> HttpResponse:
    """This page will list the months whose books can be taken, and say how a download is checked."""
    written = sorted((path.name[:7] for path in kept().glob("*/*.alone.beancount")), reverse=True)
    months = [date.fromisoformat(f"{name}-01") for name in written]
    return render(
        request,
        "reports/books.html",
        {
            "months": [(month, is_locked(month)) for month in months],
            "key": public_key(signing_secret()),
            "trail": [(_("Monthly reports"), reverse("reports:index")), (_("Books"), None)],
        },
    )


def kept() -> Path:
    """Where the books are written."""
    return Path(settings.DATA_DIR) / "books"


@roles(*BUREAU)
@whole_city
@require_safe
def download(request: HttpRequest, month: date) -> FileResponse:
    """This page will give the books of one month as a zip with a signed manifest: it loads by itself."""
    folder_of_all = kept()
    names = ["accounts.beancount", f"{month:%Y/%Y-%m}.beancount", f"{month:%Y/%Y-%m}.alone.beancount"]
    if not all((folder_of_all / name).exists() for name in names):
        raise Http404("no books of this month are written yet")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    with tempfile.TemporaryDirectory(prefix="books-") as made:
        folder = Path(made)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to((folder_of_all / name).resolve())
        now, at = head(), timezone.now()
        about = {
            "what": "books",
            "month": f"{month:%Y-%m}",
            "made_at": at.isoformat(),
            "head": {"number": now.number, "hash": now.hash},
        }
        manifest = sign(folder, about=about, secret=signing_secret())
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder).as_posix())
    record(
        by=request.user, at=at, action="download_books", subject=f"{month:%Y-%m}",
        detail={"files": len(manifest["files"])},
    )  # fmt: skip
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=f"books-{month:%Y-%m}.zip", content_type="application/zip"
    )
