import os
import threading

from model.tensorflow_start import closed_error_stream


def error_stream() -> tuple[int, int]:
    status = os.fstat(2)
    return status.st_dev, status.st_ino


def test_two_threads_leave_the_error_stream_as_they_found_it() -> None:
    before, inside, leave = error_stream(), threading.Event(), threading.Event()

    def first() -> None:
        with closed_error_stream():
            inside.set()
            leave.wait()

    def second() -> None:
        with closed_error_stream():
            pass

    threads = [threading.Thread(target=one) for one in (first, second)]
    threads[0].start()
    inside.wait()
    assert error_stream() != before
    threads[1].start()
    leave.set()
    for thread in threads:
        thread.join()
    assert error_stream() == before
