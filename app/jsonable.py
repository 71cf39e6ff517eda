"""Results as JSON can carry them, and back."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd


def jsonable(value: Any) -> Any:
    """Turn dataclasses into objects, arrays and tuples into lists, tables into lists of rows, and NaN into null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, pd.DataFrame):
        return jsonable(value.to_dict("records"))
    if isinstance(value, np.ndarray | np.generic):
        return jsonable(value.tolist())
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    undefined = value is pd.NA or (isinstance(value, float) and not math.isfinite(value))
    return None if undefined else value


def restored(kind: Any, value: Any) -> Any:
    """The result of type `kind` that `jsonable` turned into `value`: dataclasses of such, tuples, numbers and text.

    Raises KeyError, TypeError or ValueError when `value` is another's.
    """
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: restored(hints[name], value[name]) for name in hints})
    if get_origin(kind) is tuple:
        return tuple(restored(get_args(kind)[0], item) for item in value)
    if NoneType in get_args(kind):
        return None if value is None else restored(get_args(kind)[0], value)
    if kind is float:
        return math.nan if value is None else float(value)
    return value
