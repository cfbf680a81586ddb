"""The one import contract that import-linter cannot hold: no HTTP in the domain packages."""

import ast
from pathlib import Path

from django.conf import settings

DOMAIN = ("ledger", "providers", "vouchers")
FACES_ONLY = ("django.http", "django.shortcuts", "django.views", "django.urls", "django.template")


def imported(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def of_faces(source: str) -> set[str]:
    return {
        name for name in imported(source) if any(f"{name}.".startswith(f"{face}.") for face in FACES_ONLY)
    }


def test_no_http_in_the_domain_packages():
    files = [path for package in DOMAIN for path in (Path(settings.BASE_DIR) / package).rglob("*.py")]
    assert len(files) > 20
    assert {str(path): found for path in files if (found := of_faces(path.read_text("utf-8")))} == {}


def test_control_every_way_of_importing_it_is_seen():
    for line in (
        "import django.http",
        "from django import http",
        "from django.shortcuts import redirect",
        "def f():\n    from django.http import Http404",
    ):
        assert of_faces(line), line
    assert not of_faces("from django.db import models")
