"""What `lesionlens train` shows while it works: the epochs so far and the progress of this one."""

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

if TYPE_CHECKING:
    from model.training import Configuration, TrainingProgress


class TrainingDisplay:
    """A live table on the terminal's error stream; where there is no terminal, one line per epoch."""

    def __init__(self, configuration: "Configuration") -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=self._console)
        self._task = self._bar.add_task("Starting", total=None)
        self._live = Live(self._bar, console=self._console, refresh_per_second=4)
        self._title = f"{configuration.network}, {configuration.size} px, {configuration.protocol} {configuration.fold}"
        self._reported = 0

    def __enter__(self) -> "TrainingDisplay":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show_decoding(self, done: int, total: int) -> None:
        """Images decoded into the cache so far."""
        self._bar.update(self._task, description="Decoding images (once)", completed=done, total=total)

    def show(self, progress: "TrainingProgress") -> None:
        """Where the training stands."""
        description = (
            f"Epoch {progress.epoch}/{progress.epochs}  loss {progress.loss:.3f}  "
            f"{progress.images_per_second:.0f} images/s  {_duration(progress.seconds_left)} left"
        )
        self._bar.update(self._task, description=description, completed=progress.step, total=progress.steps)
        if self._console.is_terminal:
            self._live.update(Group(self._history(progress.history), self._bar))
            return
        for row in progress.history[self._reported :]:
            # Epochs from before a resumption say nothing of the time that is left.
            left = f", {_duration(progress.seconds_left)} left" if row["epoch"] == progress.epoch else ""
            self._console.print(
                f"epoch {row['epoch']:.0f}/{progress.epochs}: loss {row['loss']:.4f}, validation balanced accuracy "
                f"{row['validation_balanced_accuracy']:.4f}, macro AUC {row['validation_macro_auc']:.4f}{left}",
                soft_wrap=True,
            )
        self._reported = len(progress.history)

    def _history(self, history: list[dict[str, float]]) -> Table:
        table = Table(title=self._title, title_justify="left")
        for column in ("Epoch", "Loss", "Validation loss", "Balanced accuracy", "Macro AUC"):
            table.add_column(column, justify="right")
        for row in history[-12:]:
            figures = ("loss", "validation_loss", "validation_balanced_accuracy", "validation_macro_auc")
            table.add_row(f"{row['epoch']:.0f}", *(f"{row[name]:.4f}" for name in figures))
        return table


def _duration(seconds: float) -> str:
    minutes, seconds_only = divmod(int(seconds), 60)
    hours, minutes_only = divmod(minutes, 60)
    return f"{hours}:{minutes_only:02}:{seconds_only:02}" if hours else f"{minutes_only}:{seconds_only:02}"
