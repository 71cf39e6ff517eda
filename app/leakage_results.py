"""What the committed predictions say about leakage, each worked out once."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from analysis.leakage import COMPARED, Face, predictions_file, read_faces
from analysis.overlap import OVERLAP_FILE, read_overlap


@dataclass(frozen=True, eq=False)
class LeakageResults:
    """The overlap table and the two faces of one network in `folder`; PredictionsError for files that are damaged."""

    folder: Path

    @cached_property
    def overlap(self) -> pd.DataFrame | None:
        """The overlap table of HAM10000 (`analysis.overlap.overlap_table`), or None where it has not been made."""
        return read_overlap(self.folder) if (self.folder / OVERLAP_FILE).exists() else None

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """The leaky face and the honest one; none where their networks have not been trained and measured."""
        measured = all((self.folder / predictions_file(protocol)).exists() for protocol in COMPARED)
        return read_faces(self.folder) if measured else ()
