"""Predicting a labelled data set image by image, as a user's images are: one row per case, with what it cost."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from analysis.audit import BATCH, KNOWN, audited_table
from model.bundle import ModelBundle
from model.cases import DataError
from model.ensemble import Ensemble
from model.images import decode_file, prepare_file
from model.prediction import Prediction, Predictor, batches


def seen_cases(cases: pd.DataFrame, bundle: ModelBundle) -> pd.Series:
    """Of which of `cases` the bundle's model has learnt the image, or another image of the lesion; bool, as they stand.

    A bundle that does not say what it has learnt, a third party's, has seen none.
    """
    if not bundle.learnt_path.is_file():
        return pd.Series(False, index=cases.index)
    learnt = pd.read_parquet(bundle.learnt_path)
    return cases["image_id"].isin(learnt["image_id"]) | cases["lesion_id"].isin(learnt["lesion_id"])


def unseen_cases(cases: pd.DataFrame, bundles: Sequence[ModelBundle]) -> pd.DataFrame:
    """Those of `cases` that no bundle's model has seen (`seen_cases`); raises DataError where none is left."""
    seen = pd.Series(False, index=cases.index)
    for bundle in bundles:
        seen |= seen_cases(cases, bundle)
    if seen.all():
        several = "its members" if len(bundles) > 1 else "it"
        raise DataError(
            f"The model has nothing to be judged by here: of every image, {several} learnt it or another image of its "
            "lesion. Give a data set that is new."
        )
    return cases[~seen].reset_index(drop=True)


def predict_cases(
    model: Predictor | Ensemble,
    cases: pd.DataFrame,
    *,
    tta: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Predict every case from its image file; columns as in a bundle's test predictions, but without Grad-CAM maps.

    Further columns: `entropy` (nats); of an ensemble `disagreement` (mutual information, nats) and `dissenters` (how
    many members call another class); with a novelty check `novelty` (distance) and `novel`; `seconds` that the image
    took, decoding included. `on_progress` is told how many cases are done. Raises ImageError, naming the file, for a
    damaged image.
    """
    predictions: list[Prediction] = []
    seconds: list[float] = []
    for path in cases["path"]:
        started = time.perf_counter()
        image = decode_file(path)
        predictions.append(model.predict(image, tta=tta))
        seconds.append(time.perf_counter() - started)
        if on_progress is not None:
            on_progress(len(predictions))
    table = cases[list(KNOWN)].reset_index(drop=True)
    table["predicted"] = [prediction.predicted for prediction in predictions]
    for index, code in enumerate(predictions[0].classes):
        table[f"logit_{code}"] = np.array([prediction.logits[index] for prediction in predictions], np.float32)
        table[f"probability_{code}"] = np.array(
            [prediction.probabilities[index] for prediction in predictions], np.float32
        )
    table["entropy"] = np.array([prediction.entropy for prediction in predictions], np.float32)
    told = [(p.predicted, p.disagreement) for p in predictions if p.disagreement is not None]
    if told:
        table["disagreement"] = np.array([disagreement.mutual_information for _, disagreement in told], np.float32)
        table["dissenters"] = np.array(
            [disagreement.dissenters(predicted) for predicted, disagreement in told], np.int8
        )
    verdicts = [prediction.novelty for prediction in predictions if prediction.novelty is not None]
    if verdicts:
        table["novelty"] = np.array([verdict.distance for verdict in verdicts], np.float32)
        table["novel"] = [verdict.novel for verdict in verdicts]
    return table.assign(seconds=np.array(seconds, np.float32))


def predict_with_maps(
    predictor: Predictor, cases: pd.DataFrame, on_progress: Callable[[int], None] | None = None
) -> pd.DataFrame:
    """Predict every case from its image file, as `audited_table` has it: with Grad-CAM maps, as of a test part.

    `on_progress` is told how many cases are done. Raises ImageError, naming the file, for a damaged image.
    """
    paths, size = list(cases["path"]), predictor.bundle.card.size
    parts = batches(len(paths), BATCH)
    prepared = (np.stack([prepare_file(path, size) for path in paths[part]]) for part in parts)
    return audited_table(predictor, cases, prepared, on_progress)
