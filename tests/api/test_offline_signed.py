"""A terminal that signs: what it signed is evidence; what is unsigned, or signed wrongly, is a case and never lost."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from ledger.audit.models import Record
from marketplace.api import schemas
from marketplace.api.redemptions import asked_of
from tests.api import ground
from tests.api.ground import Counter
from tests.api.test_offline import send, serving, violated
from vouchers.models import Redemption, Serving, SignedRecord, TerminalKey
from vouchers.offline import evidence, operations
from vouchers.terminals import signing


class Hand:
    """The device's key and its chain, as signing.js has them."""

    def __init__(self, algorithm: str = "Ed25519") -> None:
        self.algorithm = algorithm
        if algorithm == "Ed25519":
            self.key: Any = Ed25519PrivateKey.generate()
            self.public = self.key.public_key().public_bytes_raw()
        else:
            self.key = ec.generate_private_key(ec.SECP256R1())
            self.public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.number, self.previous = 0, signing.FIRST

    def sign(self, text: str) -> bytes:
        if self.algorithm == "Ed25519":
            return self.key.sign(text.encode())
        r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def registration(self) -> dict[str, str]:
        proof = self.sign(signing.registration(self.public))
        return {"algorithm": self.algorithm, "public": written(self.public), "proof": written(proof)}

    def signed(self, item: dict[str, Any]) -> dict[str, Any]:
        """The serving with its signature; the chain goes on."""
        read = schemas.OfflineIn.model_validate(item)
        self.number += 1
        place = signing.Signature(self.number, self.previous, b"")
        text = signing.record(
            public=self.public, key=read.key, asked=asked_of(read), promised=read.promised, signature=place
        )
        told = {"number": self.number, "previous": self.previous, "value": written(self.sign(text))}
        self.previous = signing.digest(text)
        return item | {"signature": told}


def written(data: bytes) -> str:
    return base64.b64encode(data).decode()


def register(counter: Counter, hand: Hand) -> Any:
    return counter.post("terminals/me/key", hand.registration())


@pytest.fixture(params=["Ed25519", "ES256"])
def hand(counter: Counter, request: pytest.FixtureRequest) -> Hand:
    made = Hand(request.param)
    assert register(counter, made).status_code == 201
    return made


def test_a_key_is_registered_once_and_by_who_holds_it(counter):
    mine, other = Hand(), Hand("ES256")
    stolen = other.registration() | {"proof": mine.registration()["proof"]}
    assert ground.refusal(counter.post("terminals/me/key", stolen)) == (422, "key_wrong")
    bad = mine.registration() | {"public": "AAAA"}
    assert ground.refusal(counter.post("terminals/me/key", bad)) == (422, "key_wrong")
    assert ground.refusal(counter.post("terminals/me/key", bad | {"public": "é"})) == (400, "invalid")
    assert not TerminalKey.objects.exists() and counter.get("terminals/me").json()["signs_as"] is None
    first, again = register(counter, mine), register(counter, mine)
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert counter.get("terminals/me").json()["signs_as"] == signing.fingerprint(mine.public)
    assert ground.refusal(register(counter, other)) == (409, "key_kept")
    assert ground.refusal(register(Counter(ground.terminal()), mine)) == (422, "key_wrong")  # another's
    assert ground.refusal(register(Counter(ground.partner("OP01")), other)) == (403, "forbidden")
    assert ground.refusal(register(Counter("yt_" + "x" * 43), other)) == (401, "not_signed_in")
    assert TerminalKey.objects.count() == 1 == Record.objects.filter(action="register_key").count()


def test_what_was_signed_is_paid_and_kept_as_evidence(counter, hand):
    batch = [hand.signed(serving(f"k{n}", who)) for n, who in enumerate(["LI", "ZHANG", "WANG"])]
    assert [one["status"] for one in send(counter, *reversed(batch[1:]))] == [201, 201]
    assert [gap.number for gap in gaps()] == [2]  # the first is not there yet
    assert [one["status"] for one in send(counter, *batch)] == [201, 200, 200]
    rows = list(SignedRecord.objects.order_by("number"))
    assert [(row.number, row.verdict, row.serving.key) for row in rows] == [
        (n + 1, "good", f"k{n}") for n in range(3)
    ]
    for row in rows:  # anybody can check it again, from what is kept
        assert signing.is_signed(
            algorithm=hand.algorithm, public=hand.public, text=row.text, value=bytes(row.value)
        )
        assert batch[row.number - 1]["elder"]["token"] not in row.text
    assert not gaps().exists()
    assert violated() == set()
    for statement in (
        "UPDATE vouchers_signedrecord SET verdict = 'wrong'",
        "DELETE FROM vouchers_terminalkey",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_what_is_unsigned_or_signed_wrongly_is_a_case_and_never_lost(counter, hand):
    good = hand.signed(serving("a"))
    changed = hand.signed(serving("b", "ZHANG")) | {"quantity": 2}
    foreign = Hand().signed(serving("c", "WANG"))
    bare = serving("d", ago=timedelta(hours=2))
    ends = hand.signed(serving("e", "WANG", ago=timedelta(hours=1)))
    results = send(counter, good, changed, foreign, bare, ends)
    assert [one["status"] for one in results] == [201, 202, 202, 202, 201]
    assert [one["case"]["code"] for one in results[1:4]] == ["signature_wrong"] * 2 + ["signature_missing"]
    assert all(one["case"]["detail"] and one["case"]["receipt"] is None for one in results[1:4])
    assert Redemption.objects.count() == 2 and Serving.objects.count() == 5
    verdicts = dict(SignedRecord.objects.values_list("key", "verdict"))
    assert verdicts == {"a": "good", "b": "wrong", "c": "wrong", "d": "missing", "e": "good"}
    assert [gap.key for gap in gaps()] == ["e"]  # what stood before it is not what came
    assert send(counter, changed)[0] == results[1]  # told again it is the same case
    assert not Serving.objects.open_cases().filter(loser=None).exists() and violated() == set()
    # Half a signature is nothing that was told: it stays with the terminal.
    half = serving("f") | {"signature": {"number": 0, "previous": "", "value": "?"}}
    assert send(counter, half)[0]["status"] == 400 and not Serving.objects.filter(key="f").exists()


def test_the_answer_of_a_first_try_was_lost(counter, hand):
    """It was redeemed with a network and queued all the same: paid once, and what was signed belongs to that."""
    one = serving("k", ago=timedelta(seconds=10))
    sent = {name: value for name, value in one.items() if name != "key"}
    first = counter.post("redemptions", sent, key="k")
    assert send(counter, hand.signed(one)) == [{"key": "k", "status": 200, "body": first.json()}]
    row = SignedRecord.objects.get()
    assert (row.redemption.number, row.serving, row.verdict) == (first.json()["number"], None, "good")


def test_who_has_no_key_is_served_as_before(counter):
    stranger = Hand()
    assert [one["status"] for one in send(counter, serving("a"), stranger.signed(serving("b", "WANG")))] == [
        201,
        201,
    ]
    partner = Counter(ground.partner("OP01", may_tell_past=True))
    assert send(partner, stranger.signed(serving("c", "ZHANG")))[0]["status"] == 201
    assert not SignedRecord.objects.exists()


def test_control_without_the_check_a_stolen_token_would_do(counter, monkeypatch):
    """Whoever has read the token, and not the key that cannot be read, is paid nothing; without the check he is."""
    register(counter, Hand())
    assert send(counter, Hand().signed(serving("a")))[0]["status"] == 202
    monkeypatch.setattr(operations.evidence, "why_not", lambda signed: "")
    assert send(counter, Hand().signed(serving("b", "WANG")))[0]["status"] == 201


def gaps() -> Any:
    return evidence.gaps(SignedRecord.objects.all(), since=timezone.now() - timedelta(hours=1))


def test_it_stands_in_the_description(db):
    described = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert set(described["SignatureIn"]["properties"]) == {"number", "previous", "value"}
    assert "signature" not in described["OfflineIn"]["required"]
