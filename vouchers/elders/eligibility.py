"""Who is eligible for a programme on a day (rules.md section 3). Pure.

The bulk issue asks the same question of the database in SQL (programmes/operations.py); a test holds the
two equal.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date


def age_on(birth_on: date, day: date) -> int:
    """Whole years on `day`; who is born on 29 February turns on 1 March in common years."""
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))


@dataclass(frozen=True, slots=True)
class Person:
    birth_on: date
    died_on: date | None
    ability_level: int | None
    categories: Collection[str]
    division_id: int
    double: bool = False  # another record of the person counts
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """`division_ids` holds the named divisions and all under them; None where none are named."""

    min_age: int | None
    min_ability: int | None
    any_of: Collection[str]
    division_ids: Collection[int] | None


def is_eligible(person: Person, conditions: Conditions, day: date) -> bool:
    if person.double or person.erased:
        return False
    if person.died_on is not None and person.died_on <= day:
        return False
    if conditions.min_age is not None and age_on(person.birth_on, day) < conditions.min_age:
        return False
    if conditions.min_ability is not None and (
        person.ability_level is None or person.ability_level < conditions.min_ability
    ):
        return False
    if conditions.any_of and not set(conditions.any_of) & set(person.categories):
        return False
    return conditions.division_ids is None or person.division_id in conditions.division_ids
