"""The worth of a map, measured after the map is done: in one thread that gives way to every map that is being made."""

import asyncio
import logging
import threading
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.trust import trust
from analysis.verdicts import REPETITIONS
from app.context import Context
from app.disconnect import StoppedError
from app.heatmaps import attribution_from
from app.streaming import Send
from app.trust_panel import shown
from app.uploads import pixels
from explain.attribution import ExplanationError
from model.images import prepare
from model.masks import prepare_mask, read_mask
from model.phantoms import SAMPLES, sample

SECONDS_BETWEEN_LOOKS = 0.1
TRUST: Final = "trust"  # what its answers are about


@dataclass(frozen=True)
class TrustRequest:
    """A browser's question: what is the map in `npz` worth, which `method` made of what the network saw, `input`?

    `input` is a data URL; `sample` or `case` names the image where its lesion's mask may be known. Every answer
    carries the `id`.
    """

    id: str
    method: str
    input: str
    npz: str
    sample: str | None = None
    case: str | None = None
    ask: Literal["trust"] = TRUST


async def stream_trust(context: Context, request: TrustRequest, stop: threading.Event, send: Send) -> None:
    """Answer a browser's `request` about a map until it is judged, or `stop` is set."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(context.trust_thread, _judge_and_send, context, request, stop, send)


def _judge_and_send(context: Context, request: TrustRequest, stop: threading.Event, send: Send) -> None:
    def give_way() -> None:
        while len(context.maps) and not stop.wait(SECONDS_BETWEEN_LOOKS):
            pass
        if stop.is_set():
            raise StoppedError

    try:
        give_way()
        attribution = attribution_from(request.npz)
        if attribution.method != request.method:
            raise ExplanationError("The browser sent another method's map.")
        card = context.bundle.card
        image = prepare(pixels(request.input), card.size)
        mask = known_mask(context, request.sample, request.case, card.size)
        send(TRUST, {"state": "begun"})
        for done, found in enumerate(trust(attribution, image, context.predictor, mask, check=give_way)):
            state = "done" if done == len(REPETITIONS) else "measuring"
            send(TRUST, {"state": state, "done": done, "total": len(REPETITIONS), **shown(found, card.classes)})
    except StoppedError:
        send(TRUST, {"state": "stopped"})
    except ValueError as error:
        send(TRUST, {"state": "failed", "message": str(error)})
    except Exception:
        logging.getLogger(__name__).exception("Judging the map of %s failed.", request.method)
        send(TRUST, {"state": "failed", "message": "The server's output says why."})


def known_mask(context: Context, sample_name: str | None, case: str | None, size: int) -> NDArray[np.bool_] | None:
    """The lesion mask of the sample or case of that name, bool (size, size), or None where there is none."""
    if sample_name in SAMPLES:
        return prepare_mask(sample(sample_name).mask, size)
    if case in context.mask_paths:
        return prepare_mask(read_mask(context.mask_paths[case]), size)
    return None
