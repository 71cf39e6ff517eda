import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from app import trust_streaming
from app.context import Context
from app.jobs import Jobs
from app.uploads import data_url
from explain import explain
from explain.export import npz_bytes
from model.bundle import ModelBundle
from model.phantoms import sample
from model.prediction import Predictor
from tests.app.test_streaming import Browser

IMAGE = sample("melanoma").image


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser()
    monkeypatch.setattr(trust_streaming, "set_props", browser.set_props)
    return browser


@pytest.fixture(scope="module")
def request_data(predictor: Predictor) -> dict[str, str | None]:
    attribution = explain(IMAGE, predictor, "gradcam", "mel", "nv")
    npz = base64.b64encode(npz_bytes(attribution)).decode()
    return {"id": "1", "tab": "tab", "source": data_url(IMAGE), "npz": npz, "sample": "melanoma", "case": None}


def answer(context: Context, request: Mapping[str, str | None], maps: Jobs, method: str = "gradcam") -> None:
    asyncio.run(trust_streaming.stream_trust(context, Jobs(), maps, method, request))


def test_a_map_is_judged_at_once_and_then_with_its_stability(
    bundle: ModelBundle, browser: Browser, request_data: dict[str, str | None]
) -> None:
    answer(Context(bundle), request_data, Jobs())
    assert browser.states() == ["measuring", "done"]
    assert {store for store, _ in browser.messages} == {"explain-trust-gradcam"}
    first, last = (data for _, data in browser.messages)
    assert first["id"] == last["id"] == "1"
    assert first["chips"][1]["good"] is None
    assert last["chips"][1]["good"] is not None
    assert last["note"] == ""  # a phantom's lesion is known


def test_it_gives_way_to_maps_and_ends_when_nobody_waits(
    bundle: ModelBundle, browser: Browser, request_data: dict[str, str | None]
) -> None:
    maps, jobs = Jobs(), Jobs()
    maps.start(("another tab", "lime"))

    async def leave() -> None:
        judging = asyncio.create_task(
            trust_streaming.stream_trust(Context(bundle), jobs, maps, "gradcam", request_data)
        )
        while not len(jobs):
            await asyncio.sleep(0)
        jobs.stop_tab("tab")
        await judging

    asyncio.run(leave())
    assert browser.states() == ["stopped"]
    assert len(jobs) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"npz": "AAAA"}, "sent no map"), ({"npz": None}, "sent no map"), ({"source": "data:,"}, "sent no image")],
)
def test_what_cannot_be_judged_is_said(
    bundle: ModelBundle,
    browser: Browser,
    request_data: dict[str, str | None],
    changes: dict[str, str | None],
    words: str,
) -> None:
    answer(Context(bundle), {**request_data, **changes}, Jobs())
    [(_, data)] = browser.messages
    assert data["state"] == "failed"
    assert words in data["message"]


def test_another_method_s_map_is_refused(
    bundle: ModelBundle, browser: Browser, request_data: dict[str, str | None]
) -> None:
    answer(Context(bundle), request_data, Jobs(), method="lime")
    assert "another method's map" in browser.messages[0][1]["message"]


def test_the_mask_is_the_sample_s_or_the_case_s_or_none(bundle: ModelBundle, ham10000: Any) -> None:
    context = Context(bundle, ham10000)
    drawn = trust_streaming.known_mask(context, {"sample": "melanoma", "case": None}, 96)
    case = trust_streaming.known_mask(context, {"sample": None, "case": "ISIC_0024306"}, 96)
    assert drawn is not None
    assert case is not None
    assert drawn.shape == case.shape == (96, 96)
    assert not np.array_equal(drawn, case)
    assert trust_streaming.known_mask(context, {"sample": None, "case": "../secret"}, 96) is None
    assert trust_streaming.known_mask(context, {}, 96) is None
