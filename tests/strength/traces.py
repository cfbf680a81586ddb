"""Where people of the register show: in the tables, in files and logs, on pages and in addresses.

    people = People(Elder.objects.all())
    in_tables(database, people)     {"vouchers_elder.name": {"name"}, ...}
    in_files(paths, people)         {"yiquan-2026-11-22.log": {"phone"}, ...}
    for seen in crawl(clients): people.kinds_in(seen.body), people.kinds_in(seen.url)

A name is looked for as it stands in UTF-8, in GB 18030, in JSON, in XML and in an address; what is packed is unpacked
first.
Names of two characters are left out: they stand in many a word.
"""

import io
import json
import re
import zipfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import psycopg
from django.contrib.sessions.models import Session
from django.http import Http404
from django.test import Client
from django.urls import resolve
from psycopg import sql

from tests import databases
from vouchers.models import Elder

START = 6  # bytes: two characters, or six digits


class People:
    """Everything by which these elders are known, ready to be looked for."""

    def __init__(self, elders: Iterable[Elder]) -> None:
        self._marks: dict[bytes, dict[bytes, str]] = {}
        self.counted: Counter[str] = Counter()
        for one in elders:
            for kind, text in (("name", one.name), ("ID number", one.id_number()), ("phone", one.phone())):
                if len(text) > 2:
                    self.counted[kind] += 1
                    for written in _written(text):
                        self._marks.setdefault(written[:START], {})[written] = kind

    def kinds_in(self, data: bytes) -> set[str]:
        """Which of "name", "ID number", "phone" stands in these bytes."""
        starts = (marks for start, marks in self._marks.items() if start in data)
        return {kind for marks in starts for mark, kind in marks.items() if mark in data}


def _written(text: str) -> set[bytes]:
    in_json = json.dumps(text)[1:-1]
    in_xml = text.encode("ascii", "xmlcharrefreplace")
    return {text.encode(), text.encode("gb18030"), in_json.encode(), in_xml, quote(text).encode()}


# In tables


def in_tables(database: str, people: People) -> dict[str, set[str]]:
    """Each column in which somebody stands, and what of them. Sessions are opened; what is sealed stays sealed."""
    found: dict[str, set[str]] = {}
    with databases.superuser(database) as server:
        columns: dict[str, list[str]] = {}
        for table, column in server.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1, ordinal_position"
        ):
            columns.setdefault(table, []).append(column)
        for table, names in columns.items():
            if people.kinds_in(_copied(server, table, names)):
                for name in names:
                    if kinds := people.kinds_in(_copied(server, table, [name])):
                        found[f"{table}.{name}"] = kinds
    for session in Session.objects.all():
        said = json.dumps(session.get_decoded(), ensure_ascii=False, default=str)
        if kinds := people.kinds_in(said.encode()):
            found.setdefault("a session", set()).update(kinds)
    return found


def _copied(server: psycopg.Connection, table: str, columns: list[str]) -> bytes:
    """Binary: texts and bytes as they are, nothing escaped."""
    ask = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
    )
    with server.cursor() as cursor, cursor.copy(ask) as copy:
        return b"".join(bytes(part) for part in copy)


# In files


def in_files(
    paths: Iterable[Path], people: People, *, since: Mapping[Path, int] | None = None
) -> dict[str, set[str]]:
    """Each file in which somebody stands. `since`: how long a file was before; what was there is not looked at."""
    found = {}
    for path in paths:
        if path.is_file():
            with path.open("rb") as file:
                file.seek((since or {}).get(path, 0))
                if kinds := people.kinds_in(unpacked(file.read())):
                    found[path.name] = kinds
    return found


def unpacked(data: bytes) -> bytes:
    """The bytes, or those of all parts of a workbook or archive."""
    if not data.startswith(b"PK\x03\x04"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


# On pages

LINK = re.compile(rb'(?:href|src)="([^"]*)"')


class Seen(NamedTuple):
    """What a page answered to `person`; `view` is its name, `links` the addresses on it, also those not followed."""

    person: str
    view: str
    url: str
    status: int
    body: bytes
    links: list[str]


def crawl(clients: Mapping[str, Client], starts: Mapping[str, str], *, of_a_view: int = 1) -> Iterator[Seen]:
    """Every page and file that each of them finds by links from the start page; so many of one view, for all together
    (everybody's start page is opened).

    `starts`: where somebody begins besides, behind a form that no link leads through.
    """
    counted: Counter[tuple[str, str]] = Counter()
    for person, client in clients.items():
        waiting = deque(["/", *([starts[person]] if person in starts else [])])
        known = set(waiting)
        while waiting:
            url = waiting.popleft()
            view, form = _view(url), "format=" in url
            if not view or (counted[view, form] >= of_a_view and url not in ("/", starts.get(person))):
                continue
            answer = client.get(url)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            counted[view, form] += answer.status_code == 200
            found = [answer["Location"]] if "Location" in answer else links(body, url)
            yield Seen(person, view, url, answer.status_code, unpacked(body), found)
            for link in found:
                if link not in known:
                    known.add(link)
                    waiting.append(link)


def links(body: bytes, page: str) -> list[str]:
    if not body.lstrip().startswith(b"<!"):
        return []
    found = (urljoin(page, unescape(link.decode())).partition("#")[0] for link in LINK.findall(body))
    return [link for link in found if link.startswith("/") and not link.startswith(("//", "/static/"))]


def _view(url: str) -> str:
    """The name of the view behind an address; empty where there is none of ours, or one that ends things."""
    try:
        match = resolve(urlsplit(url).path)
    except Http404:
        return ""
    return "" if "ninja" in match.app_names or "admin" in match.app_names else match.view_name
