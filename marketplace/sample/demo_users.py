"""One sign-in for each role, and managers and officers of two firms and streets, to look at the town with.

Passwords are random and kept in DATA_DIR/demo-users.json, readable by its owner alone. They are made on the
embedded database only (the sample city refuses any other).
"""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from marketplace.accounts.models import User
from marketplace.accounts.operations import create_user
from providers.models import Division, Operator

WORDS = [
    "jade",
    "amber",
    "lotus",
    "maple",
    "river",
    "lantern",
    "bamboo",
    "willow",
    "orchid",
    "cedar",
    "ferry",
    "harbour",
    "meadow",
    "pebble",
    "quill",
]


@dataclass(frozen=True)
class DemoUser:
    username: str
    role: str
    operator: str = ""
    division: str = ""


DEMO_USERS = [
    DemoUser("clerk", "bureau_clerk"),
    DemoUser("approver", "bureau_approver"),
    DemoUser("street", "street_officer"),  # the whole city: reviews what no street's own officer does
    DemoUser("street-taishan", "street_officer", division="430211002"),
    DemoUser("street-liyu", "street_officer", division="430211003"),
    DemoUser("manager-op01", "operator_manager", operator="OP01"),
    DemoUser("manager-op05", "operator_manager", operator="OP05"),
    DemoUser("cashier", "cashier", operator="OP01"),
    DemoUser("caregiver", "caregiver", operator="OP02"),
    DemoUser("hotline", "hotline_agent"),
    DemoUser("auditor", "auditor"),
    DemoUser("admin", "administrator"),
    DemoUser("security", "security_administrator"),
]


def make_demo_users(*, kept_in: Path, by: str, at: datetime) -> int:
    """This function will make the demo users with the passwords kept in `kept_in`; returns how many are there."""
    passwords = _passwords(kept_in)
    for person in DEMO_USERS:
        create_user(
            username=person.username,
            role=person.role,
            operator=Operator.objects.get(code=person.operator) if person.operator else None,
            division=Division.objects.get(code=person.division) if person.division else None,
            password=passwords[person.username],
            by=by,
            at=at,
        )
    return len(DEMO_USERS)


def demo_user(username: str) -> User:
    return User.objects.get_by_natural_key(username)


def _passwords(kept_in: Path) -> dict[str, str]:
    """Made once: the file is complete before the first of them is used, so an interruption loses none."""
    if not kept_in.exists():
        people = [
            {"role": person.role, "username": person.username, "password": _password()}
            for person in DEMO_USERS
        ]
        draft = kept_in.with_name(f".{kept_in.name}.{os.getpid()}")
        with open(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(people, file, indent=1)
        draft.rename(kept_in)
    return {row["username"]: row["password"] for row in json.loads(kept_in.read_text(encoding="utf-8"))}


def _password() -> str:
    return "-".join([*(secrets.choice(WORDS) for _ in range(3)), str(secrets.randbelow(9000) + 1000)])
