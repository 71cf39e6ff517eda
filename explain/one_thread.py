"""Linear algebra on one thread, for as long as anybody in the process asks for it."""

from threading import Lock
from types import TracebackType

from threadpoolctl import OpenBLASController, ThreadpoolController


class OneThread:
    """A context in which BLAS keeps to one thread; contexts may overlap, in one thread or in several.

    The setting is the process' own. Each context by itself would take what another has set for what was there before,
    and leave that for good; so the first sets it, and the last puts back what the first found.
    """

    def __init__(self) -> None:
        self._controller = ThreadpoolController()
        self._lock = Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                _let_this_thread_set_it()
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _let_this_thread_set_it()
                self._limit.restore_original_limits()
                _let_this_thread_set_it()


def _let_this_thread_set_it() -> None:
    """threadpoolctl otherwise lets only that thread set OpenBLAS' threads which did it first."""
    OpenBLASController.clear_controlling_thread(force=True)


ONE_THREAD = OneThread()
