"""Numbers as people read them."""

import math

from analysis.bootstrap import Estimate

DASH = "–"


def decimal(value: float, digits: int = 3) -> str:
    """A figure of merit between 0 and 1, or a dash where it is not defined."""
    return DASH if math.isnan(value) else _written(value, digits)


def percent(value: float, digits: int = 1) -> str:
    """A share in [0, 1] as a percentage, or a dash where it is not defined."""
    return DASH if math.isnan(value) else f"{100 * value:.{digits}f} %"


def signed(value: float) -> str:
    """A margin in logits with its sign and two decimals."""
    return f"{value:+.2f}".replace("-", "−")


def interval(estimate: Estimate, digits: int = 3) -> str:
    """The ends of an interval, such as 0.689–0.767 or −0.25 to 0.10, or a dash where it is not defined."""
    if math.isnan(estimate.low):
        return DASH
    low, high = (_written(end, digits) for end in (estimate.low, estimate.high))
    return f"{low} to {high}" if estimate.low < 0 else f"{low}–{high}"


def percent_interval(estimate: Estimate) -> str:
    """The ends of an interval of a share as percentages, such as 68.9–76.7 %."""
    if math.isnan(estimate.low):
        return DASH
    return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f} %"


def with_interval(estimate: Estimate, digits: int = 3) -> str:
    """A value with its interval, such as 0.731 (0.689–0.767)."""
    if math.isnan(estimate.value):
        return DASH
    return f"{decimal(estimate.value, digits)} ({interval(estimate, digits)})"


def signed_interval(estimate: Estimate, digits: int = 3) -> str:
    """A difference or a correlation with its interval and all signs, such as −0.002 (−0.009 to +0.004), or a dash for
    what is NaN.
    """
    if math.isnan(estimate.value):
        return DASH
    ends = (round(end, digits) + 0.0 for end in (estimate.value, estimate.low, estimate.high))  # no negative zero
    value, low, high = (f"{end:+.{digits}f}".replace("-", "−") for end in ends)
    return f"{value} ({DASH if math.isnan(estimate.low) else f'{low} to {high}'})"


def _written(value: float, digits: int) -> str:
    return "∞" if value == math.inf else f"{value:,.{digits}f}".replace("-", "−")
