"""Features as they come: what kind a column is, and its values as floats or labels with one sign for "missing".

Here belongs reading columns (nullable, Arrow, categorical and object dtypes, Decimals) and refusing frames that nobody can read; not what
a model makes of the values (binning.py).
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from numbers import Real
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Kind = Literal["number", "boolean", "category", "empty"]

LISTED = 5  # names in one message


def kind_of(column: pd.Series) -> Kind:
    """What a column holds; `empty` if nothing but missing values. ValueError for dates (pass days since) and for lists or objects."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "empty" if column.isna().all() else "category"
    if dtype.kind in "Mm":
        raise ValueError(_is_a_date(column.name))
    if column.isna().all():
        return "empty"
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if dtype.kind == "c":
        raise ValueError(f"feature {column.name!r} holds complex numbers")
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if not isinstance(dtype, np.dtype) and pd.api.types.is_string_dtype(dtype):
        return "category"
    return _kind_of_objects(column)


def _kind_of_objects(column: pd.Series) -> Kind:
    types = set(map(type, column.dropna().to_numpy(dtype=object)))
    if any(issubclass(kind, (date, time, timedelta, np.datetime64, np.timedelta64)) for kind in types):
        raise ValueError(_is_a_date(column.name))
    if all(issubclass(kind, (bool, np.bool_)) for kind in types):
        return "boolean"
    if all(issubclass(kind, (Real, Decimal, np.bool_)) for kind in types):
        return "number"
    unreadable = sorted(kind.__name__ for kind in types if not issubclass(kind, (str, Real, Decimal, np.bool_)))
    if unreadable:
        raise ValueError(f"feature {column.name!r} holds values of type {unreadable[0]}: pass numbers, booleans or text")
    return "category"


def _is_a_date(name: object) -> str:
    return f"feature {name!r} holds dates or times: pass days since or until instead, as of the snapshot"


def as_numbers(column: pd.Series) -> Floats:
    """Values of a number or boolean column as floats, NaN where missing. ValueError where it holds text."""
    if kind_of(column) == "category":
        raise ValueError(f"feature {column.name!r} was a number when the model was fitted and is text or a category now")
    return column.to_numpy(dtype=float, na_value=np.nan)


def as_labels(column: pd.Series) -> tuple[Codes, list[str]]:
    """Values of a category column as positions in a list of labels, -1 where missing. The list may name a label twice."""
    codes, values = pd.factorize(column)
    return codes.astype(np.intp), [_label(value) for value in values]


def _label(value: object) -> str:
    # A level must not change its name because a gap elsewhere in the column turned integers into floats.
    return str(int(value)) if isinstance(value, (float, np.floating)) and np.isfinite(value) and value == int(value) else str(value)


def check_features(features: pd.DataFrame) -> None:
    """ValueError unless `features` is a frame with rows, with text names, and neither a column nor a row twice."""
    if not isinstance(features, pd.DataFrame):
        raise ValueError(f"features must be a DataFrame, one row per customer and snapshot; this is a {type(features).__name__}")
    if features.shape[1] == 0:
        raise ValueError("features has no columns")
    unnamed = [repr(name) for name in features.columns if not isinstance(name, str)]
    if unnamed:
        raise ValueError(f"features must have text as column names, not {listed(unnamed)}")
    if features.columns.has_duplicates:
        raise ValueError(f"features has columns twice: {listed(features.columns[features.columns.duplicated()].unique())}")
    if features.index.has_duplicates:
        twice = features.index[features.index.duplicated()].unique()
        raise ValueError(f"features names {len(twice)} rows twice in its index, e.g. {twice[0]}: reset it, unless a join has multiplied them")


def outcomes(churned: pd.Series | NDArray, features: pd.DataFrame | None = None) -> Floats:
    """Labels as 0.0 and 1.0. ValueError where one is missing or something else, or where they don't belong to the rows of `features`."""
    if features is not None:
        if len(churned) != len(features):
            raise ValueError(f"features has {len(features)} rows and churned {len(churned)}")
        if isinstance(churned, pd.Series) and not churned.index.equals(features.index):
            raise ValueError("features and churned have different indexes: align them first, e.g. churned.reindex(features.index)")
    values = pd.Series(churned)
    gaps = int(values.isna().sum())
    if gaps:
        raise ValueError(f"{gaps} of {len(values)} outcomes are missing: leave out the customers whose 90 days are not over")
    try:
        numbers = values.to_numpy(dtype=float)
    except (TypeError, ValueError):
        raise ValueError("churned must hold booleans, or 0 and 1") from None
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise ValueError("churned must hold booleans, or 0 and 1")
    return numbers


def group_codes(groups: pd.Series | NDArray | None, rows: int) -> Codes:
    """One number per row: which customer it belongs to; without `groups` each row is its own. ValueError for gaps or another length."""
    if groups is None:
        return np.arange(rows)
    if len(groups) != rows:
        raise ValueError(f"groups names the customer of {len(groups)} rows, but there are {rows}")
    codes, _ = pd.factorize(pd.Series(groups))
    if (codes < 0).any():
        raise ValueError(f"groups has no customer for {np.count_nonzero(codes < 0)} of {rows} rows")
    return codes.astype(np.intp)


def listed(names: object) -> str:
    """Names for a message: the first few, and how many more there are."""
    names = [str(name) for name in names]
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
