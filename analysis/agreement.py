"""Do methods agree on which regions of an image count?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.rank_correlation import rank_correlation
from explain.attribution import Attribution
from explain.overlay import enlarged
from explain.regions import superpixels


def agreement(attributions: Mapping[str, Attribution], image: NDArray[np.uint8]) -> pd.DataFrame:
    """The Spearman correlation of every two methods' superpixel means on a prepared image, uint8 (size, size, 3).

    Rows and columns are the keys of `attributions`. Superpixels are those that LIME, SHAP by superpixel and occlusion
    ask about, and on them maps of any resolution compare; ranks, since one method's logits per region are another's per
    position.
    """
    means = [superpixel_means(one, image) for one in attributions.values()]
    correlations = [[rank_correlation(one, other) for other in means] for one in means]
    return pd.DataFrame(correlations, index=list(attributions), columns=list(attributions))


def superpixel_means(attribution: Attribution, image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A map's mean value in every superpixel of a prepared image, float64 (regions,)."""
    regions = superpixels(image)
    return region_means(enlarged(attribution, *regions.shape), regions)


def region_means(values: NDArray[np.float32], regions: NDArray[np.intp]) -> NDArray[np.float64]:
    """The mean value in every region, float64 (regions,); `regions` is int, of the shape of `values`, from 0."""
    totals = np.bincount(regions.ravel(), weights=values.ravel())
    return totals / np.bincount(regions.ravel())
