"""Which sentences the code shows, and which of them lack Chinese.

    .venv/bin/python -m tests.translations        prints what is missing or no longer used

Needs no GNU gettext: Babel reads the Python, Django's own lexer turns a template into gettext calls.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from babel.messages.extract import extract

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "marketplace" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
PACKAGES = ("ledger", "providers", "vouchers", "marketplace")
KEYWORDS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"], None),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], ((1, "c"), 2, 3)),
}
# What templatize() makes of translate and blocktranslate.
_IN_TEMPLATE = re.compile(r"\b(_|n?p?gettext)\((.*?)\)\s", re.DOTALL)
_STRING = re.compile(r"""u?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')""", re.DOTALL)


class Sentence(NamedTuple):
    context: str | None
    text: str
    plural: str | None = None


def wanted() -> dict[Sentence, str]:
    """Every sentence with one place where it stands."""
    found: dict[Sentence, str] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix == ".py":
                sentences = in_python(path)
            elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
                sentences = in_template(path.read_text("utf-8"))
            else:
                continue
            for sentence in sentences:
                found.setdefault(sentence, str(path.relative_to(ROOT)))
    return found


def in_python(path: Path) -> Iterator[Sentence]:
    with open(path, "rb") as file:
        for _line, text, _comments, context in extract("python", file, keywords=KEYWORDS):
            one, many = text if isinstance(text, tuple) else (text, None)
            if one:
                yield Sentence(context, one, many)


def in_template(source: str) -> Iterator[Sentence]:
    from django.utils.translation.template import templatize

    for call, arguments in _IN_TEMPLATE.findall(templatize(source) + " "):
        texts = [_literal(text) for text in _STRING.findall(arguments)]
        if not texts:
            continue
        context = texts.pop(0) if "p" in call.replace("gettext", "") else None
        yield Sentence(context, texts[0], texts[1] if call.startswith("n") else None)


def _literal(text: str) -> str:
    import ast

    return ast.literal_eval(text)


def problems() -> list[str]:
    catalogue = {entry_key(entry): entry for entry in polib.pofile(str(CATALOGUE)) if not entry.obsolete}
    found = []
    used = wanted()
    for sentence, place in used.items():
        entry = catalogue.get(sentence)
        if entry is None:
            found.append(f"{place}: no entry: {sentence.text!r}")
        elif entry.fuzzy:
            found.append(f"{place}: fuzzy: {sentence.text!r}")
        elif not entry.msgstr and not (entry.msgstr_plural and all(entry.msgstr_plural.values())):
            found.append(f"{place}: not translated: {sentence.text!r}")
        elif placeholders(sentence.text + (sentence.plural or "")) != placeholders(translated(entry)):
            found.append(f"{place}: other placeholders: {sentence.text!r} -> {translated(entry)!r}")
    found += [f"{CATALOGUE.name}: no longer used: {key.text!r}" for key in catalogue if key not in used]
    return found


def entry_key(entry: polib.POEntry) -> Sentence:
    return Sentence(entry.msgctxt, entry.msgid, entry.msgid_plural or None)


def translated(entry: polib.POEntry) -> str:
    return entry.msgstr or next(iter(entry.msgstr_plural.values()))


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", text))


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    lines = problems()
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.exit(bool(lines))
