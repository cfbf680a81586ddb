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
