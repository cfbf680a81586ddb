"""Every message of the project's code and templates, found without GNU gettext."""

import ast
import re
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

PACKAGES = ("ledger", "providers", "vouchers", "marketplace")
# Name of the function → where its context, message stand among the arguments.
FUNCTIONS = {
    **dict.fromkeys(
        ("_", "gettext", "gettext_lazy", "gettext_noop", "_l", "ngettext", "ngettext_lazy"), (None, 0)
    ),
    **dict.fromkeys(("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"), (0, 1)),
}
# What templatize() makes of a template's tags.
IN_TEMPLATE = re.compile(
    r"""(?<!\w)(p?)(n?)gettext\(\s*|(?<!\w)_\(\s*""",
)
STRING = r"""u?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""

Message = tuple[str | None, str]


def of_project() -> set[Message]:
    root = Path(settings.BASE_DIR)
    found: set[Message] = set()
    for package in PACKAGES:
        found |= of_tree(root / package)
    return found


def of_tree(root: Path) -> set[Message]:
    found: set[Message] = set()
    for path in sorted(root.rglob("*.py")):
        found |= _of_code(path.read_text())
    for path in sorted((*root.rglob("*.html"), *root.rglob("*.txt"))):
        found |= _of_template(path.read_text(), str(path))
    return found


def _of_code(text: str) -> set[Message]:
    found: set[Message] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in FUNCTIONS:
            continue
        context_at, message_at = FUNCTIONS[name]
        texts = [
            arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, str) else None
            for arg in node.args
        ]
        if len(texts) > message_at and texts[message_at]:
            found.add((None if context_at is None else texts[context_at], str(texts[message_at])))
    return found


def _of_template(text: str, name: str) -> set[Message]:
    code = templatize(text, origin=name)
    found: set[Message] = set()
    for call in re.finditer(rf"(?<!\w)(n?pgettext|n?gettext|_)\(\s*{STRING}(?:\s*,\s*{STRING})?", code):
        first = ast.literal_eval(call[2])
        if "pgettext" in call[1]:
            found.add((first, ast.literal_eval(call[3])))
        else:
            found.add((None, first))
    return found
