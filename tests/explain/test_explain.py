import sys

import numpy as np
import pytest

from explain import explain, warm_up
from explain.attribution import ExplanationError, Progress, Target
from explain.methods import METHODS
from model.prediction import Predictor
from tests.explain.linear import QuadrantPredictor, noise

SAMPLING = ("shap", "lime", "shap_superpixels", "rise")


@pytest.mark.parametrize("method", SAMPLING)
def test_an_attribution_says_what_it_is(method: str) -> None:
    result = explain(noise(), QuadrantPredictor(), method, "mel", "nv", seed=9)
    assert (result.method, result.target, result.seed) == (method, Target("mel", "nv"), 9)
    assert result.values.dtype == np.float32
    assert result.values.ndim == 2
    assert result.seconds > 0
    judged = {name: result.parameters[name] for name in ("stability", "rank_stability") if name in result.parameters}
    [(rule, stability)] = judged.items()
    assert isinstance(stability, float)
    assert result.converged is (stability >= (0.9 if rule == "stability" else 0.95))


@pytest.mark.parametrize("method", SAMPLING)
def test_images_of_any_size_are_explained_at_the_networks_size(method: str) -> None:
    small = explain(noise(), QuadrantPredictor(), method, "mel").values
    large = explain(np.repeat(np.repeat(noise(), 3, 0), 5, 1), QuadrantPredictor(), method, "mel").values
    assert large.shape == small.shape


@pytest.mark.parametrize("method", SAMPLING)
def test_progress_is_told_at_once_then_with_partial_maps_to_the_end(method: str) -> None:
    told: list[Progress] = []
    result = explain(noise(), QuadrantPredictor(), method, "mel", on_progress=told.append)
    start, *rest = told
    assert (start.done, start.partial) == (0, None)
    done = [progress.done for progress in rest]
    assert done == sorted(set(done))
    assert done[0] <= 32
    assert max(np.diff(done)) <= 32
    assert {progress.total for progress in told} == {METHODS[method].evaluations}
    assert done[-1] == result.evaluations <= METHODS[method].evaluations
    assert done[-1] == METHODS[method].evaluations or result.converged
    partial = [progress.partial for progress in rest]
    assert all(one is not None and one.converged is False for one in partial)
    assert [one.evaluations for one in partial if one is not None] == done
    assert not np.array_equal(partial[0].values, result.values)  # type: ignore[union-attr]
    np.testing.assert_array_equal(partial[-1].values, result.values)  # type: ignore[union-attr]


@pytest.mark.parametrize("method", SAMPLING)
def test_stopped_it_returns_what_it_has(method: str) -> None:
    predictor = QuadrantPredictor()
    told: list[Progress] = []
    result = explain(noise(), predictor, method, "mel", on_progress=told.append, should_stop=lambda: len(told) >= 4)
    assert result is told[-1].partial
    assert result.converged is False
    assert result.evaluations == predictor.images < told[-1].total
    assert len(told) == 4


@pytest.mark.parametrize("method", SAMPLING)
def test_after_a_callback_failed_the_next_explanation_runs(method: str) -> None:
    def fail(progress: Progress) -> None:
        if progress.done:
            raise RuntimeError("the browser is gone")

    with pytest.raises(RuntimeError, match="browser"):
        explain(noise(), QuadrantPredictor(), method, "mel", on_progress=fail)
    assert explain(noise(), QuadrantPredictor(), method, "mel").converged is not None


def test_a_complete_result_is_complete_even_when_asked_to_stop(predictor: Predictor) -> None:
    told: list[Progress] = []

    def at_the_end() -> bool:
        return told[-1].done == told[-1].total

    result = explain(noise(), predictor, "smoothgrad", "mel", on_progress=told.append, should_stop=at_the_end)
    assert "stability" in result.parameters


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ExplanationError, match=f"Choose from {', '.join(METHODS)}".replace("+", r"\+")):
        explain(noise(), QuadrantPredictor(), "grad-cam", "mel")


@pytest.mark.parametrize(("target", "against"), [("melanoma", None), ("mel", "naevus"), ("mel", "mel")])
def test_an_unsuitable_target_is_refused_before_the_network_runs(target: str, against: str | None) -> None:
    predictor = QuadrantPredictor()
    with pytest.raises(ExplanationError):
        explain(noise(), predictor, "lime", target, against)
    assert predictor.images == 0


def test_warming_up_loads_what_region_methods_need_and_costs_a_batch_or_two() -> None:
    predictor = QuadrantPredictor()
    warm_up(predictor)
    assert "skimage.segmentation" in sys.modules
    assert 0 < predictor.images <= 64


@pytest.mark.parametrize(("method", "library"), [("shap", "shap"), ("lime", "lime")])
def test_no_map_waits_for_the_library_that_its_method_comes_from(
    method: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    assert explain(noise(), QuadrantPredictor(), method, "mel").values.any()


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_a_generator_does_not_take_is_refused(seed: int) -> None:
    with pytest.raises(ExplanationError, match="A seed is a whole number from 0 to 4294967295"):
        explain(noise(0), QuadrantPredictor(), "random", "mel", seed=seed)


def test_a_library_s_one_estimate_is_all_of_it() -> None:
    told: list[Progress] = []
    result = explain(noise(0), QuadrantPredictor(), "shap_superpixels", "mel", library=True, on_progress=told.append)
    assert (told[-1].done, told[-1].total) == (result.evaluations, result.evaluations)
    assert result.converged is None
    assert "stability" not in result.parameters
