"""What is handed out as a file, as somebody who opens it finds it."""

import csv
import io
import shutil
import subprocess
from typing import Any

import openpyxl
import pytest

from vouchers.models import Elder


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def words_of(data: bytes) -> str:
    """The text of a PDF, laid out as on the page. Without a program that reads one the test fails."""
    assert data.startswith(b"%PDF")
    reader = shutil.which("pdftotext")
    if not reader:
        pytest.fail(
            "pdftotext is missing: make install-test brings it (Debian: apt-get install poppler-utils)"
        )
    done = subprocess.run([reader, "-layout", "-", "-"], input=data, capture_output=True, check=True)
    return done.stdout.decode()


def rows_of_csv(answer: Any) -> list[dict[str, Any]]:
    """The rows of a CSV by heading; cells are text."""
    return list(csv.DictReader(io.StringIO(body(answer).decode("utf-8-sig"))))


def rows_of_xlsx(answer: Any) -> list[dict[str, Any]]:
    """The rows of a workbook's first sheet by heading."""
    sheet = openpyxl.load_workbook(io.BytesIO(body(answer))).worksheets[0]
    heading, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def nobody_in(text: str) -> None:
    """No elder's name, ID number or phone stands in it."""
    for elder in Elder.objects.all():
        for secret in (elder.name, elder.id_number(), elder.phone()):
            assert not secret or secret not in text, elder.code
