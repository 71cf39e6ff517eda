"""Explanations that run in this process, so that they can be stopped."""

import threading


class Jobs:
    """At most one running job a key; a key names the connection and the method that the job works for.

    A connection leads to one process, so that whoever stops a job reaches the process that runs it.
    """

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], threading.Event] = {}
        self._lock = threading.Lock()

    def start(self, key: tuple[str, str]) -> threading.Event:
        """Stop the key's job if it has one, and return the event that will tell the new job to stop."""
        stop = threading.Event()
        with self._lock:
            previous = self._running.get(key)
            self._running[key] = stop
        if previous is not None:
            previous.set()
        return stop

    def stop(self, key: tuple[str, str]) -> None:
        """Tell the key's job to stop, if there is one."""
        with self._lock:
            stop = self._running.get(key)
        if stop is not None:
            stop.set()

    def stop_all_of(self, connection: str) -> None:
        """Tell all jobs of one connection to stop."""
        with self._lock:
            stops = [stop for (owner, _), stop in self._running.items() if owner == connection]
        for stop in stops:
            stop.set()

    def end(self, key: tuple[str, str], stop: threading.Event) -> None:
        """Forget a job that has ended, and have its thread stop in case it was abandoned."""
        stop.set()
        with self._lock:
            if self._running.get(key) is stop:
                del self._running[key]

    def __len__(self) -> int:
        return len(self._running)
