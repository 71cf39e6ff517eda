"""Tables as CSV files to download."""

import pandas as pd
from fastapi import Response


def csv_answer(table: pd.DataFrame, filename: str) -> Response:
    """`table` as a CSV file called `filename`, without its index."""
    disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(table.to_csv(index=False), media_type="text/csv", headers=disposition)
