"""The methods that differentiate the network, on one that can be differentiated by hand and against references."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from explain import explain, integrated_gradients, keras_vis, smoothgrad
from explain.attribution import Progress
from explain.baseline import blurred
from explain.gradients import network
from model.images import decode, prepare
from model.prediction import Predictor
from tests.explain.tiny_network import HALF, SIZE, two_greens, write_tiny

pytestmark = pytest.mark.filterwarnings("ignore:Please import `zoom`:DeprecationWarning")  # tf-keras-vis 0.8.7
RED = 1 / (4 * HALF**2 * 255)  # what a grey level of one pixel's red adds to the mean over four quadrants


def assert_the_same_but_for_edges(ours: np.ndarray, theirs: np.ndarray) -> None:
    """A unit at the very edge of its ReLU is on in one and off in the other, as the sums are rounded differently: that
    moves the few pixels that it sees (tests/explain/test_gradient_graph.py compares networks without such units).
    """
    apart = np.abs(ours - theirs) / np.abs(theirs).max()
    assert (apart > 1e-3).mean() < 0.01
    assert apart.max() < 0.05
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.9999


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return Predictor(write_tiny(tmp_path_factory.mktemp("tiny")))


def test_the_gradient_by_hand(tiny: Predictor) -> None:
    mel = explain(two_greens(), tiny, "gradient", "mel")
    assert mel.evaluations == 1
    assert_allclose(mel.values[:HALF], 3 * RED, rtol=1e-3)  # red once, green twice
    assert_allclose(mel.values[HALF:], RED, rtol=1e-3)  # green is below the threshold
    contrast = explain(two_greens(), tiny, "gradient", "mel", "nv").values
    assert_allclose(contrast[:HALF], (3 - 0) * RED, rtol=1e-3)
    assert_allclose(contrast[HALF:], (1 + 1) * RED, rtol=1e-3)


def test_smoothgrad_is_the_gradient_where_noise_does_not_bend_it(tiny: Predictor) -> None:
    result = explain(two_greens(), tiny, "smoothgrad", "mel")
    assert_allclose(result.values, explain(two_greens(), tiny, "gradient", "mel").values, rtol=1e-3)
    assert result.interval is not None
    assert_allclose(result.interval, 0, atol=1e-9)
    assert result.evaluations == 20


def test_integrated_gradients_by_hand(tiny: Predictor) -> None:
    image = two_greens()
    image[..., 1] = 204  # green is above the threshold on the whole way, so that the network is linear there
    image[HALF:, :, 0] = 0
    result = explain(image, tiny, "integrated_gradients", "mel")
    difference = image.astype(np.float32) - blurred(image)
    assert_allclose(result.values, RED * difference[..., 0] + 2 * RED * difference[..., 1], atol=1e-8, rtol=1e-3)
    assert result.evaluations == 34
    assert abs(float(str(result.parameters["completeness_error"]))) < 1e-5


@pytest.mark.parametrize("method", ["smoothgrad", "integrated_gradients"])
def test_they_show_progress_and_stop(tiny: Predictor, method: str) -> None:
    told: list[Progress] = []
    whole = explain(two_greens(), tiny, method, "mel", on_progress=told.append)
    done = [progress.done for progress in told]
    assert done[0] == 0
    assert done == sorted(set(done))
    assert done[-1] == told[-1].total == whole.evaluations
    stopped = explain(two_greens(), tiny, method, "mel", should_stop=lambda: True)
    assert (stopped.evaluations, stopped.converged) == (done[1], False)
    assert stopped.values.shape == whole.values.shape == (SIZE, SIZE)


def test_the_noise_is_the_seed_s(predictor: Predictor, originals: list[Path]) -> None:
    image = decode(originals[0])
    first, again, other = (
        explain(image, predictor, "smoothgrad", "mel", seed=seed, should_stop=lambda: True) for seed in (0, 0, 1)
    )
    assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_layers_of_one_network_are_compiled_once_and_give_their_own_resolution(
    predictor: Predictor, originals: list[Path]
) -> None:
    from explain.layers import resolutions

    image = decode(originals[0])
    for layer, size in resolutions(predictor.bundle).items():
        assert explain(image, predictor, "layercam", "mel", layer=layer).values.shape == size


def test_the_gradient_is_tf_keras_vis_s_on_ten_images(predictor: Predictor, originals: list[Path]) -> None:
    for path in originals[:10]:
        image = decode(path)
        ours = explain(image, predictor, "gradient", "mel", "nv").values
        theirs = explain(image, predictor, "gradient", "mel", "nv", library=True).values
        assert_the_same_but_for_edges(ours, theirs)


def test_smoothgrad_is_tf_keras_vis_s_under_the_same_noise_on_ten_images(
    predictor: Predictor, originals: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the 20, for time; two batches of the first, so that their noise and their sum are the library's too.
    for path, samples in zip(originals[:10], [5] + [2] * 9, strict=True):
        monkeypatch.setattr(smoothgrad, "SAMPLES", samples)
        monkeypatch.setattr(keras_vis, "SAMPLES", samples)
        image = decode(path)
        ours = explain(image, predictor, "smoothgrad", "mel", seed=3).values
        theirs = explain(image, predictor, "smoothgrad", "mel", seed=3, library=True)
        assert theirs.parameters["library"] is True
        assert np.corrcoef(ours.ravel(), theirs.values.ravel())[0, 1] > 0.9999


def test_integrated_gradients_are_those_of_a_plain_loop_on_ten_images(
    predictor: Predictor, originals: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    model, card = network(predictor.bundle), predictor.bundle.card
    monkeypatch.setattr(integrated_gradients, "STEPS", steps := 8)  # of the 32, for time

    @tf.function
    def gradient(point: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(point)
            score = model(point, training=False)[0, card.classes.index("mel")]
        return tape.gradient(score, point)

    for path in originals[:10]:
        image = prepare(decode(path), card.size)
        baseline = blurred(image).astype(np.float32)
        difference = image - baseline
        points = [baseline + (step + 0.5) / steps * difference for step in range(steps)]
        total = sum(gradient(tf.constant(point[np.newaxis])).numpy()[0] for point in points)
        expected = (difference * total / steps).sum(axis=-1)
        result = explain(image, predictor, "integrated_gradients", "mel")
        assert_the_same_but_for_edges(result.values, expected)
        gap = float(str(result.parameters["score"])) - float(str(result.parameters["baseline_score"]))
        error = float(str(result.parameters["completeness_error"]))
        assert result.values.sum() - gap == pytest.approx(error, abs=1e-3)
