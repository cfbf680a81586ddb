"""The code of twelve digits that can be typed: eleven of chance and a check digit. Pure.

Verhoeff's method: the digits, each permuted as often as its place says, multiplied in the group of the
symmetries of a pentagon. ORDER is a permutation of our own, found by search: it catches every single wrong
digit and every two neighbours swapped (a test tries them all), and of the like that satisfy this it misses the
fewest twins (11 for 22) and jumps (123 for 321).
"""

import secrets

LENGTH = 12
ORDER = (4, 3, 9, 8, 5, 7, 1, 6, 0, 2)


def _times(a: int, b: int) -> int:
    """The product in the group: 0 to 4 turn the pentagon, 5 to 9 turn it over."""
    if a < 5:
        return (a + b) % 5 + (5 if b >= 5 else 0)
    return (a - b) % 5 + (0 if b >= 5 else 5)


def _permuted(digit: int, times: int) -> int:
    for _step in range(times):
        digit = ORDER[digit]
    return digit


def _product(digits: str) -> int:
    """Of all digits, the last at place 0."""
    product = 0
    for place, digit in enumerate(reversed(digits)):
        product = _times(product, _permuted(int(digit), place))
    return product


def check_digit(digits: str) -> str:
    """The digit that, put behind these, makes a whole code."""
    return next(digit for digit in "0123456789" if _product(digits + digit) == 0)


def is_whole(text: str) -> bool:
    """Whether this is a code of twelve digits whose check digit is right."""
    return len(text) == LENGTH and text.isascii() and text.isdigit() and _product(text) == 0


def fresh() -> str:
    digits = "".join(secrets.choice("0123456789") for _place in range(LENGTH - 1))
    return digits + check_digit(digits)


def plain(text: str) -> str:
    """What was typed, without the spaces and hyphens of its groups."""
    return text.replace(" ", "").replace("-", "")


def grouped(code: str) -> str:
    """1234 5678 9012."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))
