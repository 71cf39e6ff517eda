"""Where long measurements let others go first, or end."""

from collections.abc import Callable

# Called between batches of the network; it may wait, or raise to end the measurement.
Pause = Callable[[], None]


def go_on() -> None:
    """The pause of whoever has time."""
