"""Where a file's bytes come from, and how much of them is read: a path, bytes, or an uploaded file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from ledger.files.problems import Unreadable

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask of us, in bytes unless said otherwise."""

    file: int = 512 * MB
    row: int = 1 * MB
    columns: int = 200
    listed_rows: int = 300_000
    workbook_file: int = 64 * MB
    workbook_unpacked: int = 256 * MB
    part_unpacked: int = 32 * MB  # any part of a workbook that is not a sheet
    part_elements: int = 200_000  # XML elements in such a part: openpyxl builds an object for each
    string_elements: int = 2_500_000  # in the table of shared strings, two for each string
    parts: int = 1_000
    ratio: int = 200  # unpacked / packed, once unpacked is over 4 MB


LIMITS = Limits()


class Source:
    """A file that can be read more than once. `name` is what problems call it.

    Accepts a path, bytes, or a seekable binary file such as a Django upload.
    """

    def __init__(self, given: "str | os.PathLike[str] | bytes | BinaryIO", name: str | None = None) -> None:
        self._given = given
        if isinstance(given, (bytes, bytearray)):
            default = "file"
        elif isinstance(given, (str, os.PathLike)):
            default = Path(given).name or str(given)
        else:
            default = Path(getattr(given, "name", None) or "file").name
        self.name = name or default

    @contextmanager
    def open(self, limits: Limits) -> Iterator[tuple[BinaryIO, tuple[int, ...]]]:
        """This function will give the open file and its state (size, and for a path inode and time).

        Raises Unreadable for a directory, a device, a missing, empty or too large file.
        """
        if isinstance(self._given, (bytes, bytearray)):
            file: BinaryIO = BytesIO(self._given)
            yield file, _checked((len(self._given),), limits)
        elif isinstance(self._given, (str, os.PathLike)):
            with _open_path(Path(self._given)) as file:
                status = os.fstat(file.fileno())
                yield file, _checked((status.st_size, status.st_ino, status.st_mtime_ns), limits)
        else:
            size = self._given.seek(0, os.SEEK_END)
            self._given.seek(0)
            yield self._given, _checked((size,), limits)


def _open_path(path: Path) -> BinaryIO:
    if path.is_dir():
        raise Unreadable(1, _("this is a directory, not a file"))
    if path.exists() and not path.is_file():
        raise Unreadable(1, _("this is not an ordinary file"))
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise Unreadable(1, _("there is no such file")) from None
    except OSError as error:
        raise Unreadable(1, _("the file cannot be opened: %(reason)s"), reason=error.strerror) from None


def _checked(state: tuple[int, ...], limits: Limits) -> tuple[int, ...]:
    if state[0] == 0:
        raise Unreadable(1, _("the file is empty"))
    if state[0] > limits.file:
        raise Unreadable(
            1,
            _("the file has %(size)s MB; at most %(limit)s MB are read at a time: split it"),
            size=-(-state[0] // MB),
            limit=limits.file // MB,
        )
    return state
