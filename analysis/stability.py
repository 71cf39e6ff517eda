"""Does a method give the same map of the same lesion again: turned, mirrored, a little brighter, or with another seed?

The agreement is the Spearman correlation of the two maps, since which places count for more is what a reader takes from
a heatmap, while its scale follows the logit. Each measure is a mean over repetitions, every one of which costs a run of
the method.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.pause import Pause, go_on
from analysis.rank_correlation import rank_correlation
from explain import MAX_SEED, explain
from explain.attribution import Attribution
from explain.methods import METHODS
from model.prediction import Predictor
from model.symmetries import symmetries, undone

# Indices into `model.symmetries`, each of which costs a run of the method: all quarter turns and mirror images, or of a
# method that takes more than so many evaluations one of each.
ALL_VIEWS, FEW_VIEWS = tuple(range(1, 8)), (1, 4)
CHEAP = 40
BRIGHTNESS = (0.95, 1.05)


def views(method: str) -> tuple[int, ...]:
    """The symmetries under which a method's maps are compared."""
    return ALL_VIEWS if METHODS[method].evaluations <= CHEAP else FEW_VIEWS


def repetitions(method: str) -> int:
    """How often `stability` runs a method: turned and mirrored, at each brightness, and with another seed."""
    return len(views(method)) + len(BRIGHTNESS) + 1


def stability(
    attribution: Attribution,
    image: NDArray[np.uint8],
    predictor: Predictor,
    *,
    check: Pause = go_on,
) -> Iterator[tuple[str, float]]:
    """The three measures of an attribution of a prepared image, one after the other, each with its name.

    They take `repetitions` runs of its method together.
    """
    question = (attribution, image, predictor)
    yield "stability_symmetries", stability_symmetries(*question, check=check)
    yield "stability_brightness", stability_brightness(*question, check=check)
    yield "stability_seeds", stability_seeds(*question, check=check)


def stability_symmetries(
    attribution: Attribution,
    image: NDArray[np.uint8],
    predictor: Predictor,
    *,
    check: Pause = go_on,
) -> float:
    """The mean agreement with the maps of `views` of the image, turned and mirrored back, in [-1, 1]."""
    turned, shown = symmetries(image), views(attribution.method)
    maps = [undone(_again(attribution, turned[view], predictor, attribution.seed, check), view) for view in shown]
    return _mean_agreement(attribution, maps)


def stability_brightness(
    attribution: Attribution, image: NDArray[np.uint8], predictor: Predictor, *, check: Pause = go_on
) -> float:
    """The mean agreement with the maps of the image at 0.95 and 1.05 of its brightness, in [-1, 1]."""
    lit = [np.rint(image * np.float32(factor)).clip(0, 255).astype(np.uint8) for factor in BRIGHTNESS]
    return _mean_agreement(attribution, [_again(attribution, one, predictor, attribution.seed, check) for one in lit])


def stability_seeds(
    attribution: Attribution, image: NDArray[np.uint8], predictor: Predictor, *, check: Pause = go_on
) -> float:
    """The agreement with the map that the next seed gives, in [-1, 1]; 1 for a method without chance."""
    seed = (attribution.seed + 1) % (MAX_SEED + 1)
    return _mean_agreement(attribution, [_again(attribution, image, predictor, seed, check)])


def _again(
    attribution: Attribution, image: NDArray[np.uint8], predictor: Predictor, seed: int, check: Pause
) -> NDArray[np.float32]:
    target, layer = attribution.target, attribution.parameters.get("layer")
    again = explain(
        image,
        predictor,
        attribution.method,
        target.code,
        target.against,
        seed=seed,
        layer=layer if isinstance(layer, str) and METHODS[attribution.method].layered else None,
        library=attribution.parameters.get("library") is True,
        on_progress=lambda progress: check(),
    )
    return again.values


def _mean_agreement(attribution: Attribution, maps: Sequence[NDArray[np.float32]]) -> float:
    return float(np.mean([rank_correlation(attribution.values, other) for other in maps]))
