"""Resident identity numbers (公民身份号码) as GB 11643-1999 writes them: 18 places, checked.

Six places of area code, eight of birth date, three of sequence, one check character by ISO 7064
MOD 11-2. The area code is not looked up: abolished codes are common among elders.
"""

import re
from datetime import date
from operator import mul

from django.utils.translation import gettext_lazy as _

from ledger.files.problems import Wrong

_FORM = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_TOO_MANY = 48 * sum(_WEIGHTS)
_CHECKS = "10X98765432"
_FIRST_YEAR, _LAST_YEAR = 1850, 2199


def check_character(first17: str) -> str:
    """The eighteenth place that belongs to the first seventeen digits: 0-9 or X."""
    weighted = sum(map(mul, _WEIGHTS, first17.encode("ascii")))  # of the digits' codes: each 48 too many
    return _CHECKS[(weighted - _TOO_MANY) % 11]


def birth_date(number: str) -> date:
    """The birth date written in a number of 18 places. Raises ValueError when there is no such day."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def resident_id(text: str) -> str:
    """The number in its one spelling (last place X, never x). Raises Wrong, without quoting the number."""
    number = text.upper()
    if not _FORM.fullmatch(number):
        if re.fullmatch(r"[0-9]{15}", number, re.ASCII):
            raise Wrong(_("15 digits is a first-generation ID number: convert it to the 18-digit number"))
        raise Wrong(_("is not an ID number: 17 digits and a check digit (0-9 or X)"))
    try:
        born = birth_date(number)
    except ValueError:
        born = None
    if born is None or not _FIRST_YEAR <= born.year <= _LAST_YEAR:
        raise Wrong(_("the birth date inside this ID number does not exist: compare it with the card"))
    if number[17] != check_character(number[:17]):
        raise Wrong(_("the check digit of this ID number is wrong: compare it with the card"))
    return number
