"""Queries that are built once: a request brings only its values.

Django puts a query together anew each time it is asked, which takes more of this process than the answer does where
a query joins ten tables. A page that many open at once builds its query from `Given` values and keeps it:

    due = fixed(Lease.objects.filter(ends_on__lte=Given("day", DateField())).values_list("code"))
    due(day=date(2026, 1, 31))  →  [("LS001",)]
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import Expression, Field, QuerySet


class Given(Expression):
    """Stands in a query for a value that comes when it is asked."""

    def __init__(self, name: str, output_field: Field) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


def fixed(rows: QuerySet) -> Callable[..., list[tuple[Any, ...]]]:
    """This function will keep the SQL of a query of plain values (`values_list`); what it answers takes the values of
    its Given by their names and returns the rows as the database gives them."""
    sql, parameters = rows.query.sql_with_params()

    def ask(**given: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, [given[one.name] if isinstance(one, Given) else one for one in parameters])
            return cursor.fetchall()

    return ask
