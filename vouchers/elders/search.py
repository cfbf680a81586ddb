"""Finding an elder among a million: by name, pinyin, first letters, phone, the phone's last digits, or code.

Words narrow one another: "李 4411" is whoever of that name has a phone ending so. Each lookup is a range of an
index, never a pattern, since prepared statements plan patterns badly.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection, connections, transaction
from django.db.models import QuerySet

from vouchers.elders import sealing
from vouchers.elders.models import Elder, NameKey
from vouchers.elders.pinyin import keys_of, plain

MOST = 20
PAST_ALL = "\U0010ffff"
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}")


def learn_names(names: Iterable[str], *, using: str = "default") -> None:
    """This function will note how these names can be typed. A name that is known stays as it is."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS learn_names (name varchar, key varchar) ON COMMIT DROP"
        )
        cursor.execute("TRUNCATE learn_names")
        with cursor.copy("COPY learn_names (name, key) FROM STDIN") as copy:
            for name in names:
                for key in keys_of(name):
                    copy.write_row((name, key[:120]))
        cursor.execute(
            "INSERT INTO vouchers_namekey (name, key) SELECT name, key FROM learn_names ORDER BY key, name "
            "ON CONFLICT DO NOTHING"
        )


@dataclass(frozen=True)
class Sought:
    """What was typed, taken apart."""

    name: str = ""  # characters, pinyin or first letters
    tail: str = ""
    phone: str = ""
    code: str = ""
    words: list[str] = field(default_factory=list)


def read(text: str) -> Sought:
    words = text.split()
    name, tail, phone, code = [], "", "", ""
    for word in words:
        bare = plain(word)
        if bare.isascii() and bare.isdigit():
            if len(bare) == 4:
                tail = bare
            else:
                phone = bare
        else:
            if bare.isascii() and _CODE.fullmatch(bare.upper()):
                code = bare.upper()
            name.append(bare)
    return Sought("".join(name), tail, phone, code if len(words) == 1 else "", words)


def find(text: str, *, among: QuerySet[Elder] | None = None, most: int = MOST) -> list[Elder]:
    """The elders whom `text` may mean, at most `most`, a code before names, exact names before longer ones.

    `among` limits whom the reader may find. Nothing typed finds nobody.
    """
    sought = read(text)
    people = (Elder.objects.all() if among is None else among).filter(erased_at=None)
    people = people.select_related("division")
    found: list[Elder] = []
    if sought.code:
        found += people.filter(code=sought.code)
    if sought.phone:
        people = people.filter(phone_lookup=sealing.lookup(sought.phone, field="phone"))
    if sought.tail:
        people = people.filter(phone_tail=sought.tail)
    if sought.name:
        found += _by_name(people, sought, most, limited=among is not None)
    elif sought.phone or sought.tail:
        found += people.order_by("code")[:most]
    return list({elder.pk: elder for elder in found}.values())[:most]


def _by_name(people: QuerySet[Elder], sought: Sought, most: int, *, limited: bool) -> list[Elder]:
    if sought.phone or sought.tail:  # few: each is looked at
        return [
            elder
            for elder in people.order_by("code")[:1000]
            if any(key.startswith(sought.name) for key in keys_of(elder.name))
        ][:most]
    if limited:  # the first names of the whole register may be nobody of theirs
        keys = NameKey.objects.filter(key__gte=sought.name, key__lt=sought.name + PAST_ALL)
        return list(people.filter(name__in=keys.values("name")).order_by("name", "code")[:most])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM vouchers_namekey WHERE key >= %s AND key < %s ORDER BY key LIMIT %s",
            [sought.name, sought.name + PAST_ALL, most * 4],
        )
        names = list(dict.fromkeys(name for (name,) in cursor.fetchall()))
    found: list[Elder] = []
    for first in range(0, len(names), most):  # nearly every name has a bearer: the first turn finds enough
        found += _bearers(people, names[first : first + most], most)
        if len(found) >= most:
            break
    return found[:most]


def _bearers(people: QuerySet[Elder], names: list[str], most: int) -> list[Elder]:
    """Those of these names, name by name; of each at most `most`, so that a common one hides no other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bearer.id FROM unnest(%s::varchar[]) AS wanted (name), LATERAL "
            "(SELECT id FROM vouchers_elder WHERE name = wanted.name ORDER BY code LIMIT %s) AS bearer",
            [names, most],
        )
        numbers = [number for (number,) in cursor.fetchall()]
    place = {name: n for n, name in enumerate(names)}
    return sorted(people.filter(pk__in=numbers), key=lambda elder: (place[elder.name], elder.code))
