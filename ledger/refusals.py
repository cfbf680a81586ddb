"""What every refusal of an operation is: a code for programs and, as its text, the sentence for a person."""

from collections.abc import Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """Refused; nothing is written. `code` is one of `sentences`, `str()` that sentence in the reader's language."""

    sentences: ClassVar[Mapping[str, Any]]

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return str(self.sentences[self.code])
