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
from explain.overlay import attribution_rgb, attribution_rgba, colour_bar

LONGER_SIDE = 640
GRADIENT_STOPS = 17
MAX_UNPACKED_BYTES = 16 * 2**20


def heatmap(attribution: Attribution, size: tuple[int, int], *, complete: bool) -> dict[str, Any]:
    """The attribution of an image of `size` (height, width) in pixels; the raw map is in it once it is `complete`.

    `heat` is a layer whose opacity is the map's strength and `map` the map alone, both PNG data URLs; `gradient` are
    the colours from -limit to limit.
    """
    scale = min(1.0, LONGER_SIDE / max(size))
    height, width = (max(1, round(side * scale)) for side in size)
    bar = colour_bar(attribution)
    step = (len(bar.colours) - 1) // (GRADIENT_STOPS - 1)
    return {
        "heat": data_url(attribution_rgba(attribution, height, width)),
        "map": data_url(attribution_rgb(attribution, height, width)),
        "gradient": bar.colours[::step],
        "limit": f"{bar.limit:.2g}",
        "unit": bar.unit,
        "negative": bar.negative,
        "positive": bar.positive,
        "facts": facts(attribution),
        "npz": base64.b64encode(npz_bytes(attribution)).decode() if complete else None,
    }


def facts(attribution: Attribution) -> str:
    """What the map cost, and whether more of the same would still change it."""
    count = f"{attribution.evaluations:,} evaluation{'s' if attribution.evaluations != 1 else ''}"
    seconds = f"{attribution.seconds:.1f} s" if attribution.seconds >= 0.1 else "under 0.1 s"
    cost = f"{count} in {seconds}"
    stability = attribution.parameters.get("stability")
    if not isinstance(stability, float):
        return cost
    verdict = "stable" if attribution.converged else "not stable"
    return f"{cost} · {verdict} (r = {stability:.2f} with the map at half of them)"


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
