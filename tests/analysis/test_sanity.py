from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.bootstrap import Estimate
from analysis.sanity import (
    SANITY_FILE,
    MethodSanity,
    SanityError,
    randomised,
    read_sanity,
    sanity,
    stages,
    write_sanity,
)
from model.bundle import CARD_FILE, SHIPPED, WEIGHTS_FILE, ModelBundle, load_bundle
from model.prediction import Predictor
from model.symmetries import symmetries
from tests.explain.linear import QuadrantPredictor, noise
from tests.model.untrained import write_untrained

CARD = QuadrantPredictor().bundle.card
ESTIMATES = (Estimate(0.8, 0.7, 0.9), Estimate(0.25, 0.0, 0.5))
FOUND = MethodSanity(("logits", "8 × 8"), ESTIMATES, ESTIMATES[::-1], ("phantom naevus",))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """A network of three stages: two convolutions of one size each, and the logits."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="first")(x)
    x = layers.BatchNormalization(name="first_bn")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="features")(x)
    x = layers.GlobalAveragePooling2D(name="embedding")(x)
    network = keras.Model(image, layers.Dense(7, name="logits")(x), name="small")
    return write_untrained(tmp_path_factory.mktemp("sanity") / "small", network)


def test_stages_run_from_the_logits_down_and_are_as_large_as_their_outputs(small: ModelBundle) -> None:
    from model.keras_model import load_keras

    found = stages(load_keras(small))
    assert [stage.label for stage in found] == ["logits", "8 × 8", "16 × 16"]
    assert [stage.layers for stage in found] == [("logits",), ("features",), ("first_bn", "first")]


def test_only_the_named_layers_are_randomised_and_the_bundle_is_left_alone(small: ModelBundle) -> None:
    images = symmetries(noise())
    before = Predictor(small).run(images)
    weights = small.weights_path.read_bytes()
    with randomised(small, ["logits"], seed=0) as predictor:
        after = predictor.run(images)
        folder = predictor.bundle.path
    np.testing.assert_allclose(after.features, before.features, atol=1e-6)
    assert not np.allclose(after.logits, before.logits)
    assert not folder.exists()
    assert small.weights_path.read_bytes() == weights


def test_onnx_runtime_and_tensorflow_see_the_same_randomised_network(small: ModelBundle) -> None:
    from model.keras_model import load_keras

    images = symmetries(noise())
    with randomised(small, ["features", "logits"], seed=1) as predictor:
        by_keras = load_keras(predictor.bundle)(images.astype(np.float32)).numpy()
        np.testing.assert_allclose(predictor.logits(images), by_keras, atol=1e-5)


def test_a_layer_stays_as_it_was_randomised_while_more_follow(small: ModelBundle) -> None:
    from safetensors.numpy import load_file

    kernels = []
    for layers in (["logits"], ["logits", "features"]):
        with randomised(small, layers, seed=2) as predictor:
            kernels.append(load_file(predictor.bundle.weights_path)["logits/kernel"])
    np.testing.assert_array_equal(*kernels)
    original = load_file(small.weights_path)["logits/kernel"]
    assert not np.array_equal(kernels[0], original)
    np.testing.assert_array_equal(np.sort(kernels[0], axis=None), np.sort(original, axis=None))


def test_what_knows_nothing_of_the_network_does_not_change_and_fails(small: ModelBundle) -> None:
    told: list[tuple[int, int]] = []
    images = {"one": noise(0), "two": noise(1)}
    found = sanity("edges", small, images, lambda done, total: told.append((done, total)))
    unchanged = (Estimate(1, 1, 1),) * 3
    assert found == MethodSanity(("logits", "8 × 8", "16 × 16"), unchanged, unchanged, ("one", "two"))
    assert not found.passes
    assert told[-1] == (8, 8)


def test_a_map_of_the_network_changes(small: ModelBundle) -> None:
    found = sanity("occlusion", small, {"one": noise(0)})
    assert found.signed[-1].value < 0.9
    assert sanity("occlusion", small, {"one": noise(0)}) == found


def test_it_passes_or_fails_only_where_the_interval_says_so() -> None:
    low, open_, high = (Estimate(*last) for last in ((0.2, 0.1, 0.4), (0.46, 0.33, 0.59), (0.8, 0.6, 0.9)))

    def passes(signed: Estimate, absolute: Estimate) -> bool | None:
        first = Estimate(0.9, 0.8, 1.0)
        return MethodSanity(("logits", "8 × 8"), (first, signed), (first, absolute), tuple("abcde")).passes

    assert passes(low, low) is True
    assert passes(open_, low) is passes(low, open_) is None
    assert passes(high, low) is passes(low, high) is False


def test_the_interval_of_a_correlation_is_over_the_images(small: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([value for value in (0.0, 0.1, 0.2, 0.3) for _ in range(3 * 2)])
    monkeypatch.setattr("analysis.sanity.rank_correlation", lambda one, other: next(told))
    images = {str(seed): noise(seed) for seed in range(4)}
    after_all = sanity("edges", small, images).signed[-1]
    assert after_all.value == pytest.approx(0.15)
    # Of 4 values drawn 4 times with replacement the mean is at least 0.05 and at most 0.25 in 95 % of the draws.
    assert (after_all.low, after_all.high) == (pytest.approx(0.05, abs=0.026), pytest.approx(0.25, abs=0.026))


def test_what_was_found_is_kept_beside_other_methods_and_replaced_by_later_runs(tmp_path: Path) -> None:
    bundle = weighing(tmp_path, b"weights")
    assert read_sanity(bundle) == {}
    later = MethodSanity(("logits",), ESTIMATES[:1], ESTIMATES[1:], ("a", "b"))
    for method, found in (("lime", FOUND), ("gradcam", FOUND), ("lime", later)):
        write_sanity(bundle, method, found)
    assert read_sanity(bundle) == {"gradcam": FOUND, "lime": later}


def test_of_other_weights_it_is_outdated_and_makes_way(tmp_path: Path) -> None:
    write_sanity(weighing(tmp_path, b"weights"), "lime", FOUND)
    retrained = weighing(tmp_path, b"other weights")
    assert read_sanity(retrained) == {"lime": replace(FOUND, outdated=True)}
    write_sanity(retrained, "gradcam", FOUND)
    assert read_sanity(retrained) == {"gradcam": FOUND}


def test_what_is_shipped_was_found_on_the_shipped_weights() -> None:
    for card in SHIPPED.glob(f"*/{CARD_FILE}"):
        assert not [method for method, one in read_sanity(load_bundle(card.parent)).items() if one.outdated]


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"weights": "", "methods": {"lime": {"signed": []}}}', '{"weights": "", "methods": 3}', '{"lime": {}}'],
)
def test_a_damaged_file_is_refused_until_it_is_written_again(tmp_path: Path, content: str) -> None:
    bundle = weighing(tmp_path, b"weights")
    (tmp_path / SANITY_FILE).write_text(content)
    with pytest.raises(SanityError, match="run it again"):
        read_sanity(bundle)
    write_sanity(bundle, "lime", FOUND)
    assert read_sanity(bundle) == {"lime": FOUND}


def weighing(folder: Path, weights: bytes) -> ModelBundle:
    (folder / WEIGHTS_FILE).write_bytes(weights)
    return ModelBundle(folder, CARD)
