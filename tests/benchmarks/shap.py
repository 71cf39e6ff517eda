"""SHAP by 500 evaluations: our walk over ONNX Runtime, against shap's PartitionExplainer through Keras.

Both divide the same 16 × 16 cells, in batches of the same size; `largest_difference` is that of the two maps' values.
"""

import numpy as np
from numpy.typing import NDArray

from explain.attribution import Target
from explain.baseline import blurred
from explain.halving import CELLS
from explain.method import Question
from explain.one_thread import ONE_THREAD
from explain.owen import EVALUATIONS, grid, library_values, owen_values
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.images import prepare
from model.keras_model import load_keras
from model.phantoms import sample
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians

REPEATS = 3


def measure(repeats: int = REPEATS) -> dict[str, object]:
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor, model = Predictor(bundle), load_keras(bundle)
    image = prepare(sample("melanoma").image, bundle.card.size)
    hidden, cells = blurred(image), grid(bundle.card.size)
    weights = Target("mel").weights(bundle.card.classes)

    def score(shown: NDArray[np.bool_]) -> NDArray[np.float64]:
        images = np.where(shown[:, cells, np.newaxis], image, hidden)
        scores: NDArray[np.float64] = (model.predict(images, verbose=0) @ weights).astype(np.float64)
        return scores

    def ours() -> NDArray[np.float32]:
        with ONE_THREAD:
            *_, last = owen_values(Question(image, predictor, Target("mel")))
        return last.values

    def reference() -> NDArray[np.float64]:
        return library_values(score, EVALUATIONS, seed=0)

    difference = float(np.abs(ours() - reference()).max())
    return compared(
        "shap",
        *medians(ours, reference, repeats),
        must=3,
        met=difference <= 1e-4,
        reference="shap through Keras predict",
        cells=CELLS,
        evaluations=EVALUATIONS,
        largest_difference=float(f"{difference:.1g}"),
    )
