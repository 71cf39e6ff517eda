"""What programs are answered about an image, in JSON-compatible values: the same from the API and the command line."""

from typing import Any

from explain.attribution import Attribution
from model.prediction import Prediction


def prediction_answer(name: str, prediction: Prediction) -> dict[str, Any]:
    """The called class and the calibrated probability of every class."""
    probabilities = dict(zip(prediction.classes, (float(p) for p in prediction.probabilities), strict=True))
    return {"image": name, "predicted": prediction.predicted, "probabilities": probabilities}


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
    }
