"""What a folder holds, signed: MANIFEST.json with each file's SHA-256, its Ed25519 signature, the public key.

    MANIFEST.json   {"about": {...}, "files": [{"path", "bytes", "sha256"}, ...]}
    MANIFEST.sig    64 bytes: the signature over MANIFEST.json as it stands
    MANIFEST.pem    the public key

    openssl pkeyutl -verify -pubin -inkey MANIFEST.pem -rawin -in MANIFEST.json -sigfile MANIFEST.sig

Whoever has the key from elsewhere (the public page of the chain) does not need to trust the one in the folder.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAME, SIGNATURE, KEY = "MANIFEST.json", "MANIFEST.sig", "MANIFEST.pem"
PURPOSE = b"yiquan manifest 1\0"
_READ = 1 << 20


def _signer(secret: bytes) -> Ed25519PrivateKey:
    """The key for manifests alone, derived from a secret of 32 bytes that signs other things."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(PURPOSE + secret).digest())


def public_key(secret: bytes) -> str:
    """The public key as PEM."""
    return (
        _signer(secret)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def sign(directory: Path, *, about: dict[str, Any], secret: bytes) -> dict[str, Any]:
    """This function will write the manifest of everything below a directory, and sign it."""
    manifest = {
        "about": about,
        "files": [
            {"path": name, "bytes": path.stat().st_size, "sha256": _sha256(path)}
            for name, path in _files(directory)
        ],
    }
    data = (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    (directory / NAME).write_bytes(data)
    (directory / SIGNATURE).write_bytes(_signer(secret).sign(data))
    (directory / KEY).write_text(public_key(secret))
    return manifest


def wrong(directory: Path, *, key: str = "") -> Iterator[str]:
    """This function will name everything in a signed folder that is not as it was signed.

    `key` is the public key as PEM; without it the folder's own is believed, and only that it fits is said.
    """
    data = (directory / NAME).read_bytes()
    public = serialization.load_pem_public_key((key or (directory / KEY).read_text()).encode())
    if not isinstance(public, Ed25519PublicKey):
        yield KEY
        return
    try:
        public.verify((directory / SIGNATURE).read_bytes(), data)
    except InvalidSignature:
        yield SIGNATURE
    listed = {one["path"]: one["sha256"] for one in json.loads(data)["files"]}
    found = dict(_files(directory))
    for name in sorted(listed.keys() | found.keys()):
        if name not in found or name not in listed or _sha256(found[name]) != listed[name]:
            yield name


def _files(directory: Path) -> list[tuple[str, Path]]:
    """Every file below, by its path with slashes; the manifest's own left out."""
    return sorted(
        (path.relative_to(directory).as_posix(), path)
        for path in directory.rglob("*")
        if path.is_file() and path.relative_to(directory).as_posix() not in (NAME, SIGNATURE, KEY)
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ):
            digest.update(piece)
    return digest.hexdigest()
