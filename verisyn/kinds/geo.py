"""A place on Earth: latitude and longitude, coded as a pair."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder, Declined, Draw, Feature, Part, Recognised, _settings
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds import _lattice as lattice
from verisyn.kinds._boxes import Boxes
from verisyn.kinds._lattice import Lattice
from verisyn.schema import Column

SETTINGS = {"k": int, "decimals": int}
_WORDS = {"lat": 90, "latitude": 90, "latitud": 90, "breitengrad": 90,
          "lon": 180, "lng": 180, "long": 180, "longitude": 180, "longitud": 180, "laengengrad": 180, "längengrad": 180}


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim fractional numbers whose name and range are those of a latitude or a longitude."""
    limit, _ = _stem(name)
    if not limit:
        raise Declined("the name is not that of a latitude or longitude")
    if not values.dtype.is_float() and not isinstance(values.dtype, pl.Decimal):
        raise Declined(f"the values are {values.dtype}, not numbers with decimals")
    known = _settings.distinct(values).cast(pl.Float64).drop_nans()
    if not len(known) or not (known.abs() <= limit).all():
        raise Declined(f"not all values lie between -{limit} and {limit}")
    return Recognised(0.9, f"The name, and values between -{limit} and {limit}, tell of a "
                           f"{'latitude' if limit == 90 else 'longitude'}.")


def group(columns: list[Column]) -> list[list[Column]]:
    """Pair each latitude with the longitude whose name is otherwise the same; a column without a partner is alone.

    Examples
    --------
    >>> names = ["pickup_lat", "lat", "pickup_lon", "Longitude"]
    >>> [[c.name for c in g] for g in group([Column(name=n, kind="geo") for n in names])]
    [['pickup_lat', 'pickup_lon'], ['lat', 'Longitude']]
    """
    partners = {stem: c for c in reversed(columns) for limit, stem in [_stem(c.name)] if limit == 180}
    pairs, paired = {}, set()
    for column in columns:
        limit, stem = _stem(column.name)
        partner = partners.pop(stem, None) if limit == 90 else None
        if partner:
            pairs[column.name] = [column, partner]
            paired.add(partner.name)
    return [pairs.get(c.name, [c]) for c in columns if c.name not in paired]


def _stem(name: str) -> tuple[int, str]:
    """90 or 180 where a word of the name is that of a latitude or longitude, and the name without that word."""
    words = re.findall(r"[A-ZÄÖÜ]?[a-zäöü]+|[A-ZÄÖÜ]+(?![a-z])|\d+", name)
    words = [w.casefold() for w in words]
    hits = [w for w in words if w in _WORDS]
    if len(hits) != 1:
        return 0, ""
    return _WORDS[hits[0]], " ".join(w for w in words if w != hits[0])


class Coder(BaseCoder):
    """Codes places in one ordered part: the leaves of a k-d tree, then each pattern of missing coordinates seen.

    A place is drawn uniformly in its leaf's box, at the decimals of its column.
    """

    kind = "geo"

    def __init__(self, columns: Sequence[str], form: list[dict[str, Any]], boxes: Boxes | None = None,
                 patterns: Sequence[int] = (), rows: np.ndarray | None = None):
        self.columns = tuple(columns)
        self.form, self.boxes = form, boxes
        everything = 2 ** len(self.columns) - 1
        self.patterns = sorted({*patterns} or ({everything} if boxes is None else ()))
        leaves = boxes.size if boxes else 0
        self._rows = np.ones(leaves) if rows is None else rows
        size = leaves + len(self.patterns)
        self.parts = (Part(size, ordered=True, missing=size - 1 if everything in self.patterns else -1),)

    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn a pair, or a lonely coordinate, from training rows; the first column's ``k`` counts."""
        names = [c.name for c in columns]
        settings = [_settings.read(c, SETTINGS) for c in columns]
        points, gone = _points(frame, names)
        form = []
        for i, asked in enumerate(settings):
            dtype = frame[names[i]].dtype
            found = lattice.find(points[~np.isnan(points[:, i]), i], 2.0**-23 if dtype == pl.Float32 else 2.0**-52)
            form.append({"dtype": dtypes.to_json(dtype), "decimals": asked.get("decimals", found.decimals)})
        whole = points[gone == 0]
        k = _settings.shared_by(settings[0], len(points))
        boxes = Boxes.learn(whole, k, rng) if len(whole) else None
        coder = cls(names, form, boxes, sorted({*gone.tolist()} - {0}))
        if boxes:
            coder._rows = np.bincount(boxes.encode(whole), minlength=boxes.size)
        return coder

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return codes, int32 (rows, 1); a pattern of missing coordinates not seen in training takes the last code."""
        points, gone = _points(frame, self.columns)
        codes = np.full(len(points), self.parts[0].size - 1, np.int32)
        leaves = self.boxes.size if self.boxes else 0
        for i, pattern in enumerate(self.patterns):
            codes[gone == pattern] = leaves + i
        if self.boxes:
            codes[gone == 0] = self.boxes.encode(points[gone == 0])
        return codes[:, None]

    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Draw a place inside each row's box; the coordinate that a half-known row has is that of any place."""
        flat = codes[:, 0]
        dtype_of = [dtypes.from_json(f["dtype"]) for f in self.form]
        if not self.boxes:
            return pl.DataFrame({n: pl.repeat(None, len(flat), dtype=t, eager=True)
                                 for n, t in zip(self.columns, dtype_of, strict=True)})
        leaves = self.boxes.size
        gone = np.array([0, *self.patterns])[np.clip(flat - leaves + 1, 0, None)]
        anywhere = draw.rng.choice(leaves, len(flat), p=self._rows / self._rows.sum()) if gone.any() else flat
        points = self.boxes.decode(np.where(gone > 0, anywhere, flat), draw.rng)
        out = {}
        for i, (name, dtype) in enumerate(zip(self.columns, dtype_of, strict=True)):
            keeper = Lattice(self.form[i]["decimals"])
            values = pl.Series(keeper.values(keeper.units(points[:, i])).astype(float)).cast(dtype, strict=False)
            out[name] = values.set(pl.Series(gone & 2**i > 0), None)
        return pl.DataFrame(out)

    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return each coordinate."""
        points, _ = _points(frame, self.columns)
        return [Feature(name, points[:, i]) for i, name in enumerate(self.columns)]

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"form": self.form, "boxes": self.boxes.state() if self.boxes else None, "patterns": self.patterns,
                "rows": self._rows}

    @classmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        boxes = Boxes.restore(state["boxes"]) if state["boxes"] else None
        return cls(columns, state["form"], boxes, state["patterns"], np.asarray(state["rows"]))


def _points(frame: pl.DataFrame, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Points with NaN, and each row's pattern of missing coordinates: bit i for column i."""
    columns = [frame[name].cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy() for name in names]
    points = np.column_stack(columns)
    points = np.where(np.isfinite(points), points, np.nan)
    return points, np.isnan(points) @ (2 ** np.arange(len(names)))
