"""Loading TensorFlow before somebody waits for it: seconds, once a process, after the first page has been served."""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from explain.gradients import image_gradients_by_tensorflow, warm_up
from explain.methods import GRADIENTS, METHODS
from model.bundle import ModelBundle
from model.dense_head import FEATURES

if TYPE_CHECKING:
    from app.context import Context

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_OF_QUIET = 3  # no map was being made for so long: a page that has just been opened asks for some


class TensorFlowStart:
    """Which networks' gradients are ready in this process.

    `page_served` is set once somebody has seen a page, `ended` when the server stops.
    """

    def __init__(self) -> None:
        self.page_served = threading.Event()
        self.ended = threading.Event()
        self._ready: set[Path] = set()
        self._lock = threading.Lock()

    def ready(self, bundle: ModelBundle) -> bool:
        """Whether gradients of the bundle's network take no longer than they will ever after."""
        return bundle.path in self._ready

    def load(self, bundle: ModelBundle) -> None:
        """Load TensorFlow and the bundle's network, once; whoever asks meanwhile waits for it too."""
        with self._lock:
            if not self.ready(bundle):
                warm_up(bundle)
                self._ready.add(bundle.path)

    def end(self) -> None:
        """Let nobody wait for a page any more."""
        self.ended.set()
        self.page_served.set()


def needs_tensorflow(bundle: ModelBundle, method: str, layer: str | None) -> bool:
    """Whether the method's map at `layer`, None for the last feature map, is made by TensorFlow's gradients."""
    chosen = METHODS[method]
    if not chosen.layered:
        return chosen.family == GRADIENTS and image_gradients_by_tensorflow(bundle)
    if layer not in (None, FEATURES):
        return True
    return bundle.head is None and (method != "gradcam" or bundle.dense_head is None)


def load_when_quiet(context: "Context") -> None:
    """Load TensorFlow for the context's model once a page has been served and no map is being made."""
    start = context.tensorflow
    start.page_served.wait()
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < SECONDS_OF_QUIET:
        if start.ended.wait(SECONDS_BETWEEN_LOOKS):
            return
        if len(context.maps):
            quiet_since = time.monotonic()
    start.load(context.bundle)
