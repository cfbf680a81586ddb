"""How people are shown where the reader needs no more. Pure."""

from django.utils.translation import gettext as _


def name(full: str) -> str:
    """张* for 张桂兰; a name of another script keeps its first letter. Only who was erased has none."""
    return f"{full[:1]}*" if full else _("erased")


def phone(number: str) -> str:
    """199****0001; fewer than seven digits are hidden whole."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 7 else "*" * len(number)


def id_number(number: str) -> str:
    """First and last character only."""
    return f"{number[:1]}{'*' * (len(number) - 2)}{number[-1:]}" if len(number) > 2 else "*" * len(number)
