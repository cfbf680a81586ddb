"""Lists: one way to sort, page, carry filters in the address and hand out what is filtered as a file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from marketplace.web.forms import row_number

PER_PAGE = 50


class Listing:
    """One list of a page, as the address asks for it.

    `rows`: a QuerySet, or a sequence already in memory. `sorts`: name in the address → for a QuerySet the
    fields to order by, for a sequence a key function; the first name is the default order. A leading "-"
    turns the order round. Unknown sorts and pages beyond the end fall back quietly: addresses get old.
    """

    def __init__(
        self,
        request: HttpRequest,
        rows: QuerySet | Sequence[Any],
        *,
        sorts: Mapping[str, Any],
        default: str = "",
        per_page: int = PER_PAGE,
    ) -> None:
        self._get = request.GET
        self.default = default or next(iter(sorts))
        asked = request.GET.get("sort", "")
        self.sort = asked if asked.removeprefix("-") in sorts else self.default
        self.rows = _ordered(rows, sorts[self.sort.removeprefix("-")], down=self.sort.startswith("-"))
        self.page: Page = Paginator(self.rows, per_page).get_page(request.GET.get("page"))

    @property
    def total(self) -> int:
        return self.page.paginator.count

    def query(self, **changes: Any) -> str:
        """The query string of this list with `changes`; an empty value takes a name out."""
        query = self._get.copy()
        query.pop("format", None)
        for name, value in changes.items():
            if value in ("", None):
                query.pop(name, None)
            else:
                query[name] = str(value)
        for name in [name for name, values in query.lists() if not any(values)]:
            del query[name]
        return query.urlencode()

    @property
    def previous_query(self) -> str:
        return self.query(page=self.page.previous_page_number())

    @property
    def next_query(self) -> str:
        return self.query(page=self.page.next_page_number())

    @property
    def page_numbers(self) -> list[int | None]:
        """The pages worth a link; None stands for those left out."""
        last, here = self.page.paginator.num_pages, self.page.number
        wanted = [n for n in range(1, last + 1) if n in (1, last) or abs(n - here) <= 1]
        numbers: list[int | None] = []
        for n in wanted:
            if numbers and numbers[-1] is not None and n - numbers[-1] > 1:
                numbers.append(None)
            numbers.append(n)
        return numbers


class Onwards:
    """One page of a list that nobody counts: a row more than it shows says whether the list goes on.

    `cut(first, most)` gives so many rows from one on; `rows` are those of the page. A page beyond the end falls back
    to the first.
    """

    FARTHEST = 10_000

    def __init__(self, cut: Callable[[int, int], list[Any]], asked: str | None, per_page: int) -> None:
        self.number = min(max(1, row_number(asked or "")), self.FARTHEST)
        found = cut((self.number - 1) * per_page, per_page + 1)
        if not found and self.number > 1:
            self.number = 1
            found = cut(0, per_page + 1)
        self.rows, self.goes_on = found[:per_page], len(found) > per_page
        self.before, self.after = self.number - 1, self.number + 1


def _ordered(rows: QuerySet | Sequence[Any], key: Any, *, down: bool) -> QuerySet | Sequence[Any]:
    if isinstance(rows, QuerySet):
        fields = [key] if isinstance(key, str) else list(key)
        turned = [f.removeprefix("-") if f.startswith("-") else f"-{f}" for f in fields]
        return rows.order_by(*(turned if down else fields))
    return sorted(rows, key=key, reverse=down)
