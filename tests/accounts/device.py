"""A device that keeps passkeys, in software: what a browser would send back, and what a cheat would."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

FLAG = AuthenticatorData.FLAG
ORIGIN = "http://localhost:8000"


@dataclass
class Device:
    """`asked`: the options that the site sent. What is given by name is what this device does wrongly."""

    counts: int = 1  # added to the count at each use; 0: it keeps none
    count: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def credential(self) -> AttestedCredentialData:
        public = ES256.from_cryptography_key(self.key.public_key())
        return AttestedCredentialData.create(b"\0" * 16, self.credential_id, public)

    def make(self, asked: dict, **wrong: Any) -> dict:
        host = wrong.get("host", asked["rp"]["id"])
        made = AttestationObject.create("none", self._data(host, wrong, self.credential), {})
        client = self._client("webauthn.create", asked, wrong)
        return self._sent(clientDataJSON=client, attestationObject=bytes(made))

    def sign(self, asked: dict, **wrong: Any) -> dict:
        self.count += self.counts
        data = self._data(wrong.get("host", asked["rpId"]), wrong)
        client = self._client("webauthn.get", asked, wrong)
        signed = self.key.sign(bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._sent(
            clientDataJSON=client, authenticatorData=bytes(data), signature=wrong.get("signature", signed)
        )

    def _data(self, host: str, wrong: dict, credential: bytes = b"") -> AuthenticatorData:
        flags = FLAG.UP | (FLAG.UV if wrong.get("verified", True) else FLAG(0))
        flags |= FLAG.AT if credential else FLAG(0)
        return AuthenticatorData.create(hashlib.sha256(host.encode()).digest(), flags, self.count, credential)

    def _client(self, kind: str, asked: dict, wrong: dict) -> bytes:
        challenge = wrong.get("challenge", asked["challenge"])
        return bytes(
            CollectedClientData.create(wrong.get("kind", kind), challenge, wrong.get("origin", ORIGIN))
        )

    def _sent(self, **response: bytes) -> dict:
        number = websafe_encode(self.credential_id)
        answer = {"id": number, "rawId": number, "type": "public-key"}
        sent = {**answer, "response": {name: websafe_encode(value) for name, value in response.items()}}
        return json.loads(json.dumps(sent))
