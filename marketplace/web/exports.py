"""What is filtered on a page, as a file: ?format=csv or ?format=xlsx on the same address."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from ledger.files.write import Field, write_csv, write_xlsx
from marketplace.privacy.copies import Person, write_copy

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Sheet:
    """A table to hand out: `name` is the file's name without ending, `title` the sheet's; rows as in `fields`."""

    name: str
    title: str
    fields: Sequence[Field]
    rows: Iterable[Sequence[Any]]


def personal_copy(*, of: Person, name: str, by: Any, reason: str = "") -> FileResponse:
    """Everything that is held about a person, as one workbook. `reason`: where somebody else takes it."""
    return _workbook(name, lambda file: write_copy(file, person=of, by=by, at=timezone.now(), reason=reason))


def _workbook(name: str, write: Callable[[BinaryIO], Any]) -> FileResponse:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)


def csv_file(sheet: Sheet) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        write_csv(sheet.fields, sheet.rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{sheet.name}.csv"'},
    )


def export(request: HttpRequest, sheet: Sheet) -> HttpResponseBase | None:
    """The file that was asked for, or None when the page itself was. Unknown formats show the page."""
    wanted = request.GET.get("format", "")
    response: HttpResponseBase
    if wanted == "csv":
        response = csv_file(sheet)
    elif wanted == "xlsx":
        response = _workbook(
            sheet.name, lambda file: write_xlsx(file, sheet.fields, sheet.rows, title=sheet.title)
        )
    else:
        return None
    return response
