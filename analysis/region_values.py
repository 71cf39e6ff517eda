"""The numbers behind the colours: what each region of a map counts for, and how sure that is."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.agreement import region_means
from explain.attribution import Attribution
from explain.methods import METHODS
from explain.overlay import enlarged
from explain.regions import superpixels

ROWS = ("upper", "middle", "lower")
COLUMNS = ("left", "centre", "right")


@dataclass(frozen=True, eq=False)
class RegionValues:
    """The regions of a map, int (height, width) numbered from 0 without gaps, and float64 (regions,) of each.

    `values` are the map's, `half_widths` those of their 95 % intervals, or None where nothing is known of them. Where
    the regions are not the method's `own`, the values are means over superpixels, and the intervals at least as wide as
    those of the means: a mean varies no more than what it is of does on average.
    """

    regions: NDArray[np.intp]
    values: NDArray[np.float64]
    half_widths: NDArray[np.float64] | None
    own: bool

    @property
    def shares(self) -> NDArray[np.float64]:
        """Each region's share of the image, in [0, 1]."""
        return np.bincount(self.regions.ravel()) / self.regions.size

    @property
    def places(self) -> list[str]:
        """Where the middle of each region lies in the picture: "upper left", "middle centre", …"""
        height, width = self.regions.shape
        middles = np.indices(self.regions.shape, np.float32) + np.float32(0.5)
        down, along = (region_means(middle, self.regions) for middle in middles)
        return [
            f"{ROWS[int(3 * row / height)]} {COLUMNS[int(3 * column / width)]}"
            for row, column in zip(down, along, strict=True)
        ]


def has_regions(method: str) -> bool:
    """Whether a method's maps have regions of their own: neither fields nor single pixels."""
    return not METHODS[method].smooth and not METHODS[method].fine


def region_values(attribution: Attribution, image: NDArray[np.uint8]) -> RegionValues:
    """The regions of an attribution of a prepared image, uint8 (size, size, 3).

    They are the superpixels that LIME, SHAP by superpixel and occlusion share, or the method's own cells.
    """
    own = has_regions(attribution.method)
    cells = np.arange(attribution.values.size).reshape(attribution.values.shape)
    regions = cells if own and cells.shape != image.shape[:2] else superpixels(image)
    half_widths = None
    if attribution.interval is not None:
        widths = enlarged(replace(attribution, values=attribution.interval), *regions.shape)
        half_widths = region_means(widths, regions)
    return RegionValues(regions, region_means(enlarged(attribution, *regions.shape), regions), half_widths, own)
