import asyncio
import base64
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.context import Context
from app.trust_streaming import TrustRequest, known_mask, stream_trust
from app.uploads import data_url
from explain import explain
from explain.export import npz_bytes
from model.bundle import ModelBundle
from model.phantoms import sample
from model.prediction import Predictor
from tests.app.test_streaming import Browser

IMAGE = sample("melanoma").image


@pytest.fixture
def browser() -> Browser:
    return Browser()


STATES = ["begun", "measuring", "measuring", "measuring", "done"]


@pytest.fixture(scope="module")
def request_for_trust(predictor: Predictor) -> TrustRequest:
    attribution = explain(IMAGE, predictor, "gradcam", "mel", "nv")
    npz = base64.b64encode(npz_bytes(attribution)).decode()
    return TrustRequest("1", "gradcam", data_url(IMAGE), npz, sample="melanoma")


def answer(context: Context, request: TrustRequest, browser: Browser) -> None:
    asyncio.run(stream_trust(context, request, browser.stop, browser.send))


def test_a_map_is_judged_at_once_and_then_with_its_stability(
    bundle: ModelBundle, browser: Browser, request_for_trust: TrustRequest
) -> None:
    answer(Context(bundle), request_for_trust, browser)
    assert browser.states() == STATES
    assert {about for about, _ in browser.messages} == {"trust"}
    _, first, *_, last = (data for _, data in browser.messages)
    assert first["chips"][1]["good"] is None
    assert last["chips"][1]["good"] is not None
    assert last["note"] == ""  # a phantom's lesion is known


class Looks(threading.Event):
    """Never set, but does something when somebody has waited for it three times."""

    def __init__(self, after_three: Callable[[threading.Event], None]) -> None:
        super().__init__()
        self.number = 0
        self.after_three = after_three

    def wait(self, timeout: float | None = None) -> bool:
        self.number += 1
        if self.number == 3:
            self.after_three(self)
        return self.is_set()


def test_it_waits_for_maps_of_any_tab(bundle: ModelBundle, browser: Browser, request_for_trust: TrustRequest) -> None:
    context, key = Context(bundle), ("another tab", "lime")
    stop_of_map = context.maps.start(key)
    browser.stop = looks = Looks(lambda _: context.maps.end(key, stop_of_map))
    answer(context, request_for_trust, browser)
    assert looks.number == 3
    assert browser.states() == STATES


def test_it_ends_when_nobody_waits(bundle: ModelBundle, browser: Browser, request_for_trust: TrustRequest) -> None:
    context = Context(bundle)
    context.maps.start(("another tab", "lime"))
    browser.stop = Looks(threading.Event.set)
    answer(context, request_for_trust, browser)
    assert browser.states() == ["stopped"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"npz": "AAAA"}, "sent no map"), ({"input": "data:,"}, "sent no image"), ({"method": "lime"}, "another method")],
)
def test_what_cannot_be_judged_is_said(
    bundle: ModelBundle,
    browser: Browser,
    request_for_trust: TrustRequest,
    changes: dict[str, str],
    words: str,
) -> None:
    answer(Context(bundle), replace(request_for_trust, **changes), browser)
    [(_, data)] = browser.messages
    assert data["state"] == "failed"
    assert words in data["message"]


def test_the_mask_is_the_sample_s_or_the_case_s_or_none(bundle: ModelBundle, ham10000: Any) -> None:
    context = Context(bundle, ham10000)
    drawn = known_mask(context, "melanoma", None, 96)
    case = known_mask(context, None, "ISIC_0024306", 96)
    assert drawn is not None
    assert case is not None
    assert drawn.shape == case.shape == (96, 96)
    assert not np.array_equal(drawn, case)
    assert known_mask(context, None, "../secret", 96) is None
    assert known_mask(context, None, None, 96) is None
