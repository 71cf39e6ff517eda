import threading

import pytest

from app import tensorflow_start
from app.context import Context
from app.tensorflow_start import TensorFlowStart, load_when_quiet, needs_tensorflow
from explain.methods import METHODS
from model.bundle import ModelBundle


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[ModelBundle]:
    """Which bundles were loaded, without TensorFlow."""
    loaded: list[ModelBundle] = []
    monkeypatch.setattr(tensorflow_start, "warm_up", loaded.append)
    return loaded


class Clock:
    """Stands for the time module and for an event that never comes: whoever waits lets time pass at once.

    At every nap one of `naps` is called.
    """

    def __init__(self, *naps: object) -> None:
        self.now = 0.0
        self._naps = list(naps)

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        if self._naps:
            self._naps.pop(0)()
        return False


def test_earlier_layers_need_it_and_gradients_that_onnx_runtime_cannot_give(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(needs_tensorflow(bundle, code, None) for code in METHODS)
    monkeypatch.setattr(tensorflow_start, "image_gradients_by_tensorflow", lambda _: True)
    needing = [code for code in METHODS if needs_tensorflow(bundle, code, None)]
    assert needing == ["gradient", "smoothgrad", "integrated_gradients"]
    assert needs_tensorflow(bundle, "layercam", "stage5_block0_expand_relu")
    assert not needs_tensorflow(bundle, "layercam", "features")


def test_it_is_loaded_once_however_many_wait(bundle: ModelBundle, loaded: list[ModelBundle]) -> None:
    start = TensorFlowStart()
    assert not start.ready(bundle)
    threads = [threading.Thread(target=start.load, args=(bundle,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == [bundle]
    assert start.ready(bundle)


def test_it_is_not_loaded_before_a_page_is_served(bundle: ModelBundle, loaded: list[ModelBundle]) -> None:
    class NoPage(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise InterruptedError

    context = Context(bundle)
    context.tensorflow.page_served = NoPage()
    with pytest.raises(InterruptedError):
        load_when_quiet(context)
    assert loaded == []


def test_it_gives_way_to_maps(bundle: ModelBundle, loaded: list[ModelBundle], monkeypatch: pytest.MonkeyPatch) -> None:
    context, lime = Context(bundle), ("tab", "lime")
    stops: list[threading.Event] = []
    clock = Clock(
        lambda: stops.append(context.maps.start(lime)),
        *[lambda: loaded and pytest.fail("It was loaded while a map was made.")] * 60,
        lambda: context.maps.end(lime, stops[0]),
    )
    monkeypatch.setattr(tensorflow_start, "time", clock)
    monkeypatch.setattr(context.tensorflow, "ended", clock)
    context.tensorflow.page_served.set()
    load_when_quiet(context)
    assert loaded == [bundle]
    assert clock.now > 6


def test_a_server_that_stops_before_it_has_served_a_page_loads_nothing(
    bundle: ModelBundle, loaded: list[ModelBundle]
) -> None:
    context = Context(bundle)
    context.tensorflow.end()
    load_when_quiet(context)
    assert loaded == []
