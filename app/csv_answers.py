"""Tables as CSV files to download."""

from collections.abc import Mapping

import pandas as pd
from fastapi import Response

from analysis.bootstrap import Estimate


def estimate_columns(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Estimates by name as columns: each its value, and the ends of its interval as NAME_low and NAME_high."""
    ends = (("", "value"), ("_low", "low"), ("_high", "high"))
    return {f"{name}{suffix}": getattr(one, end) for name, one in estimates.items() for suffix, end in ends}


def csv_answer(table: pd.DataFrame, filename: str) -> Response:
    """`table` as a CSV file called `filename`, without its index."""
    disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(table.to_csv(index=False), media_type="text/csv", headers=disposition)
