"""numpy's global generator, for libraries that know no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np

_lock = Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global generator and give it back as it was; one thread at a time."""
    with _lock:
        state = np.random.get_state()
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)
