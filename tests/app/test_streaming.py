import asyncio
import threading
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
import pytest

from app import streaming
from app.context import CONCURRENT_EXPLANATIONS, Context
from app.jobs import Jobs
from app.uploads import data_url
from explain.attribution import Attribution, Progress, Target
from model.bundle import ModelBundle
from model.phantoms import sample

REQUEST = {
    "id": "1",
    "tab": "tab",
    "source": data_url(sample("melanoma").image),
    "target": "mel",
    "against": "nv",
}


class Browser:
    """Stands for the browser's end of the WebSocket: remembers what each store was set to."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def set_props(self, store: str, properties: Mapping[str, Any]) -> None:
        self.messages.append((store, properties["data"]))

    def states(self) -> list[str]:
        return [data["state"] for _, data in self.messages if "state" in data]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser()
    monkeypatch.setattr(streaming, "set_props", browser.set_props)
    return browser


@pytest.fixture
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


def answer(context: Context, jobs: Jobs, method: str, request: dict[str, str]) -> None:
    asyncio.run(streaming.stream_explanation(context, jobs, method, request))


def test_a_map_is_sent_and_then_that_it_is_complete(context: Context, browser: Browser) -> None:
    jobs = Jobs()
    answer(context, jobs, "gradcam", REQUEST)
    assert browser.states() == ["done"]
    (store, answered), (last, regions) = browser.messages[-2:]
    assert (store, last) == ("explain-answer-gradcam", "explain-regions-gradcam")
    assert (regions["id"], regions["own"]) == ("1", False)
    assert len(regions["ranks"]) == len(regions["rows"])
    assert answered["id"] == "1"
    assert answered["map"]["npz"]
    assert [mark.split("\n")[1] for mark in answered["map"]["marks"]] == ["for nv", "logit per position", "for mel"]
    assert len(jobs) == 0


def test_a_cancelled_job_ends_early_with_what_it_has(
    context: Context, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs()
    set_props = browser.set_props

    def cancel_once_it_runs(store: str, properties: Mapping[str, Any]) -> None:
        set_props(store, properties)
        if properties["data"].get("state") == "running":
            jobs.stop(("tab", "lime"))

    monkeypatch.setattr(streaming, "set_props", cancel_once_it_runs)
    answer(context, jobs, "lime", REQUEST)
    assert browser.states()[-1] == "stopped"
    assert "explain-regions-lime" not in dict(browser.messages)
    last = browser.messages[-1][1]["map"]
    assert last["heat"].startswith("data:image/webp")
    assert last["npz"] is None
    assert int(last["facts"].split()[0].replace(",", "")) < 1000
    assert len(jobs) == 0


def test_a_browser_that_goes_away_stops_its_job(context: Context, browser: Browser) -> None:
    jobs = Jobs()

    async def go_away() -> bool:
        task = asyncio.create_task(streaming.stream_explanation(context, jobs, "lime", REQUEST))
        while "running" not in browser.states():
            await asyncio.sleep(0)
        stop = jobs._running["tab", "lime"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return stop.is_set()

    assert asyncio.run(go_away())
    assert len(jobs) == 0
    context.explanation_threads.shutdown()  # returns only when the abandoned thread has stopped


def test_while_tensorflow_is_loading_the_card_says_so(
    context: Context, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[ModelBundle] = []
    monkeypatch.setattr("app.tensorflow_start.warm_up", loaded.append)
    unneeded = Attribution(np.ones((4, 4), np.float32), "gradient", Target("mel"), {}, 0, 1, 0.1)
    monkeypatch.setattr(streaming, "explain", lambda *_, **__: unneeded)
    for states in (["loading", "done"], ["done"]):
        browser.messages.clear()
        answer(context, Jobs(), "gradient", REQUEST)
        assert browser.states() == states
    assert loaded == [context.bundle]


def test_a_tensorflow_that_cannot_be_loaded_fails_the_card(
    context: Context, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: ModelBundle) -> None:
        raise ImportError("no AVX")

    monkeypatch.setattr("app.tensorflow_start.warm_up", broken)
    answer(context, Jobs(), "gradient", REQUEST)
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
        answer(context, Jobs(), method, REQUEST)
    finally:
        done.set()
    assert browser.states()[-1] == "done"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "data:image/webp;base64,AAAA"}, "not a readable"),
        ({"target": "tea"}, "no class 'tea'"),
        ({"against": "mel"}, "two different classes"),
    ],
)
def test_what_cannot_be_explained_is_said(
    context: Context, browser: Browser, changes: dict[str, str], words: str
) -> None:
    jobs = Jobs()
    answer(context, jobs, "gradcam", {**REQUEST, **changes})
    store, data = browser.messages[-1]
    assert (store, data["state"]) == ("explain-answer-gradcam", "failed")
    assert words in data["message"]
    assert len(jobs) == 0


def test_progress_is_sent_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    eighths = count(1000, 0.125)
    monkeypatch.setattr(streaming.time, "monotonic", lambda: next(eighths))
    reporter = streaming.Reporter(
        "lime", (450, 600), lambda _, data: sent.append(data["done"]), started=1000, last_answer=1000
    )
    for done in range(0, 1000, 10):
        reporter(Progress(done, 1000))
    assert sent == list(range(40, 1000, 40))


def test_the_first_map_is_sent_at_once() -> None:
    sent: list[bool] = []
    reporter = streaming.Reporter("lime", (450, 600), lambda _, answer: sent.append("map" in answer))
    reporter(Progress(0, 1000))
    map_of_two_regions = Attribution(np.ones((2, 2), np.float32), "lime", Target("mel"), {}, 0, 8, 0.1)
    for done in (8, 24):
        reporter(Progress(done, 1000, map_of_two_regions))
    assert sent == [True]
