"""How failed sign-ins are counted."""

from marketplace.accounts.models import canonical


def counted_name(request, credentials) -> str:
    """The name under which tries are counted: every spelling of one name counts as that name."""
    given = (credentials or {}).get("username") or getattr(request, "POST", {}).get("username") or ""
    return canonical(given)
