"""What a terminal or partner asks for, as parsed, and the digest by which the same is known again. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vouchers.codes.operations import pin_digest


@dataclass(frozen=True, slots=True)
class Asked:
    """One serving to be paid. `credential` is {"token"} or {"code", "pin"}; None is what was not given."""

    premises: str
    service: str
    quantity: int
    credential: Mapping[str, str]
    happened_at: datetime | None = None
    channel: str | None = None

    def digest(self) -> bytes:
        """SHA-256 of the request as parsed (rules.md 4.1): the instant, not its spelling; what is not given
        stays not given; the PIN only as a keyed hash."""
        shown = dict(self.credential)
        if "pin" in shown:
            shown["pin"] = pin_digest(code=shown.get("code", ""), pin=shown["pin"])
        content = [
            self.happened_at.astimezone(UTC).isoformat() if self.happened_at else None,
            self.premises,
            self.service,
            sorted(shown.items()),
            self.quantity,
            self.channel,
        ]
        return hashlib.sha256(json.dumps(content).encode()).digest()

    @property
    def way(self) -> str:
        """How the elder was shown: the channel told, else what the credential says of it."""
        if self.channel is not None:
            return self.channel
        return "qr" if "token" in self.credential else "pin"
