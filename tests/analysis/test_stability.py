from collections.abc import Iterator

import numpy as np
import pytest

from analysis.rank_correlation import rank_correlation
from analysis.stability import repetitions, stability, stability_seeds, stability_symmetries, views
from explain import explain
from explain.attribution import Attribution
from explain.method import Estimate, Method, Question
from explain.methods import METHODS
from tests.explain.linear import SIZE, QuadrantPredictor, noise


def brightness(question: Question) -> Iterator[Estimate]:
    yield Estimate(question.image.mean(axis=2, dtype=np.float32), evaluations=1)


def left_half(question: Question) -> Iterator[Estimate]:
    values = np.zeros((SIZE, SIZE), np.float32)
    values[:, : SIZE // 2] = 1
    yield Estimate(values, evaluations=1)


@pytest.fixture(autouse=True)
def doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two methods that can be computed by hand: one turns with the image, the other stays where it is."""
    monkeypatch.setitem(METHODS, "brightness", Method("Brightness", "", "", 1, brightness))
    monkeypatch.setitem(METHODS, "left", Method("Left", "", "", 1, left_half))


def explained(method: str) -> Attribution:
    return explain(noise(), QuadrantPredictor(), method, "mel", "nv")


def test_a_map_that_turns_with_the_image_is_stable_under_both() -> None:
    found = dict(stability(explained("brightness"), noise(), QuadrantPredictor()))
    assert found["stability_symmetries"] == pytest.approx(1)
    assert found["stability_brightness"] > 0.99
    assert found["stability_seeds"] == pytest.approx(1)


def test_a_map_that_stays_where_it_is_is_not() -> None:
    # Of three turns one and of four mirror images one bring the left half to the right, and one keeps it.
    expected = pytest.approx((-1 - 1 + 1) / 7)
    assert stability_symmetries(explained("left"), noise(), QuadrantPredictor()) == expected


def test_a_slow_method_is_turned_once_and_mirrored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (len(views("left")), repetitions("left")) == (7, 10)
    monkeypatch.setitem(METHODS, "left", Method("Left", "", "", 1000, left_half))
    turned, mirrored = 0, -1
    expected = pytest.approx((turned + mirrored) / 2)
    assert stability_symmetries(explained("left"), noise(), QuadrantPredictor()) == expected
    assert repetitions("left") == 5


def test_another_seed_is_the_next_one() -> None:
    attribution = explained("random")
    other = explain(noise(), QuadrantPredictor(), "random", "mel", "nv", seed=1)
    expected = rank_correlation(attribution.values, other.values)
    assert expected < 0.5
    assert stability_seeds(attribution, noise(), QuadrantPredictor()) == expected


def test_whoever_waits_for_it_can_end_it_between_batches() -> None:
    def end() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        next(stability(explained("left"), noise(), QuadrantPredictor(), check=end))
