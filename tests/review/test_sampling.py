"""How many to ask and what the answers say, beside published values."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.review.sampling import draw, rate, sample_size, z_of

# R. V. Krejcie, D. W. Morgan: Determining Sample Size for Research Activities, Educational and Psychological
# Measurement 30 (1970) 607-610, table 1: 95 %, margin 0.05, p = 0.5. They round to the nearest, we round up.
KREJCIE_MORGAN = {
    10: 10, 20: 19, 30: 28, 50: 44, 75: 63, 100: 80, 150: 108, 200: 132, 250: 152, 300: 169, 400: 196, 500: 217,
    700: 248, 1000: 278, 1500: 306, 2000: 322, 3000: 341, 5000: 357, 10_000: 370, 50_000: 381, 100_000: 384,
}  # fmt: skip


@pytest.mark.parametrize(("population", "published"), KREJCIE_MORGAN.items())
def test_sizes_of_krejcie_and_morgan(population, published):
    size = sample_size(population, confidence=0.95, margin=0.05)
    assert published - 1 <= size <= published + 1


@pytest.mark.parametrize(
    ("confidence", "margin", "published"),
    # Cochran's sizes without correction, as in every textbook's table.
    [(0.95, 0.05, 385), (0.95, 0.03, 1068), (0.99, 0.05, 664), (0.90, 0.05, 271), (0.95, 0.10, 97)],
)
def test_sizes_of_a_very_large_population(confidence, margin, published):
    assert sample_size(10**9, confidence=confidence, margin=margin) == published


@given(st.integers(0, 10**6), st.floats(0.6, 0.999), st.floats(0.01, 0.4))
def test_a_sample_lies_within_its_population_and_grows_with_it(population, confidence, margin):
    size = sample_size(population, confidence=confidence, margin=margin)
    assert 0 <= size <= population and (size > 0) == (population > 0)
    assert size <= sample_size(population + 1, confidence=confidence, margin=margin)


def test_quantiles():
    assert round(z_of(0.95), 2) == 1.96 and round(z_of(0.99), 3) == 2.576


def test_a_draw_can_be_made_again_and_another_seed_draws_others():
    numbers = range(1, 1001)
    first = draw(numbers, 100, seed="a")
    assert draw(reversed(numbers), 100, seed="a") == first
    assert len(set(first)) == 100
    assert len(set(first) & set(draw(numbers, 100, seed="b"))) < 40


def test_a_draw_is_fair():
    """Each of 100 is drawn about as often as any other over 400 seeds (a quarter of them each time)."""
    times = [0] * 100
    for seed in range(400):
        for number in draw(range(100), 25, seed=str(seed)):
            times[number] += 1
    assert min(times) > 60 and max(times) < 145


@pytest.mark.parametrize(
    ("denied", "asked", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3, 95 %.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_wilson(denied, asked, low, high):
    found = rate(asked, denied, confidence=0.95)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_no_more_is_proposed_than_the_answers_prove():
    assert rate(148, 15, confidence=0.95).proposed == Decimal("0.063")
    assert rate(20, 0, confidence=0.95).proposed == 0
    assert rate(0, 0, confidence=0.95) is None
    assert rate(3, 3, confidence=0.95).high == 1
