"""Lists: one way to sort, page, carry filters in the address and hand out what is filtered as a file."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from marketplace.web.forms import row_number

PER_PAGE = 50


def words_of(request: HttpRequest) -> str:
    """What is searched for in a list, as it was typed."""
    return request.GET.get("q", "").strip()[:60]


def is_amount(word: str) -> bool:
    """Whether a word can be read as yuan."""
    whole, _dot, fen = word.partition(".")
    return (
        word.isascii()
        and whole.isdecimal()
        and len(whole) < 13
        and (not fen or (fen.isdecimal() and len(fen) <= 2))
    )


def naming(words: str, *fields: str, amounts: Sequence[str] = ()) -> Q:
    """Rows that each of the words names: it stands in one of the fields, or is one of the amounts."""
    found = Q()
    for word in words.split():
        one = reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields))
        yuan = word.replace(",", "")
        if is_amount(yuan):
            one = reduce(or_, (Q(**{field: yuan}) for field in amounts), one)
        found &= one
    return found


class Listing:
    """One list of a page, as the address asks for it.

    `rows`: a QuerySet, a sequence already in memory, or one that is ordered and cut where it lies
    (`ordered(down=...)`, len, slices). `sorts`: name in the address → for a QuerySet the
    fields to order by, for a sequence in memory a key function; the first name is the default order. A leading "-"
    turns the order round. `most`: of a table that grows for ever so many rows are counted and paged; a file has
    all. Unknown sorts and pages beyond the end fall back quietly: addresses get old.
    """

    def __init__(
        self,
        request: HttpRequest,
        rows: QuerySet | Sequence[Any],
        *,
        sorts: Mapping[str, Any],
        default: str = "",
        per_page: int = PER_PAGE,
        most: int = 0,
    ) -> None:
        self._get = request.GET
        self.default = default or next(iter(sorts))
        asked = request.GET.get("sort", "")
        self.sort = asked if asked.removeprefix("-") in sorts else self.default
        self.rows = _ordered(rows, sorts[self.sort.removeprefix("-")], down=self.sort.startswith("-"))
        paginator = Capped(self.rows, per_page, most) if most else Paginator(self.rows, per_page)
        self.page: Page = paginator.get_page(request.GET.get("page"))

    @property
    def total(self) -> int:
        return self.page.paginator.count

    @property
    def goes_on(self) -> bool:
        """Whether there are more rows than are counted."""
        return isinstance(self.page.paginator, Capped) and self.page.paginator.goes_on

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


class Capped(Paginator):
    """Pages of the first `most` rows of a QuerySet: the rest is not even counted."""

    def __init__(self, rows: Any, per_page: int, most: int) -> None:
        super().__init__(rows, per_page)
        self.most = most

    @cached_property
    def counted(self) -> int:
        rows: Any = self.object_list
        return rows[: self.most + 1].count()

    @property
    def count(self) -> int:
        return min(self.counted, self.most)

    @property
    def goes_on(self) -> bool:
        return self.counted > self.most


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
    if isinstance(rows, QuerySet):  # which has an `ordered` of another meaning
        fields = [key] if isinstance(key, str) else list(key)
        turned = [f.removeprefix("-") if f.startswith("-") else f"-{f}" for f in fields]
        return rows.order_by(*(turned if down else fields))
    if hasattr(rows, "ordered"):
        return rows.ordered(down=down)  # type: ignore[no-any-return]
    return sorted(rows, key=key, reverse=down)
