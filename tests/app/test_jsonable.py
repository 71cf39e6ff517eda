import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.jsonable import jsonable


@dataclass(frozen=True)
class Pair:
    first: float
    second: tuple[int, ...]


def test_what_json_cannot_carry_becomes_null_or_a_list() -> None:
    value = {
        "pair": Pair(float("nan"), (1, 2)),
        "array": np.array([[1.5, np.inf]], np.float32),
        "number": np.int64(3),
        "flag": np.bool_(True),
        "table": pd.DataFrame({"age": [40.0, np.nan], "site": ["back", pd.NA]}),
    }
    assert json.loads(json.dumps(jsonable(value), allow_nan=False)) == {
        "pair": {"first": None, "second": [1, 2]},
        "array": [[1.5, None]],
        "number": 3,
        "flag": True,
        "table": [{"age": 40.0, "site": "back"}, {"age": None, "site": None}],
    }
