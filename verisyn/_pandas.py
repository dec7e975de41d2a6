"""pandas in and out, column by column through NumPy (pyarrow is not needed); data types come back as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.formats._rows import series as series_of
from verisyn.frames import arrow_array, ordered_levels, refuse_repeated, shared_levels, spell_arrow


def from_pandas(native: Any) -> tuple[pl.DataFrame, dict[str, Any], list[str]]:
    """Return the columns of a pandas dataframe, what :func:`to_pandas` needs, and notes.

    The index is left out; a note says so if it has a name.
    """
    names = [_name(label) for label in native.columns]
    refuse_repeated(names)
    notes = []
    if any(name is not None for name in native.index.names):
        called = ", ".join(repr(str(name)) for name in native.index.names if name is not None)
        notes.append(f"The index {called} was left out; reset_index() makes it a column.")
    columns, dtypes = [], {}
    for i, name in enumerate(names):
        column, dtypes[name] = _take(native.iloc[:, i], name)
        columns.append(column)
        if dtypes[name].get("mixed"):
            notes.append(f"Column {name!r} holds values of mixed types; they were kept as text.")
    extra: dict[str, Any] = {"pandas": dtypes}
    if names != list(native.columns):
        extra["names"] = [_spell_label(label) for label in native.columns]
    return pl.DataFrame(columns), extra, notes


def to_pandas(frame: pl.DataFrame, extra: dict[str, Any]) -> Any:
    """Return a pandas dataframe with the data types and column labels that came in, and a fresh index."""
    import pandas as pd

    dtypes = extra["pandas"]
    columns = {c.name: _give(c, dtypes[c.name]) if c.name in dtypes else c.to_numpy() for c in frame}
    out = pd.DataFrame(columns, index=pd.RangeIndex(frame.height))
    if "names" in extra:
        labels = dict(zip(dtypes, map(_label, extra["names"]), strict=True))
        new = [labels.get(name, name) for name in frame.columns]
        out.columns = pd.Index(new, tupleize_cols=all(isinstance(label, tuple) for label in new))
    return out


# -- labels ---------------------------------------------------------------------------------------------------------
def _name(label: Any) -> str:
    return " / ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _spell_label(label: Any) -> Any:
    if isinstance(label, tuple):
        return [_spell_label(part) for part in label]
    if isinstance(label, np.generic):
        label = label.item()
    return label if isinstance(label, int | float | str | None) else str(label)


def _label(spelled: Any) -> Any:
    return tuple(map(_label, spelled)) if isinstance(spelled, list) else spelled


# -- a column in ----------------------------------------------------------------------------------------------------
def _take(column: Any, name: str) -> tuple[pl.Series, dict[str, Any]]:
    """Return a column as polars, and its data type as JSON values."""
    import pandas as pd

    told: dict[str, Any] = {"dtype": str(column.dtype)}
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _take_category(column, name)
    if isinstance(dtype, pd.ArrowDtype):
        array = column.array.__arrow_array__()
        taken = pl.from_arrow(array)
        assert isinstance(taken, pl.Series)
        return taken.alias(name), {"dtype": "arrow", "arrow": spell_arrow(dtype.pyarrow_dtype)}
    if isinstance(dtype, pd.StringDtype):
        if dtype.na_value is pd.NA:
            told["dtype"] = f"string[{dtype.storage}]"
        return pl.Series(name, _objects(column), dtype=pl.String), told
    gone = column.isna().to_numpy()
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _zoned(column, gone, name), told
    if dtype.kind in "biufmM" and not isinstance(dtype, pd.PeriodDtype):
        plain = getattr(dtype, "numpy_dtype", dtype)
        values = column.to_numpy() if plain is dtype else column.array.to_numpy(plain, na_value=plain.type(0))
        return _masked(values, gone, name), told
    if dtype.kind == "c":
        raise UserError(f"Column {name!r} holds complex numbers, which cannot be modelled. Split them in two.")
    return _take_objects(column, name, told)


def _take_category(column: Any, name: str) -> tuple[pl.Series, dict[str, Any]]:
    inner, dtype = column.cat.categories.dtype, column.dtype
    values, told = _take(_spread(column) if column.isna().any() else column.astype(inner), name)
    told = {"dtype": "category", "inner": told, "ordered": bool(dtype.ordered)}
    if dtype.ordered:
        levels, _ = _take(dtype.categories.to_series(), "")
        told["levels"] = shared_levels(values, levels.to_list()) if not levels.dtype.is_temporal() else []
    return values, told


def _spread(column: Any) -> Any:
    """A category's values where some are missing: of a type that can be missing."""
    inner = column.cat.categories.dtype
    return column.astype(_nullable(inner) if inner.kind in "iub" else inner)


def _nullable(dtype: Any) -> str:
    return "boolean" if dtype.kind == "b" else dtype.name.replace("i", "I", 1).replace("uI", "UI", 1)


def _take_objects(column: Any, name: str, told: dict[str, Any]) -> tuple[pl.Series, dict[str, Any]]:
    import decimal

    values = _objects(column)
    types = {type(v) for v in values} - {type(None)}
    if types == {decimal.Decimal}:
        return pl.Series(name, values), told
    taken = series_of(name, values)
    if taken.dtype == pl.String and types and types != {str} and column.dtype == object:
        told["mixed"] = True
    return taken, told


def _objects(column: Any) -> list[Any]:
    """The values as plain Python objects, None where missing."""
    missing = column.isna().to_numpy()
    return [None if gone else _plain(value) for value, gone in zip(column.to_numpy(object), missing, strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if type(value).__module__.startswith("pandas"):
        return value.to_pydatetime() if hasattr(value, "to_pydatetime") else str(value)
    return value


def _masked(values: np.ndarray, gone: np.ndarray, name: str) -> pl.Series:
    kind = values.dtype.kind
    if kind not in "mM":
        wide = values.astype(np.float32) if values.dtype == np.float16 else values
        series = pl.Series(name, np.ascontiguousarray(wide))
    else:
        unit = np.datetime_data(values.dtype)[0]
        unit = unit if unit in ("ms", "us", "ns") else "ms"
        values = values.astype(f"{kind}8[{unit}]").view(np.int64)
        dtype = pl.Datetime(unit) if kind == "M" else pl.Duration(unit)  # type: ignore[arg-type]
        series = pl.Series(name, values).cast(dtype)
    return series.set(pl.Series(gone), None) if gone.any() else series


def _zoned(column: Any, gone: np.ndarray, name: str) -> pl.Series:
    naive = column.dt.tz_convert("UTC").dt.tz_localize(None)
    utc = _masked(naive.to_numpy(), gone, name).dt.replace_time_zone("UTC")
    try:
        return utc.dt.convert_time_zone(str(column.dt.tz))
    except pl.exceptions.PolarsError:  # a fixed offset without a name
        return utc


# -- a column out ---------------------------------------------------------------------------------------------------
def _give(column: pl.Series, told: dict[str, Any]) -> Any:
    """Return a column as pandas, of the data type it had; of the nearest one where that cannot hold the values."""
    import pandas as pd

    dtype = told["dtype"]
    if dtype == "category":
        values = _give(column, told["inner"])
        present = values.dropna().unique().tolist()
        levels = pd.Index(ordered_levels(present, told.get("levels", [])), dtype=values.dtype)
        return pd.Series(pd.Categorical(values, categories=levels, ordered=told["ordered"]))
    if dtype == "arrow":
        return pd.Series(pd.arrays.ArrowExtensionArray(arrow_array(column, told["arrow"])))
    try:
        return _give_plain(column, dtype)
    except (TypeError, ValueError):
        return pd.Series(column.to_list())


def _give_plain(column: pl.Series, dtype: str) -> Any:
    import pandas as pd

    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is None:
            return pd.Series(column.to_numpy()).astype(dtype)
        naive = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy()
        return pd.Series(naive).dt.tz_localize("UTC").astype(dtype)
    if column.dtype == pl.Duration or (column.dtype.is_numeric() and dtype[0] in "iuf" and not _holes(column, dtype)):
        return pd.Series(column.to_numpy()).astype(dtype)
    if _holes(column, dtype):
        return pd.Series(column.to_list(), dtype=_nullable(np.dtype(dtype)))
    return pd.Series(column.to_list(), dtype=dtype)


def _holes(column: pl.Series, dtype: str) -> bool:
    """Whether a NumPy type without missing values is to hold some."""
    return column.null_count() > 0 and dtype.startswith(("int", "uint", "bool")) and dtype != "boolean"
