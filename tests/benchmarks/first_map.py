"""Milliseconds from a browser's question to the first map of LIME and of SHAP, as the server sends it.

`reference_ms` is the half second that people take for at once. The server has been warmed up, as it does itself.
"""

import statistics
import threading
import time
from collections.abc import Mapping
from typing import Any

from app.context import Context
from app.streaming import explain_and_send
from app.uploads import data_url
from explain import regions, warm_up
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.phantoms import sample
from tests.benchmarks.medians import compared

REPEATS = 9
AT_ONCE_MS = 500.0


def measure(repeats: int = REPEATS) -> dict[str, object]:
    context = Context(load_bundle(DEFAULT_BUNDLE))
    warm_up(context.predictor)
    request = {"id": "1", "tab": "1", "source": data_url(sample("melanoma").image), "target": "mel", "against": "nv"}
    taken = {method: [_first_map(context, method, request) for _ in range(repeats)] for method in ("lime", "shap")}
    lime, shap = (statistics.median(times) for times in taken.values())
    return compared("first_map", max(lime, shap), AT_ONCE_MS, reference="half a second", lime_ms=lime, shap_ms=shap)


def _first_map(context: Context, method: str, request: dict[str, str]) -> float:
    regions._superpixels.cache_clear()
    stop = threading.Event()
    arrived: list[float] = []

    def receive(_: str, answer: Mapping[str, Any]) -> None:
        if "map" in answer:
            arrived.append(time.perf_counter())
            stop.set()

    started = time.perf_counter()
    explain_and_send(context, method, request, stop, receive)
    return 1000 * (arrived[0] - started)
