"""Questions about the tree of divisions."""

from collections.abc import Iterable

from providers.divisions.models import Division


def ids_under(codes: Iterable[str]) -> set[int]:
    """The ids of the divisions with these codes and of all that lie under them. One query."""
    wanted = set(codes)
    children: dict[int | None, list[int]] = {}
    found: list[int] = []
    for id_, code, parent_id in Division.objects.order_by("code").values_list("id", "code", "parent_id"):
        children.setdefault(parent_id, []).append(id_)
        if code in wanted:
            found.append(id_)
    under: set[int] = set()
    while found:
        id_ = found.pop()
        if id_ not in under:
            under.add(id_)
            found += children.get(id_, [])
    return under


def streets_and_districts() -> dict[int, list[tuple[str, str]]]:
    """By the number of each division: the street and the district that it is or lies in, the street first, as
    (code, name). One query."""
    rows = {
        id_: (parent_id, level, (code, name))
        for id_, parent_id, level, code, name in Division.objects.order_by("code").values_list(
            "id", "parent_id", "level", "code", "name"
        )
    }
    found: dict[int | None, list[tuple[str, str]]] = {None: []}

    def above(id_: int | None) -> list[tuple[str, str]]:
        if id_ is not None and id_ not in found:
            parent_id, level, division = rows[id_]
            own = [division] if level in (Division.Level.STREET, Division.Level.DISTRICT) else []
            found[id_] = own + above(parent_id)
        return found[id_]

    return {id_: above(id_) for id_ in rows}
