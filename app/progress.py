"""A progress bar on the terminal's error stream, so that what a command prints can be piped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Seconds of work that the time left is told by; a step of an audit may take minutes, which rich's 30 would forget.
PERIOD = 3600


@contextmanager
def progress_bar(title: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show how many are done and the time left; gives a function to be told how many, and of how many if that changes.

    Where there is no terminal nothing is shown.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns,
        console=console,
        transient=True,
        redirect_stdout=False,
        disable=not console.is_terminal,
        speed_estimate_period=PERIOD,
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda done, total=total: progress.update(task, completed=done, total=total)
