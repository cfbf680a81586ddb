"""Uploaded files on their way to the worker: sealed in the database, plain only in its own directory.

Web and worker may be different machines, so the bytes travel through the database; each part is sealed for
its place and deleted when the job has ended.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.files.source import LIMITS, MB
from marketplace.jobs.models import FilePart, Job, JobFile
from vouchers.elders import sealing

FIELD = "upload"


class TooLarge(Exception):
    """More than one upload may hold."""


def keep(job: Job, *, name: str, chunks: Iterable[bytes]) -> JobFile:
    """This function will seal a file's bytes, part by part; memory stays at two parts. Raises TooLarge."""
    file = JobFile.objects.create(job=job, name=name, size=0, sha256="")
    digest, size, number, rest = hashlib.sha256(), 0, 0, bytearray()
    for chunk in chunks:
        size += len(chunk)
        if size > LIMITS.file:
            raise TooLarge
        digest.update(chunk)
        rest += chunk
        while len(rest) >= MB:
            _keep_part(file, number, bytes(rest[:MB]))
            del rest[:MB]
            number += 1
    _keep_part(file, number, bytes(rest))
    file.size, file.sha256 = size, digest.hexdigest()
    file.save(update_fields=["size", "sha256"])
    return file


def _keep_part(file: JobFile, number: int, data: bytes) -> None:
    sealed = sealing.seal_bytes(data, field=FIELD, row=f"{file.pk}:{number}")
    FilePart.objects.create(file=file, number=number, sealed=sealed)


@contextmanager
def unpacked(job: Job) -> Iterator[Path]:
    """A directory of this process alone with the job's files under their names; gone afterwards."""
    with TemporaryDirectory(prefix="yiquan-") as directory:
        for file in job.files.all():
            with (Path(directory) / file.name).open("wb") as target:
                parts = file.parts.order_by("number").values_list("number", "sealed")
                for number, sealed in parts.iterator(chunk_size=1):
                    target.write(sealing.open_bytes(sealed, field=FIELD, row=f"{file.pk}:{number}"))
        yield Path(directory)


def forget(job: Job) -> None:
    """Delete the bytes; what the files were called, their size and digest stay."""
    FilePart.objects.filter(file__job=job).delete()
