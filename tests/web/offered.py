"""The forms that a page offers, ready to be sent; and which tables a request wrote to.

Whoever is not offered a form by a page may not do what it does either: the one is what people see, the other what
the server must see to by itself.
"""

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin

from django.db import connection
from django.urls import Resolver404, resolve

FORM = re.compile(r"<form\b[^>]*\bmethod=\"post\".*?</form>", re.DOTALL)
EVERYWHERE = {"sign_out", "set_language", "family:text_size"}  # in the header and footer of every page
OWN = {"django_session"}  # every request may write there


class Offered(NamedTuple):
    """A form with one of its buttons pressed: where it goes, what of, and what is sent."""

    view: str
    url: str
    button: tuple[str, str]
    sent: tuple[tuple[str, str], ...]

    @property
    def act(self) -> tuple[str, tuple[str, str], frozenset[str]]:
        """What it does, whatever is filled in."""
        return self.url.partition("?")[0], self.button, frozenset(name for name, _value in self.sent)


def offered(page: str, url: str) -> Iterator[Offered]:
    """Every form of the page once for each of its buttons; fields filled in as somebody in a hurry would."""
    for text in FORM.findall(page):
        form = _Form()
        form.feed(text)
        goes = urljoin(url, form.action).partition("#")[0]
        try:
            view = resolve(goes.partition("?")[0]).view_name
        except Resolver404:  # a test's own address
            continue
        if view not in EVERYWHERE:
            for button in form.buttons or [("", "")]:
                yield Offered(view, goes, button, tuple(form.sent.items()))


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.buttons: list[tuple[str, str]] = []
        self.sent: dict[str, str] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: unescape(value or "") for name, value in attrs}
        name, value, kind = given.get("name", ""), given.get("value", ""), given.get("type", "text")
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "button" and kind != "button":
            self.buttons.append((name, value))
        elif tag == "select":
            self._select = name
        elif tag == "option":
            if self._select and value and not self.sent.get(self._select):
                self.sent[self._select] = value
        elif tag == "textarea":
            self.sent[name] = "因为老人家里有事"
        elif tag == "input" and name and name != "csrfmiddlewaretoken" and kind != "file":
            if kind in ("radio", "checkbox"):
                self.sent.setdefault(name, value or "on")
            else:
                hidden = kind == "hidden"
                self.sent[name] = value or ("" if hidden else _typed(name, kind, given.get("inputmode", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


def _typed(name: str, kind: str, mode: str) -> str:
    if kind == "date" or name.endswith("_on"):
        return "2026-08-20"
    return "1" if mode in ("numeric", "decimal") or kind == "number" else "因为老人家里有事"


def written() -> dict[str, int]:
    """How many rows this transaction has written to each table so far, also those that were taken back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())


def fingerprint(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
        return str(cursor.fetchone()[0])


class Unchanged:
    """Which tables differ from what stood there at first: asked for few, known for all."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            names = connection.introspection.table_names(cursor)
        self._before = {name: fingerprint(name) for name in names}

    def since(self, counted: dict[str, int]) -> set[str]:
        """The tables that a request changed: it wrote there (`counted` is from before), and they differ."""
        touched = {name for name, rows in written().items() if rows != counted.get(name, 0)}
        return {name for name in touched - OWN if fingerprint(name) != self._before[name]}
