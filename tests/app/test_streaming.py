import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from app import streaming
from app.context import CONCURRENT_EXPLANATIONS, Context
from app.streaming import MapRequest, stream_explanation
from app.uploads import data_url
from explain.attribution import Attribution, Progress, Target
from model.bundle import ModelBundle
from model.phantoms import sample

IMAGE = sample("melanoma").image
FINE = "stage5_block0_expand_relu"  # a layer whose gradient TensorFlow gives
REQUEST = MapRequest("1", "gradcam", data_url(IMAGE), IMAGE.shape[1], IMAGE.shape[0], "mel", "nv")


class Browser:
    """Stands for the browser's end of the connection: remembers what it was sent, and about what."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Mapping[str, Any]]] = []
        self.stop = threading.Event()

    def send(self, about: str, found: Mapping[str, Any]) -> None:
        self.messages.append((about, found))

    def states(self) -> list[str]:
        return [found["state"] for _, found in self.messages if "state" in found]


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


def answer(context: Context, browser: Browser, **changes: Any) -> None:
    asyncio.run(stream_explanation(context, replace(REQUEST, **changes), browser.stop, browser.send))


def test_a_map_is_sent_and_then_what_its_regions_count_for(context: Context, browser: Browser) -> None:
    answer(context, browser)
    *_, (_, answered), (about, regions) = browser.messages
    assert about == "regions"
    assert answered["state"] == "done"
    assert regions["own"] is False
    assert len(regions["ranks"]) == len(regions["rows"])
    assert answered["map"]["npz"]
    assert [mark.split("\n")[1] for mark in answered["map"]["marks"]] == ["for nv", "logit per position", "for mel"]


def test_a_cancelled_map_ends_early_with_what_there_is(context: Context, browser: Browser) -> None:
    def cancel_once_it_runs(about: str, found: Mapping[str, Any]) -> None:
        browser.messages.append((about, found))
        if found.get("state") == "running":
            browser.stop.set()

    asyncio.run(stream_explanation(context, replace(REQUEST, method="lime"), browser.stop, cancel_once_it_runs))
    assert browser.states()[-1] == "stopped"
    assert "regions" not in dict(browser.messages)
    last = browser.messages[-1][1]["map"]
    assert last["heat"].startswith("data:image/webp")
    assert last["npz"] is None
    assert int(last["facts"].split()[0].replace(",", "")) < 1000


def test_what_was_stopped_before_its_turn_is_not_begun(context: Context, browser: Browser) -> None:
    browser.stop.set()
    answer(context, browser, method="lime")
    assert browser.messages == [("map", {"state": "stopped"})]


def test_while_tensorflow_is_loading_the_card_says_so(
    context: Context, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[ModelBundle] = []
    monkeypatch.setattr("app.tensorflow_start.warm_up", loaded.append)
    unneeded = Attribution(np.ones((4, 4), np.float32), "layercam", Target("mel"), {}, 0, 1, 0.1)
    monkeypatch.setattr(streaming, "explain", lambda *_, **__: unneeded)
    for states in (["loading", "done"], ["done"]):
        browser.messages.clear()
        answer(context, browser, method="layercam", layer=FINE)
        assert browser.states() == states
    assert loaded == [context.bundle]


def test_a_tensorflow_that_cannot_be_loaded_fails_the_card(
    context: Context, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: ModelBundle) -> None:
        raise ImportError("no AVX")

    monkeypatch.setattr("app.tensorflow_start.warm_up", broken)
    answer(context, browser, method="layercam", layer=FINE)
    assert browser.states() == ["loading", "failed"]
    assert "TensorFlow could not be loaded" in browser.messages[-1][1]["message"]


@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "layercam", "random", "gaussian", "edges"])
def test_methods_of_one_evaluation_do_not_queue_behind_slow_ones(
    context: Context, browser: Browser, method: str
) -> None:
    done = threading.Event()
    for _ in range(CONCURRENT_EXPLANATIONS):
        context.explanation_threads.submit(done.wait)
    try:
        answer(context, browser, method=method)
    finally:
        done.set()
    assert browser.states()[-1] == "done"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"input": "data:image/webp;base64,AAAA"}, "not a readable"),
        ({"input": "/etc/passwd"}, "sent no image"),
        ({"target": "tea"}, "no class 'tea'"),
        ({"against": "mel"}, "two different classes"),
    ],
)
def test_what_cannot_be_explained_is_said(
    context: Context, browser: Browser, changes: dict[str, str], words: str
) -> None:
    answer(context, browser, **changes)
    [(about, found)] = browser.messages
    assert (about, found["state"]) == ("map", "failed")
    assert words in found["message"]


def test_progress_is_sent_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    eighths = count(1000, 0.125)
    monkeypatch.setattr(streaming.time, "monotonic", lambda: next(eighths))
    reporter = streaming.Reporter((450, 600), lambda _, data: sent.append(data["done"]), started=1000, last_answer=1000)
    for done in range(0, 1000, 10):
        reporter(Progress(done, 1000))
    assert sent == list(range(40, 1000, 40))


def test_the_first_map_is_sent_at_once() -> None:
    sent: list[bool] = []
    reporter = streaming.Reporter((450, 600), lambda _, answer: sent.append("map" in answer))
    reporter(Progress(0, 1000))
    map_of_two_regions = Attribution(np.ones((2, 2), np.float32), "lime", Target("mel"), {}, 0, 8, 0.1)
    for done in (8, 24):
        reporter(Progress(done, 1000, map_of_two_regions))
    assert sent == [True]
