"""What the generator promises: the same town again, dated by today, with nobody real in it."""

import filecmp
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest

from marketplace.sample.generate import generate
from marketplace.sample.people import resident_id_check
from marketplace.sample.town import read_data

from .reading import all_rows, reckoned, rows, statements

# Month ends, new years, leap days, a first of a quarter, days on which a month has no or one half yet.
DAYS = [
    date(2026, 11, 22), date(2026, 1, 1), date(2026, 3, 31), date(2027, 4, 1), date(2028, 2, 29),
    date(2028, 3, 1), date(2028, 5, 31), date(2026, 8, 16), date(2026, 8, 17), date(2027, 2, 4),
]  # fmt: skip
SMALL = 160


@pytest.fixture(scope="module", params=DAYS, ids=str)
def town(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("town")
    return generate(today=request.param, into=directory, elders=SMALL), directory


def test_the_same_day_gives_the_same_bytes_and_another_seed_others(tmp_path):
    today = date(2026, 11, 22)
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        generate(today=today, into=tmp_path / name, seed=seed, elders=120)
    names = [p.relative_to(tmp_path / "one") for p in sorted((tmp_path / "one").rglob("*.csv"))]
    assert len(names) > 15
    same, different, missing = filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", names, shallow=False)
    assert (different, missing) == ([], []) and len(same) == len(names)
    _, different, _ = filecmp.cmpfiles(tmp_path / "one", tmp_path / "other", names, shallow=False)
    assert {"elders.csv", "redemptions-2026-09-a.csv"} <= {p.name for p in map(type(names[0]), different)}


def test_nobody_real_is_in_it(town):
    _, directory = town
    elders = rows(directory / "city" / "elders.csv")
    assert len(elders) == SMALL
    for column in ("code", "id_number", "phone"):
        assert len({row[column] for row in elders}) == SMALL, column
    for row in elders:
        number = row["id_number"]
        assert number.startswith("430298"), "an area code that was never given to a county"
        assert resident_id_check(number[:17]) == number[17]
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        assert row["phone"].startswith("199000") and len(row["phone"]) == 11
    for row in rows(directory / "city" / "operators.csv"):
        assert row["uscc"][2:8] == "430298" and row["phone"].startswith("199000")


def test_the_check_digit_is_that_of_the_standard():
    """The worked example of the standard itself, and one digit changed."""
    assert resident_id_check("11010519491231002") == "X"
    assert resident_id_check("11010519491231003") != "X"


def test_streets_are_real_and_communities_are_marked_as_invented():
    for row in read_data("divisions.csv"):
        if row["level"] == "community":
            assert row["code"][9] == "9" and "invented" in row["source"]
        else:
            assert "NBS" in row["source"]


def test_references_resolve(town):
    _, directory = town
    city = {path.stem: rows(path) for path in (directory / "city").glob("*.csv")}
    codes = {name: {row.get("code") for row in found} for name, found in city.items()}
    for row in city["divisions"]:
        assert row["parent"] in codes["divisions"] | {""}
    for row in [*city["elders"], *city["premises"]]:
        assert row["division"] in codes["divisions"]
    for row in city["leases"]:
        assert row["premises"] in codes["premises"] and row["operator"] in codes["operators"]
    for row in city["offers"]:
        assert row["premises"] in codes["premises"] and row["service"] in codes["services"]
    for row in city["service_prices"]:
        assert row["service"] in codes["services"]
    for row in city["programmes"]:
        assert row["lease"] in codes["leases"] | {""}
        assert all(code in codes["divisions"] for code in row["divisions"].split(";") if code)
    for row in all_rows(directory, "news-*/elders.csv"):
        assert row["code"] in codes["elders"] and row["died_on"]
    keys = {row["key"] for row in all_rows(directory, "redemptions-*.csv")}
    reversed_keys = [row["key"] for row in all_rows(directory, "reversals-*.csv")]
    assert set(reversed_keys) <= keys and len(set(reversed_keys)) == len(reversed_keys)


def test_the_register_of_premises_has_every_stage_and_its_leases_do_not_overlap(town):
    _, directory = town
    premises = rows(directory / "city" / "premises.csv")
    assert Counter(row["stage"] for row in premises) == {
        "operating": 13, "leased": 2, "listed": 3, "surveyed": 5, "retired": 1,
    }  # fmt: skip
    today = str(town[0].calendar.today)
    assert len({row["stage_since"] for row in premises if row["stage_since"] <= today}) > 9, (
        "the plan shows a history"
    )
    leases = rows(directory / "city" / "leases.csv")
    assert len(leases) == 16
    by_premises: dict[str, list[tuple[str, str]]] = {}
    for row in leases:
        assert row["starts_on"] < row["ends_on"]
        by_premises.setdefault(row["premises"], []).append((row["starts_on"], row["ends_on"]))
    for spans in by_premises.values():
        spans.sort()
        assert all(before[1] < after[0] for before, after in pairwise(spans))
    let = {row["code"] for row in premises if row["stage"] in ("operating", "leased")}
    assert set(by_premises) == let


def test_everything_happens_in_four_months_and_before_today(town):
    sample, directory = town
    calendar = sample.calendar
    days = [date.fromisoformat(row["happened_at"][:10]) for row in all_rows(directory, "redemptions-*.csv")]
    assert min(days) >= calendar.start and max(days) == calendar.yesterday
    reversals = all_rows(directory, "reversals-*.csv")
    assert reversals and max(row["reversed_at"][:10] for row in reversals) <= str(calendar.yesterday)
    deaths = [row["died_on"] for row in all_rows(directory, "news-*/elders.csv")]
    assert deaths and max(deaths) <= str(calendar.yesterday)
    assert not [step for step in sample.steps if "--on" in step and step.split()[-1] > str(calendar.today)]
    closed = [step.split()[1] for step in sample.steps if step.startswith("close_month")]
    settled = [step.split()[1] for step in sample.steps if step.startswith("settle_month")]
    assert closed == [f"{month:%Y-%m}" for month in calendar.months[:3]] and settled == closed[:2]


def test_people_come_when_people_come(town):
    """Lunch at noon, baths by day, and nobody to day care on a Sunday as on a Monday."""
    _, directory = town
    visits = all_rows(directory, "redemptions-*.csv")
    lunches = [row for row in visits if row["service"] == "SV01"]
    at_noon = [row for row in lunches if "10:40" <= row["happened_at"][11:16] <= "13:15"]
    assert len(at_noon) == len(lunches) > 100
    weekday = Counter(date.fromisoformat(row["happened_at"][:10]).weekday() >= 5 for row in visits)
    assert weekday[True] / 2 < weekday[False] / 5


def test_the_independent_reckoning_refuses_what_was_meant_to_be_refused(town):
    """Played through rules written by somebody else: the same refusals, line by line, and few of them."""
    sample, directory = town
    played = reckoned(sample, directory)
    assert played.broken == []
    told: dict[str, list[tuple[int, str]]] = {}
    tally = {}
    for file, line, outcome in played.files["imports.csv"][1:]:
        if line:
            told.setdefault(file, []).append((line, outcome))
        else:
            tally[file] = outcome
    assert told == {file: found for file, found in sample.refusals.items() if found}
    for file, counts in sample.tallies.items():
        expected = ", ".join(f"{name} {counts[name]}" for name in ("accepted", "repeated", "refused"))
        assert tally[file] == expected
    accepted = sum(c["accepted"] for f, c in sample.tallies.items() if f.startswith("redemptions"))
    refused = sum(c["refused"] for f, c in sample.tallies.items() if f.startswith("redemptions"))
    # Seven files at most with a dozen planned ones each, and the late paper that found nothing left.
    assert refused <= 0.006 * accepted + 13 * 8
    assert accepted > 600


def test_a_control_one_elder_more_in_a_file_is_noticed(tmp_path):
    """A doubled lunch in the file makes the reckoning's answer differ from what was planned."""
    sample = generate(today=date(2026, 11, 22), into=tmp_path, elders=120)
    path = tmp_path / "redemptions-2026-08-a.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lunch = next(line for line in lines if ",SV01," in line)
    path.write_text("\n".join([*lines, lunch.replace(lunch.split(",")[0], "X1")]) + "\n", encoding="utf-8")
    told = reckoned(sample, tmp_path).files["imports.csv"]
    planned = sample.refusals["redemptions-2026-08-a.csv"]
    assert [row[2] for row in told if row[0] == path.name and row[1]] == [
        *(c for _, c in planned),
        "daily_limit",
    ]


@pytest.mark.parametrize("today", [date(2026, 11, 22)], ids=str)
def test_the_figures_of_the_whole_town_are_worth_looking_at(tmp_path, today):
    """About half of the rent is worked off; some leases reach their cap and carry, some lapse, some do not."""
    sample = generate(today=today, into=tmp_path)
    played = reckoned(sample, tmp_path, check=False)
    calendar = sample.calendar
    for month in calendar.months[:3]:
        drawn = statements(played, month)
        charge = sum(s.charge for s in drawn.values())
        applied = sum(s.applied for s in drawn.values())
        assert 0.2 <= applied / charge <= 0.6, month
        assert sum(s.applied > 0 for s in drawn.values()) >= 12
    third = statements(played, calendar.month(-1)).values()
    assert sum(s.applied == s.cap and s.carry_out > 0 for s in third) >= 4
    assert sum(0 < s.applied < s.cap for s in third) >= 3
    assert sum(s.lapsed > 0 for s in third) >= 1
    assert sum(s.under_review for s in third) >= 1
    assert sum(s.reversed > 0 for s in third) >= 1
    assert sum(s.late > 0 for s in third) >= 1
    assert sum(s.cash_due > 0 for s in third) >= 12
    assert len(third) >= 14 and timedelta(0) < calendar.today - calendar.start
