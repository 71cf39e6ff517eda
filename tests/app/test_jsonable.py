import json
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from app.jsonable import jsonable, restored


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


@dataclass(frozen=True)
class Inner:
    name: str
    share: float


@dataclass(frozen=True)
class Outer:
    count: int
    first: Inner
    missing: Inner | None
    there: Inner | None
    rows: tuple[Inner, ...]


def test_what_was_turned_into_json_comes_back() -> None:
    undefined, defined = Inner("a", float("nan")), Inner("b", 1)
    result = Outer(3, defined, None, defined, (defined, undefined))
    again = restored(Outer, json.loads(json.dumps(jsonable(result))))
    assert again.rows[0] == again.there == defined
    assert again.missing is None
    assert math.isnan(again.rows[1].share)
    assert isinstance(again.first.share, float)


def test_other_json_does_not_come_back() -> None:
    with pytest.raises(KeyError):
        restored(Inner, {"name": "a"})
