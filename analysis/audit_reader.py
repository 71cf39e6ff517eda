"""Reading an audit through DuckDB: the columns that are asked for, and no others, leave the disk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit_manifest import AuditError, Manifest, read_manifest
from analysis.predictions import class_maps


@dataclass(frozen=True, eq=False)
class Audit:
    """A finished audit in `folder`, as `lesionlens audit` writes it."""

    folder: Path
    manifest: Manifest

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns; raises AuditError for parts that cannot be read."""
        with self._reading():
            return tuple(self._relation().columns)

    def table(self, columns: Sequence[str], image_id: str | None = None) -> pd.DataFrame:
        """These columns of every case, or of one, ordered by image_id.

        Raises AuditError for a column that there is not, and for parts that cannot be read.
        """
        unknown = [name for name in columns if name not in self.columns]
        if unknown:
            raise AuditError(f"The audit in {self.folder} has no column {', '.join(unknown)}.")
        with self._reading():
            relation = self._relation()
            if image_id is not None:
                relation = relation.filter(duckdb.ColumnExpression("image_id") == duckdb.ConstantExpression(image_id))
            table: pd.DataFrame = relation.order("image_id").select(*map(duckdb.ColumnExpression, columns)).df()
        return table

    def maps(self, image_id: str) -> dict[str, NDArray[np.float32]]:
        """The signed Grad-CAM maps of one case by class, each (side, side); raises AuditError for an unknown case."""
        found = self.table(["gradcam", "gradcam_scale"], image_id)
        if found.empty:
            raise AuditError(f"The audit in {self.folder} has no case {image_id}.")
        steps, scale = found.iloc[0]
        return class_maps(np.asarray(steps, np.float32) * np.float32(scale), self.manifest.classes)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise AuditError(
                f"The audit in {self.folder} cannot be read ({reason}). Delete the damaged part and run the same "
                "command again."
            ) from error

    def _relation(self) -> duckdb.DuckDBPyRelation:
        # A connection of its own: DuckDB's are not shared between threads.
        return duckdb.connect().read_parquet(str(self.folder / "part-*.parquet"))


def open_audit(folder: Path) -> Audit:
    """The audit in `folder`; raises AuditError where there is none, or parts of it are still to be made."""
    manifest = read_manifest(folder)
    there = sum(1 for _ in folder.glob("part-*.parquet"))
    if there != manifest.parts:
        raise AuditError(
            f"The audit in {folder} is not finished: {there} of {manifest.parts} parts are there. The same command "
            "goes on where it stopped."
        )
    return Audit(folder, manifest)
