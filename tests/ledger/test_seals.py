"""The chain of seals: whatever is changed behind it is named, sealers take turns, a cut tail is missed by its head."""

import random
from datetime import date

import pytest
from django.db import transaction

from ledger.models import Entry, Head, Link, SealUse
from ledger.seals.operations import (
    BATCH,
    CannotSeal,
    HeadNow,
    approve_seal,
    broken,
    head,
    publish_head,
    put_seal,
    seal_entries,
    stands,
)
from tests import databases, story, threads
from tests.story import moment
from vouchers.models import Paper
from vouchers.proof.queries import prove
from vouchers.settlement.papers import head_of, heads_on_paper, issue_paper

AT = moment("2026-04-02 02:00")

# How somebody might change one sealed entry; each touches a row.
CHANGES = [
    "UPDATE ledger_entry SET kind = kind || 'x' WHERE id = %s",
    "UPDATE ledger_entry SET dated_on = dated_on + 1 WHERE id = %s",
    "UPDATE ledger_entry SET link = link || '9' WHERE id = %s",
    "UPDATE ledger_entry SET recorded_at = recorded_at + interval '1 microsecond' WHERE id = %s",
    "UPDATE ledger_transfer SET amount = amount + 0.01 WHERE entry_id = %s AND line = 1",
    "UPDATE ledger_transfer SET debit_id = credit_id, credit_id = debit_id WHERE entry_id = %s AND line = 1",
    "DELETE FROM ledger_transfer WHERE entry_id = %s AND line = 1",
    "DELETE FROM ledger_entry WHERE id = %s",
]


def named() -> set[str]:
    return {one.what for one in broken()}


def sealed_and_changed(bare, *, entries: int, changes: int) -> None:
    """`entries` more in the journal, all sealed; `changes` of them changed at random: every one is named."""
    bare.execute(
        """
        WITH made AS (
            INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link)
            SELECT 'seal:' || n, 'bank', '2026-03-01', '2026-03-02', '' FROM generate_series(1, %s) n RETURNING id)
        INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount)
        SELECT id, 1, (SELECT min(id) FROM ledger_account), (SELECT max(id) FROM ledger_account), 'CNY', 1 + id FROM made
        """,
        [entries],
    )
    # As autovacuum does, which does not see into this transaction: the plan of an empty table takes more than six minutes.
    bare.execute("ANALYZE ledger_entry, ledger_transfer")
    assert seal_entries(at=AT) == Entry.objects.count()
    bare.execute("ANALYZE ledger_link")
    assert seal_entries(at=AT) == 0
    publish_head(at=AT)
    assert list(broken()) == []  # control
    chance = random.Random(20260402)
    chosen = chance.sample(
        list(Entry.objects.filter(key__startswith="seal:").values_list("id", flat=True)), changes
    )
    for number, entry in enumerate(chosen):
        bare.execute(CHANGES[number % len(CHANGES)], [entry])
        assert bare.rowcount == 1
    found = named()
    missed = [entry for entry in chosen if f"entry {entry}" not in found]
    assert missed == [] and len(found) == changes, f"{len(missed)} of {changes} changes were not named"


def test_every_change_of_a_sealed_entry_is_named(bare):
    sealed_and_changed(bare, entries=2_000, changes=64)


@pytest.mark.long
def test_a_thousand_changes_in_a_hundred_thousand_sealed_entries_are_all_named(bare):
    sealed_and_changed(bare, entries=100_000, changes=1_000)


def test_links_themselves_cannot_be_mended(bare):
    """Who changes an entry and the link's content as well is found by the hash; who mends the hash, by the next."""
    seal_entries(at=AT)
    publish_head(at=AT)
    for change, expected in (
        ("UPDATE ledger_link SET content = repeat('0', 64) WHERE number = 5", "link 5"),
        ("UPDATE ledger_link SET hash = repeat('0', 64) WHERE number = 7", "link 8"),
        ("DELETE FROM ledger_link WHERE number = 9", "link 9"),
    ):
        with transaction.atomic():
            bare.execute(change)
            assert expected in named(), change
            transaction.set_rollback(True)
    assert named() == set()


def test_a_cut_tail_and_a_chain_written_anew_are_noticed_by_the_published_head(bare):
    seal_entries(at=AT)
    kept = publish_head(at=AT)
    assert kept is not None and publish_head(at=AT) == kept  # once a head
    with transaction.atomic():
        bare.execute("DELETE FROM ledger_link WHERE number > %s", [kept.number - 10])
        assert {(one.what, one.why) for one in broken()} == {(f"head {kept.number}", "cut")}
        # Whoever takes the head out of the database, too, is found by the one that stands on paper.
        bare.execute("DELETE FROM ledger_head")
        assert list(broken()) == []  # the control
        assert [one.why for one in broken(heads=[HeadNow(kept.number, kept.hash)])] == ["cut"]
        transaction.set_rollback(True)
    bare.execute("UPDATE ledger_transfer SET amount = amount + 1 WHERE line = 1")
    bare.execute("DELETE FROM ledger_link")
    seal_entries(at=AT)
    assert [(one.what, one.why) for one in broken()] == [(f"head {kept.number}", "other_head")]


def test_four_sealers_at_once_leave_no_gap(story_db):
    story.user("clerk2", "bureau_clerk")
    approvals = [
        approve_seal(
            paper=f"PZ-LS01-20260{n}", content="0" * 64, purpose="寄送运营机构", copies=1,
            by=story.user_named("approver"), at=AT,
        )
        for n in (1, 2)
    ]  # fmt: skip
    papers = [("LS01", story.JANUARY), ("LS01", story.FEBRUARY)]  # each seals its own statement first
    threads.at_once(
        [
            *[lambda: seal_entries(at=AT, batch=7) for _sealer in range(4)],
            *[lambda one=one: handed_out(*one) for one in papers],
            *[
                lambda one=one: put_seal(approval=one, by=story.user_named("clerk"), at=AT)
                for one in approvals
            ],
        ]
    )
    assert Link.objects.filter(kind="entry").count() == Entry.objects.count()
    numbers = list(Link.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, Entry.objects.count() + 3))
    assert list(broken(heads=heads_on_paper())) == [] and head().number == numbers[-1] and BATCH > 1
    assert len(heads_on_paper()) == len(papers)


def handed_out(lease: str, month: date) -> Paper:
    return issue_paper(
        statement=story.statement(lease, month), kind="statement", by=story.user_named("clerk"), at=AT
    )


def test_a_paper_bears_a_published_head_that_covers_its_statement(story_db):
    """Nothing was sealed before, and the chain moves on afterwards: the holder finds the head all the same."""
    assert head().number == 0
    paper = handed_out("LS01", story.JANUARY)
    kept = head_of(paper)
    assert kept == head() and Head.objects.filter(number=kept.number, hash=kept.hash).exists()
    assert Link.objects.filter(kind="entry", ref=paper.statement.entry_id).exists()
    assert seal_entries(at=AT) and publish_head(at=AT)  # the night
    assert stands(kept) and head().number > kept.number
    assert Head.objects.count() == 2
    later = head_of(handed_out("LS01", story.FEBRUARY))
    assert later == head() and Head.objects.count() == 2, "what the night has sealed needs no head of its own"
    assert heads_on_paper() == [kept, later] and list(broken(heads=heads_on_paper())) == []
    databases.unprotect(story_db)
    with databases.superuser(story_db) as server:  # the chain written anew, and the published heads with it
        server.execute("UPDATE ledger_transfer SET amount = amount + 1 WHERE line = 1")
        server.execute("DELETE FROM ledger_link; DELETE FROM ledger_head")
    seal_entries(at=AT)
    publish_head(at=AT)
    assert not stands(kept)
    assert list(broken()) == []  # the control: without what stands on paper nobody notices
    assert {one.why for one in broken(heads=heads_on_paper())} == {"other_head"}
    assert "sealed_as_it_was" in {one.name for one in prove() if one.violations}


def test_a_mended_head_does_not_hide_the_one_that_is_kept(bare):
    seal_entries(at=AT)
    kept = publish_head(at=AT)
    bare.execute("UPDATE ledger_transfer SET amount = amount + 1 WHERE line = 1")
    bare.execute("DELETE FROM ledger_link")
    seal_entries(at=AT)
    mended = HeadNow(*head())
    assert mended.number == kept.number and mended.hash != kept.hash
    assert [one.why for one in broken(heads=[mended])] == ["other_head"]


def test_the_seal_is_two_peoples(story_db):
    approver, clerk = story.user_named("approver"), story.user_named("clerk")
    about = {"paper": "PZ-LS01-202601", "content": "1" * 64, "purpose": "寄送运营机构", "copies": 2}
    with pytest.raises(CannotSeal) as refusal:
        approve_seal(**about, by=clerk, at=AT)
    assert refusal.value.code == "wrong_role"
    approval = approve_seal(**about, by=approver, at=AT)
    approver.role = "bureau_clerk"  # the same person in another role
    approver.save()
    with pytest.raises(CannotSeal) as refusal:
        put_seal(approval=approval, by=approver, at=AT)
    assert refusal.value.code == "same_person"
    put_seal(approval=approval, by=clerk, at=AT)
    with pytest.raises(CannotSeal) as refusal:
        put_seal(approval=approval, by=clerk, at=AT)
    assert refusal.value.code == "sealed_before"
    assert SealUse.objects.count() == 1 and Link.objects.get().kind == "use" and not Head.objects.exists()
