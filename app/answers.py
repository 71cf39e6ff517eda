"""What programs are answered about an image, in JSON-compatible values: the same from the API and the command line."""

from typing import Any

from explain.attribution import Attribution
from model.novelty import Novelty
from model.prediction import Prediction


def prediction_answer(name: str, prediction: Prediction) -> dict[str, Any]:
    """Whether it is dermatoscopy at all, the called class, the calibrated probabilities, and how unsure the model is.

    `novelty` is null where the model has no such check, `disagreement` where one model predicts alone.
    """
    probabilities = dict(zip(prediction.classes, (float(p) for p in prediction.probabilities), strict=True))
    return {
        "image": name,
        "novelty": novelty_answer(prediction.novelty),
        "predicted": prediction.predicted,
        "probabilities": probabilities,
        "entropy": prediction.entropy,
        "relative_entropy": prediction.relative_entropy,
        "disagreement": disagreement_answer(prediction),
    }


def novelty_answer(novelty: Novelty | None) -> dict[str, Any] | None:
    """The verdict of the check for images that are no dermatoscopy."""
    if novelty is None:
        return None
    return {
        "novel": novelty.novel,
        "distance": novelty.distance,
        "threshold": novelty.threshold,
        "colourless": novelty.colourless,
    }


def disagreement_answer(prediction: Prediction) -> dict[str, Any] | None:
    """How far an ensemble's members disagree, in nats, what each calls, and how many call another class."""
    disagreement = prediction.disagreement
    if disagreement is None:
        return None
    return {
        "mutual_information": disagreement.mutual_information,
        "calls": list(disagreement.calls),
        "dissenters": disagreement.dissenters(prediction.predicted),
    }


def error_answer(name: str, error: Exception) -> dict[str, Any]:
    """Why there is no prediction of an image."""
    return {"image": name, "error": str(error)}


def attribution_answer(attribution: Attribution) -> dict[str, Any]:
    """A map, its values row by row, and how it was made."""
    return {
        "method": attribution.method,
        "target": attribution.target.code,
        "against": attribution.target.against,
        "values": attribution.values.tolist(),
        "parameters": dict(attribution.parameters),
        "seed": attribution.seed,
        "evaluations": attribution.evaluations,
        "seconds": attribution.seconds,
        "converged": attribution.converged,
        "interval": None if attribution.interval is None else attribution.interval.tolist(),
    }
