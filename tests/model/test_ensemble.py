"""Averaging over the symmetries of an image and over the members of an ensemble, on models that a pencil can follow."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.bundle import BundleError, Card, ModelBundle, folds, shipped_ensemble
from model.ensemble import Ensemble, open_ensemble
from model.prediction import Outputs, Predictor

CARD = Card("toy", "toy", ("mel", "nv"), 32, 1.0, (0.5, 0.5))
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


class Corner(Predictor):
    """A model that sees the upper left corner alone: its red is the logit of mel, its embedding the whole pixel."""

    def __init__(self, card: Card = CARD) -> None:
        self.bundle = ModelBundle(Path("toy"), card)

    def run(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> Outputs:
        pixels = images[:, 0, 0].astype(np.float32)
        logits = np.stack([pixels[:, 0] / 100, np.zeros(len(pixels), np.float32)], axis=1)
        return Outputs(logits, pixels[:, np.newaxis, np.newaxis], pixels)


class Fixed(Corner):
    """A model that says the same of every image."""

    def __init__(self, probability: float, card: Card = CARD) -> None:
        super().__init__(card)
        self.probability = probability

    def run(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> Outputs:
        logits = np.log(np.array([[self.probability, 1 - self.probability]], np.float32))
        return Outputs(logits.repeat(len(images), axis=0), images[:, :1, :1], np.zeros((len(images), 1), np.float32))


def test_the_logits_are_averaged_over_the_four_corners() -> None:
    corners = IMAGE[[0, 0, -1, -1], [0, -1, 0, -1], 0].astype(np.float64)
    prediction = Corner().predict(IMAGE, tta=True)
    np.testing.assert_allclose(prediction.logits, [corners.mean() / 100, 0], rtol=1e-5)
    assert prediction.probabilities[0] == pytest.approx(1 / (1 + np.exp(-corners.mean() / 100)), rel=1e-5)


def test_the_embedding_stays_that_of_the_image_as_it_stands() -> None:
    np.testing.assert_array_equal(Corner().predict(IMAGE, tta=True).embedding, IMAGE[0, 0].astype(np.float32))


def test_turned_and_mirrored_images_are_predicted_alike() -> None:
    expected = Corner().predict(IMAGE, tta=True).logits
    for other in (np.rot90(IMAGE), np.fliplr(IMAGE), np.flipud(IMAGE), np.rot90(IMAGE, 2)):
        turned = np.ascontiguousarray(other)
        np.testing.assert_allclose(Corner().predict(turned, tta=True).logits, expected, rtol=1e-5)
        assert not np.array_equal(Corner().predict(turned).logits, Corner().predict(IMAGE).logits)


def test_the_shipped_model_predicts_a_turned_image_alike(predictor: Predictor) -> None:
    size = predictor.bundle.card.size
    image = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    views = [np.ascontiguousarray(np.rot90(image, turns)) for turns in (0, 1)]
    one, other = (predictor.predict(view, tta=True).logits for view in views)
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_probabilities_are_averaged_and_their_logarithms_are_the_logits() -> None:
    prediction = Ensemble((Fixed(0.9), Fixed(0.3))).predict(IMAGE)
    np.testing.assert_allclose(prediction.probabilities, [0.6, 0.4], rtol=1e-6)
    np.testing.assert_allclose(prediction.logits, np.log([0.6, 0.4]), rtol=1e-5)
    assert prediction.predicted == "mel"


def test_disagreement_is_entropy_of_the_mean_less_mean_of_the_entropies() -> None:
    def entropy(p: float) -> float:
        return float(-p * np.log(p) - (1 - p) * np.log(1 - p))

    prediction = Ensemble((Fixed(0.9), Fixed(0.3))).predict(IMAGE)
    assert prediction.disagreement is not None
    expected = entropy(0.6) - (entropy(0.9) + entropy(0.3)) / 2
    assert prediction.disagreement.mutual_information == pytest.approx(expected, rel=1e-5)
    assert prediction.disagreement.calls == ("mel", "nv")
    assert prediction.disagreement.dissenters(prediction.predicted) == 1
    assert prediction.entropy == pytest.approx(entropy(0.6), rel=1e-6)
    assert prediction.relative_entropy == pytest.approx(entropy(0.6) / np.log(2), rel=1e-6)


def test_the_class_is_called_by_the_mean_of_the_priors() -> None:
    """The probabilities are 0.6 and 0.4, the priors 0.8 and 0.2: nv stands out at twice its share."""
    members = [Fixed(p, replace(CARD, class_prior=prior)) for p, prior in ((0.9, (0.9, 0.1)), (0.3, (0.7, 0.3)))]
    ensemble = Ensemble(tuple(members))
    np.testing.assert_allclose(ensemble.class_prior, [0.8, 0.2])
    assert ensemble.predict(IMAGE).predicted == "nv"


def test_members_are_calibrated_each_by_its_own_temperature() -> None:
    cool = replace(CARD, temperature=2.0)
    prediction = Ensemble((Fixed(0.9, cool), Fixed(0.9))).predict(IMAGE)
    assert prediction.probabilities[0] == pytest.approx((0.75 + 0.9) / 2, rel=1e-5)  # odds 9, and their square root


def test_members_are_averaged_over_symmetries_first() -> None:
    prediction = Ensemble((Corner(), Fixed(0.5))).predict(IMAGE, tta=True)
    assert prediction.probabilities[0] == pytest.approx((Corner().predict(IMAGE, tta=True).probabilities[0] + 0.5) / 2)


def test_members_of_other_classes_and_lonely_ones_are_refused() -> None:
    with pytest.raises(BundleError, match="their classes are nv, mel and mel, nv"):
        Ensemble((Fixed(0.5), Fixed(0.5, replace(CARD, classes=("nv", "mel")))))
    with pytest.raises(BundleError, match="at least two"):
        Ensemble((Fixed(0.5),))


def test_the_folds_are_the_bundles_beside_that_differ_in_the_fold_alone(tmp_path: Path) -> None:
    names = [f"net_lesion_fold{fold}_64px" for fold in (10, 2, 0)]
    for name in (*names, "net_lesion_fold1_96px", "other_lesion_fold1_64px", "net_lesion_fold3_64px_old", "net"):
        card_in(tmp_path / name)
    (tmp_path / "net_lesion_fold5_64px").mkdir()
    assert [path.name for path in folds(tmp_path / names[1])] == names[::-1]
    assert folds(tmp_path / "net") == (tmp_path / "net",)


def test_bundles_of_trainings_go_by_the_name_of_the_training(tmp_path: Path) -> None:
    trained = [tmp_path / f"net_lesion_fold{fold}_64px" / "bundle" for fold in (0, 1)]
    for path in trained:
        card_in(path)
    assert folds(trained[1]) == tuple(trained)


def card_in(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "card.json").touch()


def test_a_bundle_without_other_folds_makes_no_ensemble(tmp_path: Path) -> None:
    (tmp_path / "net_fold0_64px").mkdir()
    with pytest.raises(BundleError, match="net_fold0_64px is alone"):
        open_ensemble(tmp_path / "net_fold0_64px")


def test_the_default_is_one_of_the_shipped_ensemble(bundle: ModelBundle) -> None:
    assert bundle.path in shipped_ensemble()
