"""Sealing the journal and the use of the bureau's seal into one chain of hashes, and looking whether it holds.

    content  SHA-256 over everything that an entry and its transfers say (or a use of the seal)
    hash     SHA-256 over the hash of the link before, and this link's number, kind, row and content

A changed entry no longer has its content; a changed link no longer has its hash; a link taken away leaves a gap; a
tail cut off is missed by the head that was published before. Whoever rewrites the whole chain has other heads than
those on papers and pages.
"""

# ruff: noqa: S608 - all parts of these queries are constants

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, name_of, record
from ledger.models import Head, Link, SealApproval, SealUse
from ledger.refusals import Refusal

SEAL_LOCK = 7203  # one sealer at a time: numbers without a gap
BATCH = 20_000
FIRST = "0" * 64  # what the first link takes for the hash before

CONTENT = {
    Link.Kind.ENTRY: """
        SELECT e.id, encode(sha256(convert_to(concat_ws('|', e.id, e.key, e.kind, e.dated_on,
            extract(epoch FROM e.recorded_at), e.link, coalesce(e.reverses_id, 0), (
                SELECT string_agg(concat_ws(',', t.line, t.debit_id, t.credit_id, t.commodity, t.amount), ';' ORDER BY t.line)
                FROM ledger_transfer t WHERE t.entry_id = e.id)), 'UTF8')), 'hex')
        FROM ledger_entry e WHERE {where} ORDER BY e.id
    """,
    Link.Kind.USE: """
        SELECT u.id, encode(sha256(convert_to(concat_ws('|', u.id, a.id, a.paper, a.content, a.purpose, a.copies,
            a.approved_by, extract(epoch FROM a.approved_at), u.approved_by, u.sealed_by,
            extract(epoch FROM u.sealed_at)), 'UTF8')), 'hex')
        FROM ledger_sealuse u JOIN ledger_sealapproval a ON a.id = u.approval_id WHERE {where} ORDER BY u.id
    """,
}
SENTENCES = {
    "wrong_role": _("An approver of the bureau allows the seal, a clerk puts it on the paper."),
    "same_person": _("Who allowed the seal does not put it on the paper."),
    "sealed_before": _("The seal was put on this paper under this approval before."),
}


class CannotSeal(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


# The bureau's seal


def approve_seal(
    *, paper: str, content: str, purpose: str, copies: int, by: Any, at: datetime
) -> SealApproval:
    """This function will allow the bureau's seal on a paper; `content` is SHA-256 over what stands on it.

    Raises CannotSeal: wrong_role.
    """
    with transaction.atomic():
        if not as_now(by).holds("bureau_approver", city=True):
            raise CannotSeal("wrong_role")
        approval = SealApproval.objects.create(
            paper=paper,
            content=content,
            purpose=purpose.strip()[:200],
            copies=copies,
            approved_by=name_of(by),
            approved_at=at,
        )
        record(by=by, at=at, action="approve_seal", subject=paper, detail={"copies": copies})
    return approval


def put_seal(*, approval: SealApproval, by: Any, at: datetime) -> SealUse:
    """This function will note that the seal was put on the paper, and make it part of the chain.

    Raises CannotSeal: wrong_role, same_person, sealed_before.
    """
    with transaction.atomic():
        _alone()
        if not as_now(by).holds("bureau_clerk", city=True):
            raise CannotSeal("wrong_role")
        if approval.approved_by == name_of(by):
            raise CannotSeal("same_person")
        if SealUse.objects.filter(approval=approval).exists():
            raise CannotSeal("sealed_before")
        use = SealUse.objects.create(
            approval=approval, approved_by=approval.approved_by, sealed_by=name_of(by), sealed_at=at
        )
        _append(Link.Kind.USE, _contents(Link.Kind.USE, "u.id = %s", [use.pk]), at=at)
        record(by=by, at=at, action="put_seal", subject=approval.paper, detail={"approval": approval.pk})
    return use


# The chain


class HeadNow(NamedTuple):
    """The last link: its number and hash; number 0 while there is none."""

    number: int
    hash: str


def head() -> HeadNow:
    last = Link.objects.order_by("-number").values_list("number", "hash").first()
    return HeadNow(*last) if last else HeadNow(0, FIRST)


def seal_entries(*, at: datetime, batch: int = BATCH) -> int:
    """This function will seal every entry of the journal that is not sealed yet; how many it sealed.

    Entries are sealed once they are committed, in batches of their own transactions; several sealers at once
    take turns. Run again with nothing new, it does nothing.
    """
    sealed = last = 0
    while True:
        with transaction.atomic():
            _alone()
            found = _contents(
                Link.Kind.ENTRY,
                "e.id > %s AND NOT EXISTS (SELECT FROM ledger_link l WHERE l.kind = 'entry' AND l.ref = e.id)",
                [last],
                limit=batch,
            )
            _append(Link.Kind.ENTRY, found, at=at)
        sealed += len(found)
        last = max((number for number, _content in found), default=last)
        if len(found) < batch:
            return sealed


def publish_head(*, at: datetime) -> Head | None:
    """This function will publish where the chain ends now; None while there is nothing to publish."""
    with transaction.atomic():
        _alone()
        now = head()
        if not now.number:
            return None
        found, _made = Head.objects.get_or_create(
            number=now.number, defaults={"hash": now.hash, "published_at": at}
        )
    return found


def publish_over(*, entry: int | None, at: datetime) -> HeadNow:
    """This function will seal one entry (its id), if the night has not yet, and publish the head that covers it.

    For a paper that leaves the house: whoever holds it finds its head published. No more work than this one entry,
    in the caller's transaction; None is a paper of what posted nothing.
    """
    with transaction.atomic():
        _alone()
        if entry and not Link.objects.filter(kind=Link.Kind.ENTRY, ref=entry).exists():
            _append(Link.Kind.ENTRY, _contents(Link.Kind.ENTRY, "e.id = %s", [entry]), at=at)
        publish_head(at=at)
        return head()


def stands(known: HeadNow) -> bool:
    """Whether the chain still passes through a head known from elsewhere: this number with this very hash."""
    return Link.objects.filter(number=known.number, hash=known.hash).exists()


def _alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])


def _contents(
    kind: str, where: str, params: Sequence[Any], *, limit: int | None = None
) -> list[tuple[int, str]]:
    sql = CONTENT[Link.Kind(kind)].format(where=where)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT {int(limit)}" if limit else sql, list(params))
        return cursor.fetchall()


def _append(kind: str, contents: Sequence[tuple[int, str]], *, at: datetime) -> None:
    number, before = head()
    links = []
    for ref, content in contents:
        number += 1
        before = _hash(before, number, kind, ref, content)
        links.append(Link(number=number, kind=kind, ref=ref, content=content, hash=before, sealed_at=at))
    Link.objects.bulk_create(links, batch_size=5000)


def _hash(before: str, number: int, kind: str, ref: int, content: str) -> str:
    return hashlib.sha256(f"{before}|{number}|{kind}|{ref}|{content}".encode()).hexdigest()


# Whether it holds


class Broken(NamedTuple):
    """`what`: an entry, a use of the seal, a link or a head; `why`: changed, gone, link_changed, gap, cut,
    other_head."""

    what: str
    why: str


def broken(*, heads: Sequence[HeadNow] = ()) -> Iterator[Broken]:
    """This function will name everything sealed that is not as it was sealed.

    `heads` are known from elsewhere (a paper, a page kept); those published here are looked at all the same.
    """
    for kind in (Link.Kind.ENTRY, Link.Kind.USE):
        yield from _changed(kind)
    number, before = 0, FIRST
    hashes: dict[int, str] = {}
    # Every head that anybody knows, also two of one number: a mended one must not hide the one that is kept.
    known = {*_published(), *heads}
    wanted = {one.number for one in known}
    rows = Link.objects.order_by("number").values_list("number", "kind", "ref", "content", "hash")
    for found, of, ref, content, stored in rows.iterator(chunk_size=5000):
        if found != number + 1:
            yield Broken(f"link {number + 1}", "gap")
        if _hash(before, found, of, ref, content) != stored:
            yield Broken(f"link {found}", "link_changed")
        number, before = found, stored
        if found in wanted:
            hashes[found] = stored
    for one in sorted(known):
        if one.number > number:
            yield Broken(f"head {one.number}", "cut")
        elif hashes.get(one.number) != one.hash:
            yield Broken(f"head {one.number}", "other_head")


def _published() -> list[HeadNow]:
    return [HeadNow(*row) for row in Head.objects.values_list("number", "hash")]


def _changed(kind: str) -> Iterator[Broken]:
    """Rows whose content is no longer what was sealed, or that are gone."""
    sql = CONTENT[Link.Kind(kind)].format(where="true")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.ref, now.content IS NULL FROM ledger_link l
            LEFT JOIN ({sql}) AS now (id, content) ON now.id = l.ref
            WHERE l.kind = %s AND now.content IS DISTINCT FROM l.content ORDER BY l.ref
            """,
            [kind],
        )
        for ref, gone in cursor.fetchall():
            yield Broken(f"{kind} {ref}", "gone" if gone else "changed")
