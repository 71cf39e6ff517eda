"""What every page and every API route draws on: the model, its test predictions, and the images if they are here."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.results import Results
from model.bundle import ModelBundle
from model.prediction import Predictor

CONCURRENT_EXPLANATIONS = 2


@dataclass(frozen=True)
class Context:
    """Read-only, so that any number of server processes can hold the same one.

    `data_path` is the folder of the data set whose images are shown beside the predictions, or None.
    """

    bundle: ModelBundle
    data_path: Path | None = None

    @cached_property
    def predictor(self) -> Predictor:
        """The model, ready to run; safe to share between threads."""
        return Predictor(self.bundle)

    @cached_property
    def explanation_threads(self) -> ThreadPoolExecutor:
        """Where slow explanations run: so few at a time that each is worth its wait, the others queue."""
        return ThreadPoolExecutor(CONCURRENT_EXPLANATIONS, thread_name_prefix="explanation")

    @cached_property
    def results(self) -> Results:
        """The model's test predictions and what they amount to."""
        return Results(self.bundle)

    @cached_property
    def image_paths(self) -> dict[str, Path]:
        """Image files by image_id; empty without a data set."""
        if self.data_path is None:
            return {}
        from model.cases import read_cases

        table = read_cases(self.data_path).dropna(subset="path")
        return {image_id: Path(path) for image_id, path in zip(table["image_id"], table["path"], strict=True)}
