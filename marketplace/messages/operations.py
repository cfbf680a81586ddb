"""Telling people: noted in the transaction of what it tells of, sent after its commit, once."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone, translation

from ledger.outbox.operations import owe
from marketplace.accounts.models import User
from marketplace.messages import channels, words
from marketplace.messages.models import Message
from vouchers.elders import sealing
from vouchers.models import Elder

TOPIC = "send_message"


@transaction.atomic
def tell(
    *,
    kind: str,
    at: datetime,
    elder: Elder | None = None,
    user: User | None = None,
    phone: str = "",
    language: str = "zh-hans",
    once: str = "",
    **facts: words.Fact,
) -> Message | None:
    """This function will tell one person one thing, as soon as the caller's transaction commits.

    Exactly one of `elder`, `user`, `phone` is the recipient; `kind` is a key of words.SENTENCES and `facts`
    are what its sentence names (texts, also lazy ones, Decimal yuan, dates, datetimes). With `once` the same thing is told
    once: a second call returns None. Somebody without a phone is told nothing, and the log says so.

    Raises: TypeError when facts are missing or too many (a fault of the caller, not of the person).
    """
    if (missing := words.wanted(kind) ^ facts.keys()) or (elder, user, phone).count(None) + (not phone) != 2:
        raise TypeError(f"{kind}: facts {sorted(missing)} are missing or idle, or not one recipient")
    message = Message(kind=kind, elder=elder, user=user, language=language, once=once or None, created_at=at)
    secret = {name: str(facts.pop(name)) for name in words.SECRET.get(kind, ())}
    if phone:
        message.phone_sealed = sealing.seal(phone, field="message_phone", row=str(message.number))
    if not (phone or _has_phone(elder or user)):
        message.outcome, secret = Message.Outcome.NO_PHONE, {}
    with translation.override(language):  # a lazy text is written in the recipient's language
        message.seal({name: words.stored(fact) for name, fact in facts.items()}, secret)
    Message.objects.bulk_create([message], ignore_conflicts=bool(once))
    if once and not Message.objects.filter(number=message.number).exists():
        return None  # told before, or by somebody at the same moment
    if message.outcome == Message.Outcome.WAITING:
        owe(key=f"message:{message.number}", topic=TOPIC, payload={"message": str(message.number)}, at=at)
    return message


def _has_phone(recipient: Elder | User | None) -> bool:
    return recipient is not None and recipient.phone_sealed is not None


def send(payload: dict[str, Any]) -> None:
    """This function will hand one message to the way out that is set up; the handler of the outbox's topic.

    1. What is sent already, or too late to be of use, is not sent.
    2. The number on file today is the one it goes to.
    3. A way out that fails raises: the outbox tries again later.

    Whoever is killed between the gateway's answer and the note of it sends twice: a message too many is
    better than none.
    """
    message = Message.objects.select_related("elder", "user").get(number=payload["message"])
    if message.outcome != Message.Outcome.WAITING:
        return
    now, limit = timezone.now(), words.USELESS_AFTER_MINUTES.get(message.kind)
    if limit and now - message.created_at > timedelta(minutes=limit):
        return _close(message, Message.Outcome.TOO_LATE)
    channel = channels.configured()
    if channel is None:
        return _close(message, Message.Outcome.NO_CHANNEL)
    phone = message.phone()
    if not phone:
        return _close(message, Message.Outcome.NO_PHONE)
    secret = message.secret()
    message.reference = channel.send(
        phone=phone,
        text=message.text(secret=secret),
        kind=message.kind,
        facts=words.in_words(message.facts(), language=message.language) | secret,
    )
    message.channel, message.sent_at = channel.name, now
    _close(message, Message.Outcome.SENT)


def _close(message: Message, outcome: Message.Outcome) -> None:
    message.outcome, message.secret_sealed = outcome, None
    message.save(update_fields=["outcome", "secret_sealed", "channel", "sent_at", "reference"])
