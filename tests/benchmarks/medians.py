"""Medians of two ways to do a thing, taken in turns so that both see the same machine."""

import statistics
import time
from collections.abc import Callable


def medians(ours: Callable[[], object], reference: Callable[[], object], repetitions: int) -> tuple[float, float]:
    """Median milliseconds of `ours` and `reference`, called alternately after one call of each to warm up."""
    timings: tuple[list[float], list[float]] = ([], [])
    for repetition in range(repetitions + 1):
        for call, taken in zip((ours, reference), timings, strict=True):
            started = time.perf_counter()
            call()
            if repetition:
                taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(timings[0]), statistics.median(timings[1])


def compared(
    name: str, ours_ms: float, reference_ms: float, *, must: float | None = None, met: bool = True, **more: object
) -> dict[str, object]:
    """The line that a benchmark prints; `ratio` is how many times faster ours is.

    `must` is the least ratio that was asked for, `met` whether what else was asked for is: both tell, where something
    was asked, whether all of it is.
    """
    ratio = reference_ms / ours_ms
    asked = {} if must is None else {"must": round(must, 3), "met": met and ratio >= must}
    return {
        "name": name,
        "ours_ms": round(ours_ms, 3),
        "reference_ms": round(reference_ms, 3),
        "ratio": round(ratio, 2),
        **asked,
        **more,
    }
