"""The kept databases: each is made once, from the one before, and cloned for measurements."""

from tests.bench import ground, history, server


def without_history(redemptions: int) -> str:
    """February's vouchers are issued, nothing was ever redeemed."""
    return server.kept(
        f"empty_{redemptions}", lambda _: ground.issue_month(ground.FEBRUARY), like=_bare(redemptions)
    )


def with_history(redemptions: int) -> str:
    """So many redemptions in January, and February's vouchers issued."""

    def fill(name: str) -> None:
        ground.issue_month(ground.JANUARY)
        history.load(name, ground.JANUARY)
        ground.issue_month(ground.FEBRUARY)
        server.settle_down(name)
        history.prove_sound()

    return server.kept(f"old_{redemptions}", fill, like=_bare(redemptions))


def one_programme(vouchers: int) -> str:
    """Nothing issued yet; one programme of the whole city that will issue so many vouchers."""
    elders = vouchers // ground.PER_ELDER
    return server.kept(f"issue_{vouchers}", lambda name: ground.build_for_issue(name, elders=elders))


def _bare(redemptions: int) -> str:
    return bare(f"bare_{redemptions}", elders=redemptions // history.MEALS_A_MONTH)


def bare(name: str, *, elders: int) -> str:
    """A city in which nothing was issued yet."""
    return server.kept(name, lambda database: ground.build(database, elders=elders))
