"""What was changed of one record, by whom and when: from the audit, which is only ever added to."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger.audit.models import Record
from marketplace.web.registers.words import FIELDS, value_of

SHOWN = 30

ACTIONS = {
    "enter": _("Entered"),
    "change": _("Revised"),
    "move_premises": _("Moved to another stage"),
    "learn_death": _("Death noted"),
    "correct_death": _("Death corrected"),
    "move_elder": _("Has moved"),
    "link_double": _("Ended as a double"),
    "part_double": _("Two people after all"),
    "create_user": _("Account made"),
    "grant_role": _("Role granted"),
    "propose_role": _("Role proposed"),
    "decline_role": _("Role declined"),
    "end_account": _("Account ended"),
    "invite_again": _("Invited again"),
    "give_second_half": _("Second half of the code given out"),
    "accept_invitation": _("Password chosen"),
    "add_photos": _("Photos added"),
    "withdraw_photo": _("Photo withdrawn"),
    "end_offer": _("No longer offered"),
    "offer_again": _("Offered again"),
    "reinstate_operator": _("Reinstated"),
}


def history(subject: str, *, prefix: bool = False) -> list[dict[str, Any]]:
    """The latest changes of the record with this code, newest first: who, when, and each field's old and new
    value. With `prefix` also of what stands under it (the prices of a service). One query."""
    rows = Record.objects.order_by().exclude(action__startswith="reveal")
    rows = rows.filter(subject__startswith=subject) if prefix else rows.filter(subject=subject)
    # Sorted here: asked for the newest few, the database would read the whole audit backwards to find them.
    newest = sorted(rows, key=lambda row: row.pk, reverse=True)
    return [
        {
            "at": row.at,
            "by": row.by,
            "file": row.channel == "file",
            "about": row.subject if row.subject != subject else "",
            "action": ACTIONS.get(row.action) or ACTIONS.get(row.action.split("_")[0], row.action),
            "changes": [
                (FIELDS[name], *(value_of(name, one) for one in _pair(value)))
                for name, value in row.detail.items()
                if name in FIELDS and value not in (None, "")
            ],
        }
        for row in newest[:SHOWN]
    ]


def _pair(value: Any) -> tuple[Any, Any]:
    """What it was and is; records of other operations tell the new value alone."""
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else ("", value)
