"""Lakeside's standing cast, and what befalls them: one awkward case each, by name.

Rows of redemptions are (key, happened_at, premises, service, elder, quantity, channel).
"""

from datetime import date

from .people import person

LAKE, LAKE2, LOTUS, REED = "360403901001", "360403901002", "360403902001", "360403903001"

# code, born, community, ability, categories, died_on
_CAST = [
    ("LI60", "1966-01-15", LAKE, "", "", ""),  # turns 60 in the middle of January
    ("LI80", "1946-02-20", LAKE, "", "", ""),  # turns 80 in the middle of February
    ("MA80", "1946-03-01", LAKE, "", "", ""),  # turns 80 on a day of issue
    ("NI80", "1946-03-02", LAKE, "", "", ""),  # and on the day after
    ("TIE80", "1944-05-05", LAKE, "", "", ""),  # half by PA, half by AP: AP comes first
    ("TIE81", "1943-05-05", LOTUS, "", "", ""),  # half by PA, half by ZT: PA comes first
    ("EXACT", "1950-01-01", LOTUS, "", "", ""),  # spends exactly the least that PC asks for
    ("BOTH", "1950-02-02", LAKE, "", "", ""),  # one redemption of two leases, PA and PB
    ("BACK1", "1951-01-01", LOTUS, "", "", ""),  # given back on the last day of validity: usable
    ("BACK2", "1951-02-02", LOTUS, "", "", ""),  # given back a second later: expired at once
    ("LIMIT", "1952-01-01", REED, "", "", ""),  # more in one day than the limit, at two places
    ("ORDER", "1953-01-01", LOTUS, "3", "", ""),  # fails two checks at once
    ("NEAR", "1953-02-02", LAKE, "", "", ""),  # New Year by one offset, the old year by another
    ("SCOPE", "1954-01-01", LOTUS, "", "", ""),  # NV before and after its lease has ended
    ("CHECK", "1954-02-02", REED, "2", "", ""),  # an operator's check 365 and 366 days old
    ("SUSP", "1954-03-03", REED, "2", "", ""),  # the day before a suspension and its day
    ("XDEAD1", "1940-01-01", LAKE, "", "", "2025-12-01"),  # died on the day of issue: nothing
    ("XDEAD2", "1940-02-02", LAKE, "", "", "2025-12-02"),  # a day later: issued and voided
    ("DVOID", "1941-01-01", LOTUS, "", "", ""),  # dies between validity and expiry
    ("DLATE", "1941-02-02", LOTUS, "", "low_income", ""),  # death learnt when January is approved
    ("DWAIT", "1941-03-03", LOTUS, "", "", ""),  # death learnt before February is closed
    ("DERR1", "1942-01-01", LOTUS, "", "", ""),  # death by mistake, corrected before March's issue
    ("DERR2", "1942-02-02", LOTUS, "", "", ""),  # and after it
    ("DEXP1", "1942-03-03", LOTUS, "", "", ""),  # expired, then dead, then reversed: voided
    ("DEXP2", "1942-04-04", LOTUS, "", "", ""),  # the same, reversed on a day before the death
    ("DEMPTY", "1942-05-05", LOTUS, "", "", ""),  # spent up, then dead, then reversed: voided
    ("LASTDAY", "1955-04-04", LOTUS, "", "", ""),  # spends on the day of an expiry run what ends that day
    ("GREY", "1955-05-05", LAKE2, "", "living_alone", ""),  # keys
    ("MOVER", "1955-06-06", LAKE, "3", "living_alone", ""),  # moves away in February
]


def cast(dice):
    return [
        person(dice, code, 500 + n, date.fromisoformat(born), where, ability, categories, died_on)
        for n, (code, born, where, ability, categories, died_on) in enumerate(_CAST)
    ]


def newcomers(dice):
    """On the register from February; January's `once` programme still owes them."""
    return [
        person(dice, f"NEW{n}", 600 + n, date(1948, 3, n + 1), REED, "2", "low_income", household="HH901")
        for n in range(4)
    ] + [person(dice, "NEW9", 609, date(1948, 4, 1), REED, "", "veteran", died_on="2026-01-20")]


DECEMBER = [
    ("NEAR1", "2025-12-31T23:59:59+08:00", "PM01", "SVC", "NEAR", 1, "qr"),
    ("NEAR2", "2025-12-31T15:59:59Z", "PM02", "SVE", "NEAR", 1, "qr"),
    ("DEXPD", "2025-12-05T12:00:00+08:00", "PM03", "SVA", "DEXP1", 2, "qr"),
    ("TIE1", "2025-12-08T12:00:00+08:00", "PM01", "SVA", "TIE80", 1, "qr"),
    ("TIE2", "2025-12-08T12:05:00+08:00", "PM01", "SVA", "TIE81", 1, "qr"),
    ("XDEADA", "2025-12-01T09:00:00+08:00", "PM01", "SVA", "XDEAD1", 1, "qr"),
    ("XDEADB", "2025-12-01T09:00:00+08:00", "PM01", "SVA", "XDEAD2", 1, "qr"),
    ("UNKNOWN1", "2025-12-03T09:00:00+08:00", "PM99", "SVA", "GREY", 1, "qr"),
    ("UNKNOWN2", "2025-12-03T09:00:00+08:00", "PM01", "SVX", "GREY", 1, "qr"),
    ("UNKNOWN3", "2025-12-03T09:00:00+08:00", "PM01", "SVA", "NOBODY", 1, "qr"),
]

JANUARY = [
    ("NEAR3", "2025-12-31T16:00:00Z", "PM01", "SVA", "NEAR", 1, "qr"),  # is the 1st of January
    ("NEAR4", "2026-01-01T00:30:00+09:00", "PM01", "SVA", "NEAR", 1, "qr"),  # is the 31st of December
    ("AGE60A", "2026-01-14T15:59:59Z", "PM01", "SVA", "LI60", 1, "qr"),
    ("AGE60B", "2026-01-14T16:00:00Z", "PM01", "SVA", "LI60", 1, "qr"),
    ("LEAST1", "2026-01-09T12:00:00+08:00", "PM03", "SVA", "EXACT", 1, "qr"),  # P is 12.00
    ("LEAST2", "2026-01-09T12:00:00+08:00", "PM03", "SVB", "EXACT", 1, "qr"),  # P is 6.66
    ("TWO1", "2026-01-10T12:00:00+08:00", "PM01", "SVC", "BOTH", 1, "qr"),
    ("TWO2", "2026-01-11T12:00:00+08:00", "PM01", "SVA", "BOTH", 2, "qr"),
    ("BACK1A", "2026-01-21T10:00:00+08:00", "PM01", "SVC", "BACK1", 1, "qr"),  # most of PA
    ("BACK2A", "2026-01-21T10:00:00+08:00", "PM01", "SVC", "BACK2", 1, "qr"),
    ("LIMIT1", "2026-01-12T08:00:00+08:00", "PM01", "SVB", "LIMIT", 1, "qr"),
    ("LIMIT2", "2026-01-12T09:00:00+08:00", "PM02", "SVB", "LIMIT", 1, "qr"),
    ("LIMIT3", "2026-01-12T12:00:00+08:00", "PM04", "SVA", "LIMIT", 3, "qr"),
    ("LIMIT4", "2026-01-12T12:00:00+08:00", "PM04", "SVA", "LIMIT", 2, "qr"),
    ("CHECK1", "2026-01-02T09:00:00+08:00", "PM09", "SVC", "ORDER", 9, "qr"),  # no lease, not offered
    ("CHECK2", "2026-01-02T09:00:00+08:00", "PM07", "SVF", "ORDER", 1, "qr"),  # LK7 begins on the 16th
    (
        "CHECK3",
        "2026-01-02T09:00:00+08:00",
        "PM03",
        "SVI",
        "ORDER",
        9,
        "qr",
    ),  # no price before the 5th, and the limit
    ("CHECK4", "2026-01-15T09:00:00+08:00", "PM07", "SVA", "ORDER", 1, "qr"),
    ("CHECK5", "2026-01-16T09:00:00+08:00", "PM07", "SVA", "ORDER", 1, "qr"),
    ("CHECK6", "2026-01-16T09:00:00+08:00", "PM04", "SVC", "XDEAD1", 1, "qr"),  # not offered, and dead
    ("FREE1", "2026-01-17T09:00:00+08:00", "PM04", "SVJ", "GREY", 1, "qr"),  # all by government
    ("FREE2", "2026-01-17T09:00:00+08:00", "PM04", "SVK", "GREY", 1, "qr"),  # all by the operator
    ("FREE1", "2026-01-17T01:00:00Z", "PM04", "SVJ", "GREY", 1, "qr"),  # told again
    ("FREE1", "2026-01-17T09:00:01+08:00", "PM04", "SVJ", "GREY", 1, "qr"),  # a second later: another thing
    ("FREE2", "2026-01-17T09:00:00+08:00", "PM04", "SVJ", "GREY", 1, "qr"),  # a refused key is free: limit
    ("FREE2", "2026-01-18T09:00:00+08:00", "PM04", "SVJ", "GREY", 1, "qr"),  # and free again: taken
    ("SCOPE1", "2026-01-20T12:00:00+08:00", "PM07", "SVB", "SCOPE", 1, "qr"),
    ("DVOID1", "2026-01-20T12:00:00+08:00", "PM01", "SVA", "DVOID", 1, "qr"),
    ("DLATE0", "2026-01-10T12:00:00+08:00", "PM01", "SVC", "DLATE", 1, "qr"),
    ("DLATE1", "2026-01-22T12:00:00+08:00", "PM07", "SVA", "DLATE", 2, "qr"),
    ("DLATE2", "2026-01-23T12:00:00+08:00", "PM10", "SVC", "DLATE", 1, "qr"),
    ("DLATE3", "2026-01-24T12:00:00+08:00", "PM05", "SVE", "DLATE", 1, "qr"),
    ("DEXP1A", "2026-01-08T12:00:00+08:00", "PM03", "SVD", "DEXP1", 1, "qr"),
    ("DEXP1B", "2026-01-19T12:00:00+08:00", "PM01", "SVC", "DEXP1", 1, "qr"),  # most of PA, the rest expires
    ("DEXP2B", "2026-01-19T12:00:00+08:00", "PM01", "SVC", "DEXP2", 1, "qr"),
    ("DEMPTYA", "2026-01-19T12:00:00+08:00", "PM01", "SVD", "DEMPTY", 4, "qr"),  # all of PA
]
REVERSED_IN_JANUARY = [
    ("LIMIT4", "2026-01-13T09:00:00+08:00"),
    ("BACK1A", "2026-01-31T15:59:59Z"),
    ("BACK2A", "2026-01-31T16:00:00Z"),
    ("LIMIT4", "2026-01-30T09:00:00+08:00"),  # a second time, another time
    ("NOSUCH", "2026-01-30T09:00:00+08:00"),
    ("UNKNOWN1", "2026-01-30T09:00:00+08:00"),  # refused is as good as never told
]
DEATHS_TOLD_BEFORE_EXPIRY = [("DVOID", date(2026, 2, 2))]
JANUARY_MORE = [
    (
        "LIMIT4",
        "2026-01-12T12:00:00+08:00",
        "PM04",
        "SVA",
        "LIMIT",
        2,
        "qr",
    ),  # reversed, told again: repeated
    ("LIMIT4", "2026-01-12T12:00:00+08:00", "PM04", "SVA", "LIMIT", 1, "qr"),  # other content: refused
    ("LIMIT5", "2026-01-12T13:00:00+08:00", "PM04", "SVA", "LIMIT", 1, "qr"),  # the limit is free again
    ("BACK1B", "2026-01-30T10:00:00+08:00", "PM01", "SVC", "BACK1", 1, "qr"),
    ("BACK2B", "2026-01-30T10:00:00+08:00", "PM01", "SVC", "BACK2", 1, "qr"),
    ("DVOID2", "2026-02-01T12:00:00+08:00", "PM01", "SVC", "DVOID", 1, "qr"),  # alive, but voided
    ("DVOID3", "2026-02-02T12:00:00+08:00", "PM01", "SVA", "DVOID", 1, "qr"),
]

FEBRUARY = [
    ("AGE80A", "2026-02-19T12:00:00+08:00", "PM01", "SVA", "LI80", 1, "qr"),
    ("AGE80B", "2026-02-20T12:00:00+08:00", "PM01", "SVA", "LI80", 1, "qr"),
    ("PRICE1", "2026-02-10T15:59:59Z", "PM01", "SVA", "BOTH", 1, "qr"),  # the last second of the old price
    ("PRICE2", "2026-02-10T16:00:00Z", "PM01", "SVA", "BOTH", 1, "qr"),
    ("SCOPE2", "2026-02-14T12:00:00+08:00", "PM07", "SVB", "SCOPE", 1, "qr"),  # LK2's last day
    ("SCOPE3", "2026-02-15T12:00:00+08:00", "PM07", "SVC", "SCOPE", 1, "qr"),  # NV pays no more
    ("SCOPE5", "2026-02-16T12:30:00+08:00", "PM04", "SVB", "SCOPE", 1, "qr"),  # CW pays anywhere, LK2 earns
    ("SCOPE4", "2026-02-15T12:30:00+08:00", "PM03", "SVA", "SCOPE", 1, "qr"),  # now LK3's premises
    ("CHECK365", "2026-02-10T12:00:00+08:00", "PM06", "SVE", "CHECK", 1, "qr"),
    ("CHECK366", "2026-02-11T12:00:00+08:00", "PM06", "SVE", "CHECK", 1, "qr"),
    ("CHECKOFF", "2026-02-11T12:00:00+08:00", "PM06", "SVA", "CHECK", 1, "qr"),  # nor offered
    ("LASTDAY1", "2026-02-09T18:00:00+08:00", "PM05", "SVE", "LASTDAY", 2, "qr"),  # two months of PF
    ("SUSP1", "2026-02-19T12:00:00+08:00", "PM05", "SVE", "SUSP", 1, "qr"),
    ("DWAIT0", "2026-02-05T12:00:00+08:00", "PM04", "SVA", "DWAIT", 1, "qr"),
    ("DWAIT1", "2026-02-17T12:00:00+08:00", "PM05", "SVE", "DWAIT", 1, "qr"),
    ("DWAIT2", "2026-02-18T12:00:00+08:00", "PM07", "SVA", "DWAIT", 1, "qr"),
    ("DWAIT3", "2026-02-19T12:00:00+08:00", "PM01", "SVA", "DWAIT", 1, "qr"),
    ("DERR1A", "2026-02-08T12:00:00+08:00", "PM01", "SVA", "DERR1", 2, "qr"),
    ("DERR1B", "2026-02-12T12:00:00+08:00", "PM07", "SVC", "DERR1", 1, "qr"),
    ("DERR2A", "2026-02-12T12:00:00+08:00", "PM07", "SVC", "DERR2", 1, "qr"),
    ("DERR2B", "2026-01-29T12:00:00+08:00", "PM05", "SVE", "DERR2", 1, "qr"),
]
FEBRUARY_MORE = [
    ("NEWC0", "2026-01-15T12:00:00+08:00", "PM10", "SVC", "NEW1", 1, "qr"),  # PH, in a locked month: late
    ("NEWC0B", "2026-02-15T12:00:00+08:00", "PM07", "SVA", "NEW2", 2, "qr"),
]
REVERSED_IN_FEBRUARY = [
    ("SUSP1", "2026-02-21T09:00:00+08:00"),
    ("BACK1B", "2026-02-21T09:00:00+08:00"),  # stood on January, its voucher expired
    ("AGE80A", "2026-03-01T00:00:00+08:00"),  # a day of March, told before February is closed
]
DEATHS_TOLD_LATE = [
    ("DLATE", date(2026, 1, 22)),
    ("DWAIT", date(2026, 2, 17)),
    ("DERR1", date(2026, 2, 12)),
    ("DERR2", date(2026, 2, 1)),
    ("DEXP1", date(2026, 2, 10)),
    ("DEXP2", date(2026, 2, 10)),
    ("DEMPTY", date(2026, 2, 10)),
]
MOVED = [("MOVER", {"division": REED, "ability_level": "", "categories": ""})]

MARCH = [
    ("BACKIN1", "2026-03-04T12:00:00+08:00", "PM06", "SVE", "CHECK", 1, "qr"),
    ("BACKIN2", "2026-03-05T12:00:00+08:00", "PM06", "SVE", "CHECK", 1, "qr"),
    ("SUSP2", "2026-02-20T12:00:00+08:00", "PM05", "SVE", "SUSP", 1, "qr"),
    ("SUSP3", "2026-02-20T12:00:00+08:00", "PM05", "SVA", "SUSP", 1, "qr"),  # nor offered
    ("SUSP4", "2026-02-18T12:00:00+08:00", "PM05", "SVE", "SUSP", 1, "qr"),  # late, before the suspension
    ("AGE80C", "2026-03-02T12:00:00+08:00", "PM01", "SVA", "MA80", 1, "qr"),
    ("AGE80D", "2026-03-02T12:00:00+08:00", "PM01", "SVA", "NI80", 1, "qr"),
    ("PRICE3", "2026-03-15T12:00:00+08:00", "PM02", "SVG", "BOTH", 1, "qr"),
    ("PRICE4", "2026-03-16T12:00:00+08:00", "PM02", "SVG", "BOTH", 1, "qr"),
    ("DERR1C", "2026-03-06T12:00:00+08:00", "PM01", "SVA", "DERR1", 1, "qr"),
    ("DERR2C", "2026-03-06T12:00:00+08:00", "PM01", "SVA", "DERR2", 1, "qr"),
    (
        "DERR1D",
        "2026-02-20T12:00:00+08:00",
        "PM07",
        "SVA",
        "DERR1",
        1,
        "qr",
    ),  # mirrored, past its validity, not expired
    ("DLATE4", "2026-01-21T12:00:00+08:00", "PM07", "SVA", "DLATE", 1, "qr"),
    ("MOVED1", "2026-03-06T12:00:00+08:00", "PM04", "SVA", "MOVER", 1, "qr"),
    ("NEWC1", "2026-01-15T12:00:00+08:00", "PM10", "SVA", "NEW1", 2, "qr"),  # PH has expired by now
    ("NEWC2", "2026-03-15T12:00:00+08:00", "PM04", "SVA", "NEW1", 2, "qr"),
]
REVERSED_IN_MARCH = [
    ("DEXP1B", "2026-03-07T09:00:00+08:00"),
    ("DEXP2B", "2026-02-08T09:00:00+08:00"),
    ("DEMPTYA", "2026-03-07T09:00:00+08:00"),
    ("DWAIT3", "2026-03-07T09:00:00+08:00"),  # reversed while held back: out of the review
    ("DERR1A", "2026-03-07T09:00:00+08:00"),
    ("LIMIT5", "2026-04-02T09:00:00+08:00"),
]
