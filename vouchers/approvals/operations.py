"""The three steps of a document: the operator confirms, the street reviews, the bureau approves (rules.md section 7).

Each is another person's. Each reckons the document anew and compares its digest with what the one before saw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, record
from ledger.journal.operations import hold_journal_open
from ledger.refusals import Refusal
from vouchers.approvals.models import Document, Taken

State, Step = Document.State, Taken.Step
D = TypeVar("D", bound=Document)

SENTENCES = {
    "wrong_step": _("This statement does not wait for this step. Reload the page to see where it stands."),
    "wrong_role": _("Your role may not do this step of this statement."),
    "same_person": _("You have done another step of this statement. Nobody may do two."),
    "statement_changed": _(
        "Figures have changed since they were looked at. Look at them again; the steps start over."
    ),
    "objection_open": _(
        "The operator has objected and waits for an answer. It comes before the confirmation."
    ),
    "nothing_left": _("There is no statement any more: what stood on it was taken back."),
}


class CannotTakeStep(Refusal):
    """Refused; nothing is written (but `statement_changed`: there the new figures are, and `nothing_left`: the
    document is gone). `code` names why."""

    sentences = SENTENCES


# What each step needs: the state it finds, the state it leaves.
STEPS: dict[str, tuple[str, str]] = {
    Step.CONFIRM: (State.DRAFT, State.CONFIRMED),
    Step.REVIEW: (State.CONFIRMED, State.REVIEWED),
    Step.APPROVE: (State.REVIEWED, State.APPROVED),
}


@dataclass(frozen=True)
class Kind(Generic[D]):
    """One kind of document, as its steps need it.

    `lock`: the row as it stands now, locked. `reckon`: what it would be made of now, of which `digest` is
    taken. `redraw`: write other figures, the steps start over; or remove one of which nothing is left (its pk is
    None then). `post`: what the last step does.
    """

    refusal: type[CannotTakeStep]
    lock: Callable[[D], D]
    may: Callable[[str, D, Any], bool]
    reckon: Callable[[D], Any]
    digest: Callable[[Any], str]
    redraw: Callable[[D, Any, datetime], object]
    post: Callable[[D, Any, datetime], None]
    subject: Callable[[D], str]
    objected: Callable[[D], bool] = lambda document: False

    def check(
        self, document: D, *, step: str, by: Any, did_another: bool, objection_open: bool = False
    ) -> None:
        """This function will refuse a step that may not be taken now; a page asks it before it offers the step.

        `did_another`: this person took a step of this round. Refuses with wrong_step, wrong_role, same_person,
        objection_open.
        """
        if document.state != STEPS[step][0]:
            raise self.refusal("wrong_step")
        if not self.may(step, document, by):
            raise self.refusal("wrong_role")
        if did_another:
            raise self.refusal("same_person")
        if step == Step.CONFIRM and objection_open:
            raise self.refusal("objection_open")

    def take(self, document: D, *, step: str, by: Any, at: datetime, seen: str = "") -> D:
        """This function will confirm, review or approve one document as `by`.

        1. Refuse a wrong state, a role that may not, a person who did another step of this round, and a
           confirmation while an objection is open.
        2. Reckon anew. Where the digest differs from the document's (or from `seen`, what the person looked
           at), write the new figures, start the steps over and refuse with statement_changed; where nothing is
           left to stand on it, remove it and refuse with nothing_left, which is also said of one removed before.
        3. Note the approval; the last one posts.
        """
        changed = False
        with transaction.atomic():
            hold_journal_open()
            try:
                document = self.lock(document)
            except ObjectDoesNotExist:
                raise self.refusal("nothing_left") from None
            by = as_now(by)
            self.check(
                document,
                step=step,
                by=by,
                did_another=document.approvals.filter(_of_person(by), round=document.round).exists(),  # type: ignore[attr-defined]
                objection_open=self.objected(document),
            )
            now = self.reckon(document)
            if self.digest(now) != document.digest or (seen and seen != document.digest):
                self.redraw(document, now, at)
                changed = True
            else:
                self.note(document, now, step=step, by=by, at=at)
            record(
                by=by,
                at=at,
                action="statement_changed" if changed else step,
                subject=self.subject(document),
                detail={"digest": document.digest, "round": document.round},
            )
        if changed:
            raise self.refusal("nothing_left" if document.pk is None else "statement_changed")
        return document

    def note(self, document: D, now: Any, *, step: str, by: Any, at: datetime) -> None:
        """Write one step down; the last one posts. `by` is None where it came about by silence."""
        document.approvals.create(  # type: ignore[attr-defined]
            step=step,
            round=document.round,
            by=by,
            on_paper=step == Step.CONFIRM and by is not None and by.holds("bureau_clerk"),
            deemed=by is None,
            at=at,
            digest=document.digest,
        )
        if step == Step.APPROVE:
            self.post(document, now, at)
        document.state = STEPS[step][1]
        document.save()

    def take_many(
        self,
        documents: "models.QuerySet[D]",
        *,
        seen: Mapping[int, str],
        step: str,
        by: Any,
        clock: Callable[[], datetime],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> "Steps[D]":
        """This function will take one step of each of these documents (`seen`: by id, the digest looked at).

        Each in its own transaction; one that is refused stops no other. Run again, what this person did over
        the same digest counts as taken.
        """
        outcome: Steps[D] = Steps()
        found = list(documents)
        outcome.gone = len(seen) - len(found)
        for done, document in enumerate(found, 1):
            digest = seen[document.pk]
            try:
                outcome.taken.append(self.take(document, step=step, by=by, at=clock(), seen=digest))
            except self.refusal as refusal:
                if _did(document, step=step, by=by, digest=digest):
                    outcome.taken.append(document)
                else:
                    outcome.refused.append((document, refusal))
            progress(done, len(seen))
        return outcome


@dataclass
class Steps(Generic[D]):
    """What became of several steps: documents `taken` (or taken before by the same person over the same
    figures), `refused` ones with why, how many were `gone` before (nothing was left of them), and whether the month is
    locked now."""

    taken: list[D] = field(default_factory=list)
    refused: list[tuple[D, CannotTakeStep]] = field(default_factory=list)
    gone: int = 0
    locked: bool = False


def _of_person(by: Any) -> models.Q:
    """Steps of this account, and of others that the same person had or has."""
    same = models.Q(by=by)
    return same if by.person_lookup is None else same | models.Q(by__person_lookup=by.person_lookup)


def restart(document: Document) -> None:
    """The figures are others: whatever was confirmed or reviewed starts over."""
    if document.state != State.DRAFT:
        document.state = State.DRAFT
        document.round += 1


def _did(document: Any, *, step: str, by: Any, digest: str) -> bool:
    """Whether this person took this step over this digest before, in the round that counts."""
    now = type(document)._default_manager.filter(pk=document.pk).first()
    return now is not None and now.approvals.filter(step=step, by=by, digest=digest, round=now.round).exists()
