"""Grad-CAM++, LayerCAM and Score-CAM; Grad-CAM has a file of its own."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from explain import explain
from explain.attribution import ExplanationError, Progress, Target
from explain.gradcam_plus_plus import weighed
from explain.keras_vis import score_cam_of
from explain.layers import layers, resolutions
from explain.method import Question
from explain.scorecam import channel_scores, score_cam, varied_channels
from model.bundle import ModelBundle
from model.images import decode, prepare
from model.prediction import Predictor
from tests.explain.linear import QUADRANTS, QuadrantPredictor, noise
from tests.explain.tiny_network import two_greens, write_tiny

pytestmark = pytest.mark.filterwarnings("ignore:Please import `zoom`:DeprecationWarning")  # tf-keras-vis 0.8.7
MIDDLE = "stage3_block0_expand_relu"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return Predictor(write_tiny(tmp_path_factory.mktemp("tiny")))


def test_grad_cam_plus_plus_by_hand() -> None:
    # squares 1 and 4; alphas 1 / (2 + 1·4) and 4 / (8 + 8·4), that is 5/8 and 3/8 of their sum; weight 1·5/8 + 2·3/8
    features = np.array([[1, 3], [0, 0]], np.float32)[..., np.newaxis]
    gradient = np.array([[1, 0], [0, 2]], np.float32)[..., np.newaxis]
    assert_allclose(weighed(features, gradient), [[11 / 8, 33 / 8], [0, 0]], rtol=1e-6)


def test_grad_cam_plus_plus_of_a_channel_without_gradient_or_that_lowers_the_score_is_nothing() -> None:
    features = np.ones((2, 2, 2), np.float32)
    gradient = np.stack([np.zeros((2, 2)), -np.ones((2, 2))], axis=-1).astype(np.float32)
    assert_allclose(weighed(features, gradient), 0)


@pytest.mark.parametrize("method", ["gradcam++", "layercam"])
def test_under_a_linear_head_only_channels_that_raise_the_score_are_shown(tiny: Predictor, method: str) -> None:
    # A quadrant's features are r = 0.4 and, above, g = 0.3; nv has the logit g - r over four quadrants.
    assert_allclose(explain(two_greens(), tiny, method, "nv").values, [[0.3 / 4] * 2, [0, 0]], atol=1e-4)
    assert_allclose(explain(two_greens(), tiny, method, "mel").values, [[1 / 4] * 2, [0.4 / 4] * 2], atol=1e-4)
    assert explain(two_greens(), tiny, method, "mel").parameters["computed_by"] == "linear head"


def test_the_layers_are_one_a_resolution_from_fine_to_coarse(bundle: ModelBundle, tiny: Predictor) -> None:
    sizes = list(resolutions(bundle).values())
    assert sizes == [(side, side) for side in (96, 48, 24, 12, 6)]
    assert layers(bundle)[-1] == "features"
    assert MIDDLE in layers(bundle)
    assert layers(tiny.bundle) == ("features",)


@pytest.mark.parametrize(
    ("method", "layer", "words"),
    [
        ("layercam", "stem_conv", "Choose from stage1"),
        ("shap", MIDDLE, "not made at a layer. Choose from gradcam"),
    ],
)
def test_an_unsuitable_layer_is_refused(predictor: Predictor, method: str, layer: str, words: str) -> None:
    with pytest.raises(ExplanationError, match=words):
        explain(noise(), predictor, method, "mel", layer=layer)


def test_a_method_of_no_library_is_refused_as_the_reference(predictor: Predictor) -> None:
    with pytest.raises(ExplanationError, match=r"made by no library here\. Choose from gradcam"):
        explain(noise(), predictor, "integrated_gradients", "mel", library=True)


@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "layercam"])
def test_equal_to_tf_keras_vis_on_ten_images(predictor: Predictor, originals: list[Path], method: str) -> None:
    for path in originals[:10]:
        image = decode(path)
        ours = explain(image, predictor, method, "mel", "nv").values
        theirs = explain(image, predictor, method, "mel", "nv", library=True).values
        assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())


# The poles of Grad-CAM++'s alphas magnify the rounding of gradients, which differs between processors.
@pytest.mark.parametrize(("method", "tolerance"), [("gradcam", 1e-3), ("gradcam++", 1e-2), ("layercam", 1e-3)])
def test_at_another_layer_equal_to_tf_keras_vis(
    predictor: Predictor, originals: list[Path], method: str, tolerance: float
) -> None:
    image = decode(originals[1])
    ours = explain(image, predictor, method, "mel", layer=MIDDLE)
    theirs = explain(image, predictor, method, "mel", layer=MIDDLE, library=True).values
    assert ours.parameters["layer"] == MIDDLE
    assert_allclose(ours.values, theirs, atol=tolerance * np.abs(theirs).max())


def test_score_cam_by_hand() -> None:
    # The features of this network are the image's own red, green and blue; the logits the means of its quadrants.
    predictor, image = QuadrantPredictor(), noise()
    result = explain(image, predictor, "scorecam", "mel")
    expected = np.zeros(image.shape[:2])
    for channel in np.moveaxis(image.astype(float), -1, 0):
        mask = (channel - channel.min()) / (channel.max() - channel.min())
        expected += channel * (image * mask[..., np.newaxis])[QUADRANTS["mel"]].mean() / 255
    assert_allclose(result.values, expected, rtol=1e-4)
    assert result.evaluations == predictor.images == 5
    assert result.parameters["channels"] == 3


def test_score_cam_of_a_contrast_is_the_difference_of_two_maps() -> None:
    targets = (("mel",), ("nv",), ("mel", "nv"))
    mel, nv, both = (explain(noise(), QuadrantPredictor(), "scorecam", *target).values for target in targets)
    assert_allclose(both, mel - nv, rtol=1e-3)


def test_score_cam_goes_through_the_channels_in_batches_and_stops(predictor: Predictor, originals: list[Path]) -> None:
    told: list[Progress] = []
    result = explain(
        decode(originals[0]), predictor, "scorecam", "mel", on_progress=told.append, should_stop=lambda: len(told) > 2
    )
    assert [progress.done for progress in told] == [0, 10, 18]
    assert result.parameters["channels"] == 16
    assert result.converged is False
    features = predictor.run(prepare(decode(originals[0]), predictor.bundle.card.size)[np.newaxis]).features[0]
    assert told[-1].total == len(varied_channels(features)) + 2


def test_score_cam_is_tf_keras_vis_s_on_ten_images(predictor: Predictor, originals: list[Path]) -> None:
    """On their 8 or 16 most varied channels: with all 1,280 the library takes gigabytes and minutes."""
    for path, batches in zip(originals[:10], [2] * 3 + [1] * 7, strict=True):
        question = Question(prepare(decode(path), predictor.bundle.card.size), predictor, Target("mel"))
        *_, ours = islice(score_cam(question), batches)
        assert ours.parameters["channels"] == 8 * batches
        theirs = score_cam_of(question, 8 * batches).values
        assert_allclose(ours.values, theirs, atol=1e-3 * np.abs(theirs).max())


def test_the_image_is_seen_through_a_channel_at_its_own_size() -> None:
    question = Question(noise(), QuadrantPredictor(), Target("akiec"))
    features = np.zeros((2, 2, 1), np.float32)
    features[0, 0] = 5  # 1 in the first corner, falling linearly to 0 at the other three
    rows = np.linspace(1, 0, 32)
    mask = np.outer(rows, rows)[..., np.newaxis]
    expected = (question.image * mask)[QUADRANTS["akiec"]].mean() / 255
    assert_allclose(channel_scores(question, features, np.array([0])), expected, rtol=1e-4)


def test_constant_channels_are_passed_over() -> None:
    features = np.dstack([np.ones((2, 2)), [[0, 1], [0, 0]], [[0, 9], [0, 0]]]).astype(np.float32)
    assert varied_channels(features).tolist() == [2, 1]
