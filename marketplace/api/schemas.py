"""What is sent and answered. Amounts are strings of yuan ("8.00"); an unknown field is refused."""

import base64
import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ledger.files import kinds
from ledger.files.problems import Wrong

# No control characters, no halves of surrogate pairs: neither may reach the database.
PLAIN = r"^[^\x00-\x1f\x7f]*$"
BASE64 = re.compile(r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("an instant is written 2026-07-01T11:30:00+08:00")
    return _read(kinds.INSTANT, value)


def _amount(value: Any) -> Decimal:
    if not isinstance(value, str) or len(value) > 12:
        raise ValueError('an amount is written "8.00"')
    return _read(kinds.YUAN, value)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str) or len(value) > 88 or not BASE64.fullmatch(value):
        raise ValueError("bytes are written in base64")
    return base64.b64decode(value)


def _read(kind: kinds.Kind, value: str) -> Any:
    try:
        return kind.parse(value)
    except Wrong as wrong:
        raise ValueError(str(wrong.message) % wrong.values) from None


def _text(longest: int) -> Any:
    return Field(min_length=1, max_length=longest, pattern=PLAIN, strict=True)


Reference = Annotated[str, _text(40)]
Shown = Annotated[str, _text(200)]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 40}),
]
Base64 = Annotated[
    bytes,
    BeforeValidator(_bytes),
    WithJsonSchema({"type": "string", "pattern": BASE64.pattern, "maxLength": 88}),
]
Yuan = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$", examples=["8.00"])]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ByToken(Strict):
    """The changing code of the elder's telephone."""

    token: Shown


class ByPin(Strict):
    """The elder's code, a card's QR code or its twelve digits, with the six-digit PIN."""

    code: Shown
    pin: Annotated[str, _text(12)]


class QuoteIn(Strict):
    premises: Reference
    service: Reference
    quantity: Annotated[int, Field(strict=True, ge=1, le=32767)] = Field(examples=[1])
    elder: ByToken | ByPin
    happened_at: Instant | None = None
    channel: Literal["qr", "pin", "paper", "hotline", "offline"] | None = None


class RedemptionIn(QuoteIn):
    """One serving. `happened_at` is now when it is not given; without an offset it is Shanghai's time."""


class SignatureIn(Strict):
    """By the terminal's own key, over the record as docs/api.md says; `number` counts what that key has signed,
    `previous` is the digest of the record before."""

    number: Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
    previous: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", strict=True)]
    value: Base64


class TerminalKeyIn(Strict):
    """The public key of this terminal, raw, and its own signature over `yiquan terminal key 1`, a line feed, the
    SHA-256 of the key in hexadecimal digits, a line feed."""

    algorithm: Literal["Ed25519", "ES256"]
    public: Base64
    proof: Base64


class OfflineIn(QuoteIn):
    """One serving made without a network, under a key of its own.

    `promised` is what the terminal told the elder that vouchers would pay, where it did. `signature` is expected
    of a terminal that has registered a key, and of nobody else.
    """

    key: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,80}$", strict=True)]
    happened_at: Instant
    promised: (
        Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema({"type": "string", "maxLength": 12})]
        | None
    ) = None
    signature: SignatureIn | None = None


class OfflineBatchIn(Strict):
    """In the order in which they were served. Each is judged by itself; a batch may be sent in parts and again."""

    redemptions: Annotated[list[OfflineIn], Field(min_length=1, max_length=100)]


class LooseBatchIn(Strict):
    """The same, its items still to be read one by one: a wrong one does not spoil the others."""

    redemptions: Annotated[list[Any], Field(min_length=1, max_length=100)]


class ReversalIn(Strict):
    reason: Annotated[str, _text(500)]


class EnrolmentIn(Strict):
    code: Annotated[str, _text(40)]


class Price(Schema):
    """How the price of the whole quantity is paid: the parts add up to `list`."""

    list: Yuan
    government: Yuan
    concession: Yuan
    charity: Yuan
    vouchers: Yuan
    self_pay: Yuan


class Spent(Schema):
    serial: str
    amount: Yuan
    remaining: Yuan


class Quote(Schema):
    elder: str = Field(description="the masked name", examples=["李*"])
    price: Price
    vouchers: list[Spent]


class Receipt(Quote):
    number: str = Field(examples=["RD-000000123"])


class ReversalOut(Schema):
    number: str
    reversed_at: str
    value: Yuan = Field(description="what was given back to the vouchers")


class Problem(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list["FieldError"] | None = None


class FieldError(Schema):
    field: str
    detail: str


class Case(Schema):
    """A serving that was kept and not paid, or not paid in full: the bureau decides about it."""

    case: str = Field(examples=["OS-000000007"])
    code: str
    detail: str
    unpaid: Yuan
    receipt: Receipt | None = None


class OfflineOut(Schema):
    """`status` is what a redemption alone would have answered: 201 or 200 with `body`; 202 with `case`; or a
    `problem`, which keeps nothing and may be sent again."""

    key: str | None
    status: int
    body: Receipt | None = None
    case: Case | None = None
    problem: Problem | None = None


class OfflineBatchOut(Schema):
    results: list[OfflineOut]


class EnrolmentOut(Schema):
    token: str = Field(description="shown this once")
    premises: str
    name: str


class PlaceOut(Schema):
    code: str
    name: str


class TerminalName(Schema):
    name: str


class PriceRow(Schema):
    """One price of one serving for an age band; `elder` is what is left for the elder and the vouchers."""

    valid_from: str
    valid_until: str | None
    min_age: int | None
    max_age: int | None
    list: Yuan
    government: Yuan
    concession: Yuan
    charity: Yuan
    elder: Yuan


class ServiceOut(Schema):
    code: str
    name: str
    category: str
    unit: str
    daily_limit: int | None
    prices: list[PriceRow]


class Cap(Schema):
    count: int = Field(description="servings")
    yuan: Yuan


class Caps(Schema):
    """How much may be served without a network within `hours`: by the terminal, for one elder, and for one elder
    by card or PIN."""

    terminal: Cap
    elder: Cap
    paper: Cap
    hours: int


class TerminalOut(Schema):
    terminal: TerminalName
    premises: PlaceOut
    services: list[ServiceOut]
    caps: Caps
    keys: dict[str, str] = Field(description="public keys of elders' codes, in base64 by id")
    signs_as: str | None = Field(
        description="fingerprint of the key by which this terminal signs what it serves without a network, where it "
        "has registered one"
    )


class TerminalKeyOut(Schema):
    signs_as: str = Field(description="the SHA-256 of the public key, in hexadecimal digits")


class VoucherOut(Schema):
    serial: str
    programme: str
    face_value: Yuan
    remaining: Yuan
    held: Yuan = Field(description="set aside by orders")
    valid_from: str
    valid_until: str


class WalletOut(Schema):
    elder: str
    vouchers: list[VoucherOut]


class StatementOut(Schema):
    lease: str
    month: str
    charge: Yuan
    carry_in: Yuan
    earned: Yuan
    late: Yuan
    reversed: Yuan
    credit: Yuan
    lapsed: Yuan
    available: Yuan
    cap: Yuan
    applied: Yuan
    carry_out: Yuan
    cash_due: Yuan
    redemptions: int
    under_review: int
    state: str


class StatementsOut(Schema):
    statements: list[StatementOut]
