"""Numbers are written as people read them."""

import math

import pytest

from analysis.bootstrap import Estimate
from app.numbers import interval, signed_interval


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.0042, -0.0012, 0.0089), "+0.004 (−0.001 to +0.009)"),
        (Estimate(-0.0004, -0.0051, 0.0), "+0.000 (−0.005 to +0.000)"),
        (Estimate(math.nan, math.nan, math.nan), "–"),
        (Estimate(0.01, math.nan, math.nan), "+0.010 (–)"),
    ],
)
def test_a_difference_has_its_signs_but_no_negative_zero_and_a_dash_where_undefined(
    estimate: Estimate, text: str
) -> None:
    assert signed_interval(estimate) == text


def test_an_interval_below_zero_is_no_row_of_dashes() -> None:
    assert interval(Estimate(-0.15, -0.25, -0.06), 2) == "−0.25 to −0.06"
    assert interval(Estimate(4433, 3185, 5813), 0) == "3,185–5,813"
