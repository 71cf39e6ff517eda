"""What the browser is sent of an attribution: pictures to lay over the image, the numbers of their colours, a file."""

import base64
import io
import json
import zipfile
from typing import Any

import numpy as np

from app.uploads import data_url
from explain.attribution import Attribution, ExplanationError, Target
from explain.export import npz_bytes
from explain.methods import METHODS
from explain.overlay import attribution_rgb, attribution_rgba, colour_bar

# Pixels: regions have edges to be kept, and a field is as smooth when the browser enlarges it.
LONGER_SIDE, LONGER_SIDE_OF_A_FIELD = 640, 320
GRADIENT_STOPS = 17
MAX_UNPACKED_BYTES = 16 * 2**20


def heatmap(attribution: Attribution, size: tuple[int, int], *, complete: bool) -> dict[str, Any]:
    """The attribution of an image of `size` (height, width) in pixels; the raw map is in it once it is `complete`.

    `heat` is a layer whose opacity is the map's strength and `map` the map alone, both data URLs; `gradient` are
    the colours of its bar and `marks` what stands below it.
    """
    longer = LONGER_SIDE_OF_A_FIELD if METHODS[attribution.method].smooth else LONGER_SIDE
    scale = min(1.0, longer / max(size))
    height, width = (max(1, round(side * scale)) for side in size)
    bar = colour_bar(attribution)
    step = (len(bar.colours) - 1) // (GRADIENT_STOPS - 1)
    return {
        "heat": data_url(attribution_rgba(attribution, height, width)),
        "map": data_url(attribution_rgb(attribution, height, width)),
        "gradient": bar.colours[::step],
        "marks": bar.marks,
        "facts": facts(attribution),
        "npz": base64.b64encode(npz_bytes(attribution)).decode() if complete else None,
    }


def facts(attribution: Attribution) -> str:
    """What the map cost, why it ended, whether more would still change it, and how sure its strongest region is."""
    count = f"{attribution.evaluations:,} evaluation{'s' if attribution.evaluations != 1 else ''}"
    seconds = f"{attribution.seconds:.1f} s" if attribution.seconds >= 0.1 else "under 0.1 s"
    return " · ".join([f"{count} in {seconds}", *_verdict(attribution), *_strongest(attribution)])


def _verdict(attribution: Attribution) -> list[str]:
    ranks, stability = (attribution.parameters.get(name) for name in ("rank_stability", "stability"))
    if isinstance(ranks, float):
        ended = "ended when the order of regions settled" if attribution.converged else "order of regions not settled"
        return [f"{ended} (expected ρ = {ranks:.2f})"]
    if isinstance(stability, float):
        map_ = "nearly the same map" if attribution.converged else "another map"
        return [f"half of them gave {map_} (r = {stability:.2f})"]
    return []


def _strongest(attribution: Attribution) -> list[str]:
    # Of many single pixels the strongest is the one that chance has helped most, and an interval does not hold for it.
    if attribution.interval is None or METHODS[attribution.method].fine or METHODS[attribution.method].smooth:
        return []
    place = np.unravel_index(np.abs(attribution.values).argmax(), attribution.values.shape)
    return [f"strongest {attribution.values[place]:+.2g} ± {attribution.interval[place]:.1g} (95 %)"]


def attribution_from(npz: str) -> Attribution:
    """The attribution in a file that `heatmap` sent and a browser sent back; ExplanationError for anything else."""
    try:
        content = base64.b64decode(npz)
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED_BYTES:
                raise ExplanationError("The browser sent a map that is too large.")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            values = np.asarray(arrays["values"], dtype=np.float32)
            known = json.loads(str(arrays["metadata"]))
        attribution = Attribution(values, **{**known, "target": Target(**known["target"])})
    except (ValueError, KeyError, TypeError, EOFError, OSError, MemoryError, zipfile.BadZipFile) as error:
        raise ExplanationError("The browser sent no map.") from error
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ExplanationError("The browser sent no map.")
    return attribution
