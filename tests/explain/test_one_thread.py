from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import OpenBLASController, ThreadpoolController, threadpool_limits

from explain.one_thread import OneThread


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    OpenBLASController.clear_controlling_thread(force=True)  # another test's thread may have it
    with threadpool_limits(2, "blas"):
        yield


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"}


def test_threads_that_overlap_leave_what_was_there_whoever_leaves_first() -> None:
    one_thread = OneThread()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        for thread in (first, second):
            thread.submit(one_thread.__enter__).result()
        first.submit(one_thread.__exit__, None, None, None).result()
        assert blas_threads() == {1}
        second.submit(one_thread.__exit__, None, None, None).result()
        assert blas_threads() == {2}
        second.submit(one_thread.__enter__).result()  # though the first has had it, and lives
        assert blas_threads() == {1}
        second.submit(one_thread.__exit__, None, None, None).result()


def test_contexts_may_lie_in_each_other_and_be_left_by_an_error() -> None:
    one_thread = OneThread()
    with pytest.raises(InterruptedError), one_thread:
        with one_thread:
            pass
        assert blas_threads() == {1}
        raise InterruptedError
    assert blas_threads() == {2}
