"""Where a community lies: its own premises say it, or its street's; asked for one or for several, the answer is one."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.premises.queries import centre_of, centres_of
from tests import story


def test_a_community_lies_where_its_premises_are_or_else_in_the_middle_of_its_street(db):
    city = story.division("98", "湖城市", "city")
    street = story.division("980101", "东湖街道", "street", city)
    other = story.division("980102", "西湖街道", "street", city)
    homes = [story.division(f"98010100{n}", f"社区 {n}", "community", street) for n in range(3)]
    alone = story.division("980102001", "孤山社区", "community", other)
    for n, (home, x, y) in enumerate(
        [(homes[0], 113, 27), (homes[0], 113.2, 27), (homes[1], 113.5, 27.4), (homes[1], None, None)]
    ):
        place = story.premises(f"PR{n}", home)
        place.longitude, place.latitude = x, y
        place.save()
    expected = {
        homes[0]: (113.1, 27),
        homes[1]: (113.5, 27.4),
        homes[2]: (113.3, 27.2),
        alone: None,
        city: None,
    }
    several = centres_of(expected)
    for division, place in expected.items():
        with CaptureQueriesContext(connection) as asked:
            one = centre_of(division)
        assert len(asked) == 1 and one == several[division.pk]
        assert (one is None) == (place is None)
        if one and place:
            assert [round(number, 6) for number in one] == list(place)
