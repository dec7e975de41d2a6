"""Laws that every kind on the shelf keeps; a kind is found by itself, and tried on the columns that it claims."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from verisyn import shelves
from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw
from verisyn.schema import Column

ROWS = 2000
_RNG = np.random.default_rng(5)


def _sometimes_missing(values: pl.Series, share: float = 0.1) -> pl.Series:
    return values.set(pl.Series(_RNG.random(len(values)) < share), None)


def _bank() -> dict[str, pl.DataFrame]:
    """Columns of every sort, by name; the name is the column's."""
    rng = _RNG
    seconds = pl.Series(rng.integers(1_400_000_000, 1_700_000_000, ROWS) * 1_000_000).cast(pl.Datetime("us"))
    words = ["red", "gréen", "蓝色", " spaced ", "", "🙂", "x" * 300]
    rare = [f"onlyone-{i}" for i in range(40)]
    amounts = rng.lognormal(6, 1, ROWS)
    spans = rng.exponential(4000, ROWS).astype(int).tolist()
    hexes = ["".join(rng.choice(list("0123456789abcdef"), 32)) for _ in range(ROWS)]
    names = rng.choice(["Anna", "Bob", "Carla", "David", "Emma", "Frank"], (ROWS, 2))
    vocabulary = ["lamp", "broken", "please", "call", "again", "window", "north"]
    texts = [" ".join(rng.choice(vocabulary, rng.integers(4, 12))) + f" {i}" for i in range(ROWS)]
    columns = [
        pl.Series("weight", rng.normal(70, 12, ROWS)),
        pl.Series("sparse", rng.integers(0, 10**15, ROWS)),
        pl.Series("age", rng.integers(17, 90, ROWS), dtype=pl.UInt8),
        pl.Series("gain", np.where(rng.random(ROWS) < 0.8, 0.0, np.round(rng.pareto(1.2, ROWS) * 100, 2))),
        pl.Series("ratio", np.round(rng.random(ROWS), 2), dtype=pl.Float32),
        pl.Series("price", [f"${a:,.2f}" for a in amounts]),
        pl.Series("cost", pl.Series([f"{a:.2f}" for a in amounts]).cast(pl.Decimal(12, 2))),
        pl.Series("colour", [*rng.choice(words, ROWS - 40), *rare]),
        pl.Series("grade", rng.choice(list("abcd"), ROWS), dtype=pl.Categorical),
        pl.Series("size", rng.choice(["s", "m", "l"], ROWS), dtype=pl.Enum(["s", "m", "l", "xl"])),
        pl.Series("active", rng.random(ROWS) < 0.3),
        pl.Series("smoker", rng.choice(["Yes", "No"], ROWS)),
        pl.Series("flag", rng.integers(0, 2, ROWS), dtype=pl.Int8),
        seconds.alias("created"),
        seconds.dt.date().alias("born"),
        seconds.dt.offset_by("-300y").alias("ancient"),
        seconds.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo").alias("zoned"),
        seconds.dt.to_string("%d.%m.%Y %H:%M").alias("when"),
        seconds.dt.time().alias("clock"),
        pl.Series("took", spans).cast(pl.Duration("ms")) * 1000,
        pl.Series("lap_time_taken", [f"{s // 60}m {s % 60}s" for s in spans]),
        pl.Series("customer_id", range(1, ROWS + 1)),
        pl.Series("token", hexes),
        pl.Series("email", [f"{a}.{b}{i}@mail{i % 7}.net".lower() for i, (a, b) in enumerate(names)]),
        pl.Series("comment", texts),
    ]
    frames = {c.name: _sometimes_missing(c).to_frame() for c in columns}
    frames["lat+lon"] = pl.DataFrame({"lat": rng.normal(52, 1, ROWS), "lon": rng.normal(13, 1, ROWS)})
    return frames


BANK = _bank()
KINDS = shelves.kinds.names()


@cache
def _claims() -> dict[str, list[str]]:
    """Which columns of the bank each kind claims, as its surest claimant."""
    out: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for name, frame in BANK.items():
        sure = {}
        for kind in KINDS:
            try:
                sure[kind] = shelves.kinds.take(kind).recognise(frame.to_series(0), frame.columns[0]).confidence
            except Declined:
                pass
        out[max(sure, key=lambda k: sure[k])].append(name)
    return out


EXAMPLES = [(kind, name) for kind, names in _claims().items() for name in names]
MODELLED = [(k, n) for k, n in EXAMPLES if getattr(shelves.kinds.take(k), "modelled", True)]


def learn(kind: str, frame: pl.DataFrame, like: pl.DataFrame | None = None, seed: int = 0):
    """Learn a coder on `frame`, with the settings that recognising `like` suggests."""
    module = shelves.kinds.take(kind)
    columns = []
    for name in frame.columns:
        try:
            found = module.recognise((frame if like is None else like)[name], name).settings
        except Declined:
            found = {}
        columns.append(Column(name=name, kind=kind, dtype=str(frame[name].dtype), settings=found))
    return module.Coder.learn(frame, columns, np.random.default_rng(seed))


def draw(rows: int, seed: int = 1) -> Draw:
    rng = np.random.default_rng(seed)
    return Draw(rng, rng.integers(0, 2**62, rows))


def check_codes(coder, codes: np.ndarray, rows: int) -> None:
    assert codes.dtype == np.int32
    assert codes.shape == (rows, len(coder.parts))
    for part, column in zip(coder.parts, codes.T, strict=True):
        assert ((column >= 0) & (column < part.size)).all()
        assert -1 <= part.missing < part.size
        assert not part.ordered or part.missing in (-1, part.size - 1)


def round_trip(coder, frame: pl.DataFrame, seed: int = 1) -> pl.DataFrame:
    codes = coder.encode(frame)
    check_codes(coder, codes, frame.height)
    back = coder.decode(codes, draw(frame.height, seed))
    assert back.columns == frame.columns
    for column in frame.columns:
        if isinstance(frame[column].dtype, pl.Enum):  # its list of categories may lose those that few rows have
            assert isinstance(back[column].dtype, pl.Enum)
        else:
            assert back[column].dtype == frame[column].dtype
    assert back.height == frame.height
    return back


def disk(state):
    """What a state is after it went through JSON and an .npz file."""
    arrays: dict[str, np.ndarray] = {}

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [strip(v) for v in value]
        if isinstance(value, np.ndarray):
            assert value.dtype != object
            arrays[f"a{len(arrays)}"] = value
            return {"@": f"a{len(arrays) - 1}"}
        return value

    text = json.dumps(strip(state), allow_nan=False)
    file = io.BytesIO()
    np.savez(file, **arrays)
    loaded = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)

    def fill(value):
        if isinstance(value, dict):
            return loaded[value["@"]] if set(value) == {"@"} else {k: fill(v) for k, v in value.items()}
        return [fill(v) for v in value] if isinstance(value, list) else value

    return fill(json.loads(text))


def held(state) -> tuple[set[str], set[float]]:
    """All texts and all numbers that a state holds."""
    texts: set[str] = set()
    numbers: set[float] = set()
    stack = [state]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack += [*value.keys(), *value.values()]
        elif isinstance(value, (list, tuple)):
            stack += value
        elif isinstance(value, np.ndarray):
            (numbers if value.dtype.kind in "iuf" else texts).update(value.ravel().tolist())
        elif isinstance(value, str):
            texts.add(value)
        elif isinstance(value, (int, float)):
            numbers.add(value)
    return texts, numbers


@pytest.mark.parametrize("kind", KINDS)
def test_the_bank_has_a_column_for_every_kind(kind):
    assert _claims()[kind], f"no column of the bank is claimed by {kind}; add one"


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_data_type_and_missing_share_come_back(kind, name):
    frame = BANK[name]
    back = round_trip(learn(kind, frame), frame)
    for column in frame.columns:
        assert back[column].null_count() == frame[column].null_count()


@pytest.mark.parametrize(("kind", "name"), MODELLED)
def test_distribution_comes_back(kind, name):
    frame = BANK[name]
    coder = learn(kind, frame)
    back = round_trip(coder, frame)
    for real, fake in zip(coder.features(frame), coder.features(back), strict=True):
        a, b = (f.values[~np.isnan(f.values)] for f in (real, fake))
        if real.levels:
            counts = [np.bincount(v.astype(int), minlength=real.levels) / len(v) for v in (a, b)]
            assert np.abs(counts[0] - counts[1]).sum() / 2 < 0.03
        else:
            assert ks_2samp(a, b, method="asymp").statistic < 0.02
            assert a.min() <= b.min() <= b.max() <= a.max()


@pytest.mark.parametrize(("kind", "name"), MODELLED)
def test_codes_come_back(kind, name):
    frame = BANK[name]
    coder = learn(kind, frame)
    codes = coder.encode(frame)
    again = coder.encode(coder.decode(codes, draw(frame.height)))
    ordered = [i for i, part in enumerate(coder.parts) if part.ordered]
    assert (codes[:, ordered] == again[:, ordered]).mean() > 0.98 if ordered else True


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_same_seed_same_values_also_from_disk(kind, name):
    frame = BANK[name]
    coder = learn(kind, frame)
    codes = coder.encode(frame)
    first = coder.decode(codes, draw(frame.height))
    twin = learn(kind, frame)
    restored = type(coder).restore(coder.columns, disk(coder.state()))
    assert first.equals(twin.decode(twin.encode(frame), draw(frame.height)))
    assert first.equals(restored.decode(restored.encode(frame), draw(frame.height)))
    assert restored.parts == coder.parts


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_columns_of_any_shape_survive(kind, name):
    frame = BANK[name]
    nothing = pl.DataFrame({c: pl.repeat(None, 30, dtype=frame[c].dtype, eager=True) for c in frame.columns})
    first = frame.drop_nulls().head(1)
    for training in (frame.clear(), nothing, first, pl.concat([first] * 30), frame.head(7), frame.head(20)):
        coder = learn(kind, training, like=frame)
        for seen in (training, frame, nothing, frame.clear()):
            round_trip(coder, seen)


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_all_missing_stays_missing(kind, name):
    frame = BANK[name]
    nothing = pl.DataFrame({c: pl.repeat(None, 30, dtype=frame[c].dtype, eager=True) for c in frame.columns})
    back = round_trip(learn(kind, nothing, like=frame), nothing)
    assert all(back[c].null_count() == 30 for c in frame.columns)


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_no_rare_value_is_kept(kind, name):
    """A value of fewer than 5 rows is not in the state.

    Whole numbers are a lattice: there a number may stand in the state if it is small (below 10 000, as codes and
    counts are), or if its neighbours are training values too, so that it tells no more than that the lattice is full.
    """
    frame = BANK[name]
    texts, numbers = held(learn(kind, frame).state())
    for column in frame.columns:
        values = frame[column].drop_nulls()
        counts = Counter(values.to_list())
        rare = {v for v, rows in counts.items() if rows < 5}
        if values.dtype == pl.String:
            assert not [v for v in rare if any(v in text for text in texts)]
        elif values.dtype.is_float():
            assert not {v for v in rare if v != round(v, 2)} & numbers
        elif values.dtype.is_integer():
            assert not {v for v in rare if v >= 10_000 and v - 1 not in counts} & numbers


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_an_unknown_setting_is_told(kind, name):
    frame = BANK[name]
    columns = [Column(name=c, kind=kind, settings={"decimalz": 2}) for c in frame.columns]
    with pytest.raises(UserError, match="decimalz"):
        shelves.kinds.take(kind).Coder.learn(frame, columns, np.random.default_rng(0))


_WILD = {
    "String": st.text(max_size=12),
    "Float64": st.floats(),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "Float32": st.floats(width=32),
    "Date": st.dates(),
    "Datetime": st.datetimes(),
    "Duration": st.timedeltas(timedelta(days=-(10**6)), timedelta(days=10**6)),
    "Boolean": st.booleans(),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_wild_columns_are_coded_or_refused_with_a_sentence(kind, data):
    dtype = data.draw(st.sampled_from(sorted(_WILD)))
    values = data.draw(st.lists(st.none() | _WILD[dtype], max_size=40))
    series = pl.Series("wild", values, dtype=getattr(pl, dtype))
    frame = pl.concat([series, series.head(7)]).to_frame()
    module = shelves.kinds.take(kind)
    try:
        module.recognise(frame["wild"], "wild")
    except Declined:
        pass
    try:
        coder = module.Coder.learn(frame, [Column(name="wild", kind=kind)], np.random.default_rng(0))
    except UserError as told:
        assert str(told).endswith((".", "?"))
        return
    round_trip(coder, frame)
    round_trip(coder, frame.reverse().head(3))
