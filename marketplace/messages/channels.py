"""Ways out for short messages. One is set up by the environment: SMS_CHANNEL = console, file, aliyun or off.

Each is a class with a `name` and `send(...) -> the gateway's reference`; it raises CannotSend when the
message did not go out, with a sentence that holds no number and no text. Another gateway is another class here.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

from django.conf import settings

from vouchers.elders import masking

SECONDS = 10  # for a gateway's answer


class CannotSend(Exception):
    """The gateway did not take the message; the outbox tries again."""


class Channel(Protocol):
    name: str

    def send(self, *, phone: str, text: str, kind: str, facts: dict[str, str]) -> str: ...


class Console:
    """Into the terminal of `make run`, the number masked: for looking and rehearsals."""

    name = "console"

    def send(self, *, phone: str, text: str, kind: str, facts: dict[str, str]) -> str:
        sys.stdout.write(f"SMS {masking.phone(phone)}: {text}\n")
        sys.stdout.flush()
        return ""


class File:
    """One JSON line a message, in DATA_DIR/messages.jsonl, readable by its owner alone: for a gateway that
    takes files, and for tests."""

    name = "file"

    def send(self, *, phone: str, text: str, kind: str, facts: dict[str, str]) -> str:
        path = settings.DATA_DIR / "messages.jsonl"
        line = json.dumps({"phone": phone, "kind": kind, "text": text}, ensure_ascii=False)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
            out.write(line + "\n")
        return ""


class Aliyun:
    """Aliyun's short message service by its signed HTTP call (action SendSms, version 2017-05-25).

    The sentence is the template approved there for the kind; its variables bear the names of our facts.
    Settings: SMS_ALIYUN_KEY_ID, SMS_ALIYUN_KEY_SECRET, SMS_ALIYUN_SIGN_NAME, SMS_ALIYUN_TEMPLATES
    ("sign_in_code=SMS_100000001,order_taken=SMS_100000002"), SMS_ALIYUN_ENDPOINT.
    """

    name = "aliyun"

    def send(self, *, phone: str, text: str, kind: str, facts: dict[str, str]) -> str:
        account: dict[str, Any] = settings.SMS_ALIYUN
        template = account["templates"].get(kind)
        if template is None:
            raise CannotSend(f"no template is set for {kind}")
        query = signed(
            {
                "Action": "SendSms",
                "PhoneNumbers": phone,
                "SignName": account["sign_name"],
                "TemplateCode": template,
                "TemplateParam": json.dumps(facts | {"hotline": settings.HOTLINE}, ensure_ascii=False),
            },
            key_id=account["key_id"],
            key_secret=account["key_secret"],
            nonce=uuid.uuid4().hex,
            at=datetime.now(UTC),
        )
        request = urllib.request.Request(account["endpoint"], data=query.encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise CannotSend(f"the gateway answered {error.code}") from None
        except (OSError, ValueError) as error:
            raise CannotSend(f"the gateway does not answer: {type(error).__name__}") from None
        if answer.get("Code") != "OK":
            raise CannotSend(f"the gateway refused: {answer.get('Code')}")
        return str(answer.get("BizId", ""))[:80]


def signed(parameters: dict[str, str], *, key_id: str, key_secret: str, nonce: str, at: datetime) -> str:
    """The body of a POST signed as Aliyun's RPC style asks: HMAC-SHA1 over the sorted, encoded parameters."""
    everything = parameters | {
        "AccessKeyId": key_id,
        "Format": "JSON",
        "RegionId": "cn-hangzhou",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": nonce,
        "SignatureVersion": "1.0",
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "Version": "2017-05-25",
    }
    joined = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(everything.items()))
    to_sign = f"POST&{_encoded('/')}&{_encoded(joined)}"
    digest = hmac.digest(f"{key_secret}&".encode(), to_sign.encode(), hashlib.sha1)
    return f"{joined}&Signature={_encoded(base64.b64encode(digest).decode())}"


def _encoded(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")


CHANNELS: dict[str, type[Channel]] = {channel.name: channel for channel in (Console, File, Aliyun)}


def configured() -> Channel | None:
    """The way out that is set up; None when there is none."""
    channel = CHANNELS.get(settings.SMS_CHANNEL)
    return channel() if channel else None
