"""What programs and the browser are told of a map by region, in JSON-compatible values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from analysis.agreement import superpixel_means
from analysis.region_values import RegionValues, region_values
from app.numbers import DASH
from explain.attribution import Attribution
from explain.methods import METHODS

NO_INTERVAL = "The method gives no interval."
OWN = "95 % intervals for the values that endless evaluations would give."
MEANS = "Means over the superpixels of LIME, SHAP by superpixel and occlusion; the method has no regions of its own"
AT_MOST = f"{MEANS}. The intervals are those of its places on average, at least as wide as those of the means."


def regions_answer(found: RegionValues) -> list[dict[str, Any]]:
    """The regions, those that count for most first; `half_width` is that of the 95 % interval, or null."""
    half_widths = [None] * len(found.values) if found.half_widths is None else found.half_widths.tolist()
    table = [
        {"region": number + 1, "place": place, "share": share, "value": value, "half_width": half_width}
        for number, (place, share, value, half_width) in enumerate(
            zip(found.places, found.shares.tolist(), found.values.tolist(), half_widths, strict=True)
        )
    ]
    return sorted(table, key=lambda row: -abs(row["value"]))


def regions_message(attribution: Attribution, image: NDArray[np.uint8]) -> dict[str, Any]:
    """What the browser needs to say what is under the pointer, to list it, and to compare it with other maps.

    `image` is prepared, uint8 (size, size, 3). `runs` are couples of a region and how many places of a row, or of the
    rows that follow, belong to it; `ranks` are those of the map's superpixels, by which maps of one image compare.
    """
    found = region_values(attribution, image)
    height, width = found.regions.shape
    return {
        "height": height,
        "width": width,
        "runs": _runs(found.regions),
        "rows": [
            {
                "region": row["region"],
                "place": row["place"],
                "value": _signed(row["value"]),
                "plus_or_minus": DASH if row["half_width"] is None else f"± {row['half_width']:.2g}",
            }
            for row in regions_answer(found)
        ],
        "own": found.own,
        "unit": METHODS[attribution.method].unit,
        "note": _note(found),
        "ranks": rankdata(superpixel_means(attribution, image)).tolist(),
    }


def _runs(regions: NDArray[np.intp]) -> list[int]:
    """Regions in reading order as run lengths: region, length, region, length, …"""
    flat = regions.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=-1))
    lengths = np.diff(starts, append=flat.size)
    runs: list[int] = np.column_stack([flat[starts] + 1, lengths]).ravel().tolist()
    return runs


def _note(found: RegionValues) -> str:
    if found.own:
        return NO_INTERVAL if found.half_widths is None else OWN
    return f"{MEANS}, and no interval." if found.half_widths is None else AT_MOST


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")
