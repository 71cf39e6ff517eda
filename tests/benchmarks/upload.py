"""From the upload of a photograph of 12 megapixels to prediction and Grad-CAM, inside the server.

The reference is the same question about an image that is small already: what the size of the photograph costs.
"""

import io
import threading

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from app.server import create_app
from app.streaming import MapRequest, explain_and_send
from model.bundle import DEFAULT_BUNDLE
from model.phantoms import sample
from tests.benchmarks.medians import compared, medians

WIDTH, HEIGHT = 4000, 3000
AT_MOST_MS = 120


def photograph() -> bytes:
    """A phantom as a camera would store it, with its sensor's noise: a JPEG of 12 megapixels."""
    picture = Image.fromarray(sample("melanoma").image).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, 3, (HEIGHT, WIDTH, 3))
    return jpeg((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def measure() -> dict[str, object]:
    """`ours_ms` is one request for both, `dashboard_ms` what the Explain page asks for: first the image opened, with
    its prediction, then a map of the picture that it was given back, with the pictures of the map.
    """
    large, small = photograph(), jpeg(sample("melanoma").image)
    server = create_app(DEFAULT_BUNDLE)
    with TestClient(server) as client:

        def explain(content: bytes) -> None:
            assert client.post("/api/explain?method=gradcam", content=content).status_code == 200

        def dashboard() -> None:
            opened = client.post("/api/images", content=large).json()
            image = {name: opened[name] for name in ("input", "width", "height")}
            request = MapRequest("1", "gradcam", target=opened["predicted"], **image)
            states: list[str] = []
            explain_and_send(
                server.state.context, request, threading.Event(), lambda _, answer: states.append(answer["state"])
            )
            assert states[-1] == "done"

        ours, reference = medians(lambda: explain(large), lambda: explain(small), 25)
        on_the_page, _ = medians(dashboard, lambda: None, 25)
    return compared(
        "upload",
        ours,
        reference,
        must=0,
        met=max(ours, on_the_page) <= AT_MOST_MS,
        reference="an image of 600 × 450",
        megabytes=round(len(large) / 1e6, 1),
        dashboard_ms=round(on_the_page, 1),
    )
