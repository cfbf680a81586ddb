"""Parts of addresses: what does not fit is a missing page."""

import re
from datetime import date

from django.urls import register_converter


class MonthConverter:
    """2026-08 as the first day of that month."""

    regex = r"20\d{2}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(f"{value}-01")

    def to_url(self, value: date | str) -> str:
        return value if isinstance(value, str) else f"{value:%Y-%m}"


class Pattern:
    regex = ""

    def to_python(self, value: str) -> str:
        if not re.fullmatch(self.regex, value):
            raise ValueError(value)
        return value

    def to_url(self, value: str) -> str:
        return value


class CodeConverter(Pattern):
    """A code of contracts.md: LS001, PG01, OP01."""

    regex = r"[A-Z][A-Z0-9]{1,11}"


class RedemptionConverter(Pattern):
    regex = r"RD-\d{9,18}"


class SerialConverter(Pattern):
    regex = r"[A-Z][A-Z0-9]{1,11}-\d{9,18}"


class PaperConverter(Pattern):
    regex = r"(?:DZ|PZ|JK)-[A-Z][A-Z0-9]{1,11}-20\d{4}(?:-\d{1,2})?"


class PayoutConverter(Pattern):
    regex = r"BF-[A-Z][A-Z0-9]{1,11}-20\d{4}"


def register() -> None:
    """Called once by marketplace/web/urls.py."""
    register_converter(MonthConverter, "month")
    register_converter(CodeConverter, "code")
    register_converter(RedemptionConverter, "redemption")
    register_converter(SerialConverter, "serial")
    register_converter(PaperConverter, "paper")
    register_converter(PayoutConverter, "payout")
