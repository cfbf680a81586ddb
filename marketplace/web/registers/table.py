"""One way to draw, sort, page and hand out the list of a register."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from ledger.files.write import As, Field
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing

Value = Callable[[Any], Any]


@dataclass(frozen=True)
class Col:
    """One column: `value` is what the file says, `shown` what the page says (the same where it is not given).

    `small` is a quieter second line, `mark` gives a pill's tone and icon, `href` leads on. `sort`: the fields
    to order by; without them the column has no order of its own. `draw`: what registers/bands.html draws.
    """

    name: str
    label: Any
    value: Value
    shown: Value | None = None
    small: Value | None = None
    href: Value | None = None
    mark: Value | None = None
    sort: tuple[str, ...] = ()
    kind: As = As.TEXT
    width: int = 16
    start: bool = False
    page: bool = True  # else in the file alone
    file: bool = True  # else on the page alone
    draw: Value | None = None

    @property
    def number(self) -> bool:
        return self.kind in (As.AMOUNT, As.NUMBER)

    @property
    def is_drawn(self) -> bool:  # templates would call `draw`
        return self.draw is not None

    def cell(self, row: Any) -> dict[str, Any]:
        tone, mark = self.mark(row) if self.mark else ("", "")
        shown = (self.shown or self.value)(row)
        return {
            "col": self,
            "text": "–" if shown in (None, "") else shown,
            "small": self.small(row) if self.small else "",
            "href": self.href(row) if self.href else "",
            "tone": tone,
            "mark": mark,
            "drawn": self.draw(row) if self.draw else None,
        }


@dataclass(frozen=True)
class Filter:
    """One field above a list: without `choices` to be typed, a search, a date or a month; else one of these."""

    name: str
    label: Any
    value: str
    choices: Sequence[tuple[str, Any]] = field(default_factory=list)
    kind: str = "search"


def register_page(
    request: HttpRequest,
    rows: "QuerySet | Sequence[Any]",
    columns: Sequence[Col],
    *,
    name: str,
    title: str,
    default: str = "",
    filters: Sequence[Filter] = (),
    template: str = "registers/list.html",
    nothing: tuple[str, str] = ("", ""),
    **context: Any,
) -> HttpResponseBase:
    """This page will list a register, filtered and sorted as the address asks, or hand it out as a file.

    `nothing`: the words for a register in which nothing stands at all.
    """
    listing = Listing(
        request,
        rows,
        sorts={col.name: col.sort for col in columns if col.sort},
        default=default or next(col.name for col in columns if col.sort),
    )
    told = [col for col in columns if col.file]
    sheet = Sheet(
        name=name,
        title=name,
        fields=[Field(str(col.label), col.kind, width=col.width) for col in told],
        rows=([col.value(row) for col in told] for row in listing.rows),
    )
    if (file := export(request, sheet)) is not None:
        return file
    shown = [col for col in columns if col.page]
    return render(
        request,
        template,
        {
            "title": title,
            "listing": listing,
            "columns": shown,
            "rows": [[col.cell(row) for col in shown] for row in listing.page],
            "filters": filters,
            "filtered": any(one.value for one in filters),
            "nothing": nothing,
            "trail": [(_("Registers"), reverse("registers:hub")), (title, None)],
            **context,
        },
    )
