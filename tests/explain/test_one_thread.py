import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from explain.one_thread import OneThread


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"}


def test_contexts_that_overlap_leave_what_was_there() -> None:
    with threadpool_limits(2, "blas"):
        one_thread = OneThread()
        one_thread.__enter__()
        one_thread.__enter__()
        one_thread.__exit__(None, None, None)
        assert blas_threads() == {1}
        one_thread.__exit__(None, None, None)
        assert blas_threads() == {2}


def test_it_is_left_by_an_error_too() -> None:
    with threadpool_limits(2, "blas"):
        with pytest.raises(InterruptedError), OneThread():
            assert blas_threads() == {1}
            raise InterruptedError
        assert blas_threads() == {2}
