"""What an option gains: the figures of two ways to predict the same cases, and their difference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bootstrap import lesion_weights
from analysis.headline import Headline, as_headline, headline_values


@dataclass(frozen=True)
class Gain:
    """The figures `without` and `with_option`, and their difference, paired: both on the very same resamples."""

    without: Headline
    with_option: Headline
    gain: Headline


def paired_gain(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], classes: Sequence[str], seed: int = 0) -> Gain:
    """The gain of the second table over the first of each pair, averaged over the pairs (such as folds).

    Both tables of a pair hold predictions of the same cases in the same order, else ValueError is raised. Intervals
    are bootstrapped over lesions; pairs with the same cases are resampled together, others by themselves.
    """
    values = []
    for number, (before, after) in enumerate(pairs):
        if list(before["image_id"]) != list(after["image_id"]):
            raise ValueError("The gain of an option needs both predictions of the same cases in the same order.")
        together = list(before["image_id"]) == list(pairs[0][0]["image_id"])
        weights = lesion_weights(before["lesion_id"], seed=seed if together else seed + number)
        values.append([headline_values(table, classes, weights) for table in (before, after)])
    without, with_option = np.mean(values, axis=0)
    return Gain(as_headline(without), as_headline(with_option), as_headline(with_option - without))
