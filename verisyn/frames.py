"""The door for dataframes: any kind in, polars inside, and the same kind with the same data types out again."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.formats._rows import series as series_of
from verisyn.kinds import K
from verisyn.kinds._settings import tally


@dataclass(frozen=True)
class Origin:
    """What kind of dataframe came in, and all that is needed to give the like back.

    Parameters
    ----------
    native : str
        ``polars``, ``pandas``, ``pyarrow`` or ``file``.
    dtypes : dict
        The polars data type of each column before :func:`to_polars` simplified it, as text.
    extra : dict
        What only that kind of dataframe knows (JSON values): names, data types of its own, the order of levels.
    notes : tuple of str
        What was changed on the way in and should be said.
    """

    native: str
    dtypes: dict[str, str]
    extra: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        return {"native": self.native, "dtypes": self.dtypes, "extra": self.extra, "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Rebuild from what `to_dict` gave."""
        return cls(state["native"], dict(state["dtypes"]), dict(state["extra"]), tuple(state["notes"]))


def to_polars(native: Any) -> tuple[pl.DataFrame, Origin]:
    """Return a dataframe of any kind as a polars frame of simple types, and where it came from.

    Inside there are integers, floats, booleans, strings, dates, times, datetimes and durations. Categories become
    strings, decimals floats, nested values JSON text.

    Parameters
    ----------
    native : dataframe
        pandas, polars, pyarrow, or anything else that narwhals knows (which then comes back as polars).

    Raises
    ------
    UserError
        If it is no dataframe, has no rows or no columns, has two columns of one name, or holds binary data.

    Examples
    --------
    >>> frame, origin = to_polars(pl.DataFrame({"size": pl.Series(["s", "l"], dtype=pl.Enum(["s", "l"]))}))
    >>> frame["size"].dtype, from_polars(frame, origin)["size"].dtype
    (String, Enum(categories=['l', 's']))
    """
    from narwhals import dependencies as known

    if isinstance(native, pl.LazyFrame):
        native = native.collect()
    extra: dict[str, Any] = {}
    notes: list[str] = []
    if isinstance(native, pl.DataFrame):
        kind, frame = "polars", native
    elif known.is_pandas_dataframe(native):
        from verisyn._pandas import from_pandas

        kind = "pandas"
        frame, extra, notes = from_pandas(native)
    elif known.is_pyarrow_table(native):
        kind = "pyarrow"
        frame, extra = _from_arrow(native)
    else:
        kind, frame = "polars", _from_other(native)
        notes.append(f"The data came as {type(native).__name__}; it is given back as a polars frame.")
    if not frame.width or not frame.height:
        raise UserError(f"The dataframe has {frame.height} rows and {frame.width} columns. At least one of each is "
                        "needed.")
    frame, origin = simplify(frame, kind)
    return frame, Origin(kind, origin.dtypes, {**origin.extra, **extra}, (*notes, *origin.notes))


def from_polars(frame: pl.DataFrame, origin: Origin) -> Any:
    """Return a frame as the kind of dataframe, with the data types, that `origin` tells of.

    A category's levels are those that occur in `frame` and no others, so that no level of the real data shows. A column
    whose values its old data type cannot hold keeps the type it has.

    Raises
    ------
    UserError
        If the library of that kind of dataframe is not installed.
    """
    restored = with_dtypes(frame, origin)
    if origin.native not in ("pandas", "pyarrow"):
        return restored
    try:
        if origin.native == "pandas":
            from verisyn._pandas import to_pandas

            return to_pandas(restored, origin.extra)
        return _to_arrow(restored, origin.extra)
    except ImportError:
        raise UserError(f"The data came as {origin.native}, which is not installed here. Install it with: "
                        f"pip install {origin.native}") from None


def with_dtypes(frame: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Return a polars frame with the data types that `origin` tells of, for writing to a file."""
    return frame.select(_restore(column, origin) for column in frame)


def simplify(frame: pl.DataFrame, native: str) -> tuple[pl.DataFrame, Origin]:
    """Return a polars frame in the types that are used inside, and its origin.

    Raises
    ------
    UserError
        If a column holds binary data.
    """
    levels, notes, columns = {}, [], []
    for column in frame:
        simple = _simple(column)
        if isinstance(column.dtype, pl.Enum):
            levels[column.name] = shared_levels(simple, column.dtype.categories.to_list())
        if column.dtype.is_nested():
            notes.append(f"Column {column.name!r} holds nested values; they were kept as JSON text.")
        elif column.dtype == pl.Object and simple.dtype == pl.String:
            notes.append(f"Column {column.name!r} holds values of mixed types; they were kept as text.")
        columns.append(simple)
    dtypes = {column.name: _spell(column.dtype) for column in frame}
    return pl.DataFrame(columns), Origin(native, dtypes, {"levels": levels} if levels else {}, tuple(notes))


def shared_levels(column: pl.Series, levels: list[Any]) -> list[Any]:
    """Return those of `levels`, in their order, that enough rows of a column share to be shown."""
    often = set(tally(column).filter(pl.col("rows") >= K)["value"].to_list())
    return [level for level in levels if level in often]


def ordered_levels(present: list[Any], remembered: list[Any]) -> list[Any]:
    """Return the levels that occur: those whose order is remembered first, the others behind them in their own order.

    Examples
    --------
    >>> ordered_levels(["tall", "short", "odd"], ["short", "middling", "tall"])
    ['short', 'tall', 'odd']
    """
    rest = sorted(set(present) - set(remembered))
    return [level for level in remembered if level in set(present)] + rest


# -- polars ---------------------------------------------------------------------------------------------------------
def _simple(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if dtype == pl.Binary:
        raise UserError(f"Column {column.name!r} holds binary data, which cannot be modelled in a table. Leave it out.")
    if dtype == pl.Object:
        return series_of(column.name, column.to_list())
    if dtype.is_nested():
        return pl.Series(column.name, [_json(value) for value in column.to_list()], dtype=pl.String)
    if dtype in (pl.Categorical, pl.Enum, pl.Null):
        return column.cast(pl.String)
    if dtype.is_decimal():
        return column.cast(pl.Float64)
    if dtype.is_integer() and "128" in str(dtype):
        narrow = column.cast(pl.Int64, strict=False)
        return narrow if narrow.null_count() == column.null_count() else column.cast(pl.Float64)
    return column.cast(pl.Float32) if str(dtype) == "Float16" else column


def _json(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value.to_list() if isinstance(value, pl.Series) else value, ensure_ascii=False, default=str)


def _spell(dtype: pl.DataType) -> str:
    """A data type in words, without the categories that an Enum would list."""
    if isinstance(dtype, pl.Datetime):
        return f"Datetime {dtype.time_unit} {dtype.time_zone or ''}".strip()
    if isinstance(dtype, pl.Duration):
        return f"Duration {dtype.time_unit}"
    if isinstance(dtype, pl.Decimal):
        return f"Decimal {dtype.precision or 38} {dtype.scale}"
    nested = dtype.is_nested() or dtype == pl.Object
    return "String" if nested else str(dtype.base_type())


def _restore(column: pl.Series, origin: Origin) -> pl.Series:
    name, *words = origin.dtypes.get(column.name, "").split() or [""]
    try:
        if name == "Enum":
            present = column.drop_nulls().unique().to_list()
            return column.cast(pl.Enum(ordered_levels(present, origin.extra["levels"][column.name])))
        if name == "Decimal":
            return column.round(int(words[1])).cast(pl.Decimal(int(words[0]), int(words[1])))
        if name == "Null" and column.null_count() < len(column):
            return column
        dtype = getattr(pl, name, None) if name else None
        if dtype is None:
            return column
        return column.cast(dtype(*words) if words else dtype)
    except pl.exceptions.PolarsError:
        return column


# -- pyarrow, and all others ----------------------------------------------------------------------------------------
def spell_arrow(type_: Any) -> str:
    """Return an Arrow type as text; it holds no values, not even of a dictionary."""
    import pyarrow as pa

    return base64.b64encode(pa.schema([("", type_)]).serialize().to_pybytes()).decode()


def arrow_array(column: pl.Series, spelled: str) -> Any:
    """Return a column as an Arrow array of a spelled type (of its own type, where that cannot hold the values)."""
    import pyarrow as pa

    type_ = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(spelled))).field(0).type
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest())
    try:
        if not pa.types.is_dictionary(type_):
            return array.cast(type_)
        encoded = array.cast(type_.value_type).dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.cast(type_.index_type), encoded.dictionary,
                                              ordered=type_.ordered)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return array


def _from_arrow(table: Any) -> tuple[pl.DataFrame, dict[str, Any]]:
    refuse_repeated(table.column_names)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame, {"arrow": {field.name: spell_arrow(field.type) for field in table.schema}}


def _to_arrow(frame: pl.DataFrame, extra: dict[str, Any]) -> Any:
    import pyarrow as pa

    types = extra["arrow"]
    arrays = {c.name: arrow_array(c, types[c.name]) if c.name in types else c.to_arrow() for c in frame}
    return pa.table(arrays)


def _from_other(native: Any) -> pl.DataFrame:
    import narwhals as nw

    try:
        return nw.from_native(native).lazy().collect("polars").to_native()
    except TypeError:
        raise UserError(f"verisyn cannot read data from a value of type {type(native).__name__!r}. Give a path, or a "
                        "pandas, polars or pyarrow table; polars.DataFrame(…) makes one of lists, dicts and arrays."
                        ) from None


def refuse_repeated(names: list[str]) -> None:
    """Raise a UserError if a name occurs twice."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UserError(f"Two or more columns are called {', '.join(map(repr, repeated[:5]))}. Give every column a "
                        "name of its own.")


def some(frame: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return at most `most` rows, drawn without replacement, in order."""
    return frame if frame.height <= most else frame[np.sort(rng.choice(frame.height, most, replace=False))]
