"""Our measures against those of Quantus 0.6 (Hedström et al. 2023, JMLR 24), which nobody here wrote.

Left out: Quantus' areas, since it calls a function that numpy 2.4 no longer has; its way to randomise Keras networks,
which on Keras 3 starts from a clone without the trained weights, so that our randomised networks are given to it; and
its random logit test, which is no measure of ours.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.faithfulness import STEPS, mean_colour, perturbation_curves
from analysis.localisation import inside_mask, pointing
from analysis.sanity import randomised, sanity, stages
from explain import explain
from explain.baseline import blurred
from model.bundle import ModelBundle
from model.prediction import Predictor
from tests.explain.linear import noise
from tests.model.untrained import write_untrained

if TYPE_CHECKING:
    import keras

SIZE = 48  # every one of the STEPS takes as many whole pixels
QUIET = {"disable_warnings": True, "display_progressbar": False, "normalise": False, "abs": False}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """Two convolutions, so that logits are no linear function of the pixels."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="first")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="features")(x)
    x = layers.GlobalAveragePooling2D(name="embedding")(x)
    network = keras.Model(image, layers.Dense(7, name="logits")(x), name="small")
    return write_untrained(tmp_path_factory.mktemp("quantus") / "small", network)


@pytest.fixture(scope="module")
def by_keras(small: ModelBundle) -> "keras.Model":
    from model.keras_model import load_keras

    return load_keras(small)


def random_maps(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(size=(count, SIZE, SIZE)).astype(np.float32)


def flipped(
    model: "keras.Model",
    starts: NDArray[np.uint8],
    ends: NDArray[np.uint8],
    values: NDArray[np.float32],
    targets: NDArray[np.intp],
) -> NDArray[np.float64]:
    """The logits (n, STEPS) of n targets by Quantus' pixel flipping, as n pictures give way to n others."""
    import quantus

    rows = np.arange(len(starts))[:, np.newaxis]
    given = np.moveaxis(ends, -1, 1).reshape(len(ends), -1).astype(np.float32)  # as Quantus has it: channels first

    def replace(arr: NDArray[np.float32], indices: NDArray[np.intp], **_: object) -> NDArray[np.float32]:
        replaced = arr.copy()
        replaced[rows, indices] = given[rows, indices]
        return replaced

    metric = quantus.PixelFlipping(features_in_step=3 * SIZE * SIZE // STEPS, perturb_func=replace, **QUIET)
    scores = metric(
        model=model,
        x_batch=starts.astype(np.float32),
        y_batch=targets,
        a_batch=np.repeat(values[np.newaxis, np.newaxis], len(starts), axis=0),
        channel_first=False,
        softmax=False,
    )
    return np.array(scores, np.float64)


def test_deletion_and_insertion_are_pixel_flipping(small: ModelBundle, by_keras: "keras.Model") -> None:
    image, values = noise(size=SIZE), random_maps(1)[0]
    curves = perturbation_curves(values, image, Predictor(small))
    baselines = {"mean_colour": mean_colour(image), "blur": blurred(image)}
    cases = [
        (kind, name, target, *((image, baseline) if kind == "deletion" else (baseline, image)))
        for kind in ("deletion", "insertion")
        for name, baseline in baselines.items()
        for target in (0, 4)
    ]
    kinds, names, targets, starts, ends = zip(*cases, strict=True)
    ours = [curves.of(kind, name)[1:, target] for kind, name, target in zip(kinds, names, targets, strict=True)]
    theirs = flipped(by_keras, np.stack(starts), np.stack(ends), values, np.array(targets))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_pointing_and_the_share_in_the_mask_are_pointing_game_and_attribution_localisation() -> None:
    import quantus

    maps = random_maps(8)
    masks = np.zeros((8, SIZE, SIZE), bool)
    masks[:, 10:40, 5:30] = True
    batch: dict[str, Any] = {
        "model": None,
        "x_batch": np.zeros((8, 3, SIZE, SIZE), np.float32),
        "y_batch": np.zeros(8, int),
        "a_batch": maps[:, np.newaxis],
        "s_batch": masks[:, np.newaxis],
        "channel_first": True,
    }
    pairs = list(zip(maps, masks, strict=True))
    hits = quantus.PointingGame(**QUIET)(**batch)
    assert 0 < sum(hits) < len(hits)
    assert [pointing(*pair) for pair in pairs] == list(map(float, hits))
    shares = quantus.AttributionLocalisation(positive_attributions=True, **QUIET)(**batch)
    np.testing.assert_allclose([inside_mask(*pair) for pair in pairs], shares, rtol=1e-6)


def test_sanity_is_the_model_parameter_randomisation_test(
    small: ModelBundle, by_keras: "keras.Model", monkeypatch: pytest.MonkeyPatch
) -> None:
    import quantus
    from quantus.helpers.model.tf_model import TensorFlowModel

    trained, image = Predictor(small), noise(size=SIZE)
    cascade = stages(by_keras)
    target = trained.predict(image).predicted

    def networks(*_: object, **__: object) -> Iterator[tuple[str, Predictor]]:
        for depth, stage in enumerate(cascade):
            with randomised(small, [name for done in cascade[: depth + 1] for name in done.layers], seed=0) as network:
                yield stage.label, network

    def explained(model: object, inputs: object, targets: object, **_: object) -> NDArray[np.float32]:
        predictor = model if isinstance(model, Predictor) else trained
        return explain(image, predictor, "occlusion", target).values[np.newaxis, np.newaxis]

    monkeypatch.setattr(TensorFlowModel, "get_random_layer_generator", networks)
    found = sanity("occlusion", small, {"one": image})
    scores = quantus.MPRT(layer_order="top_down", **QUIET)(
        model=by_keras,
        x_batch=image[np.newaxis].astype(np.float32),
        y_batch=np.array([small.card.classes.index(target)]),
        a_batch=explained(None, None, None),
        explain_func=explained,
        channel_first=False,
    )
    assert scores.pop("original") == pytest.approx([1])
    assert list(scores) == list(found.stages)
    np.testing.assert_allclose([one.value for one in found.signed], np.ravel(list(scores.values())), atol=1e-6)
