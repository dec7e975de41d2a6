"""A fleet of engines to judge metrics of order by, and faults planted in its histories."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl

from verisyn.schema import Column, Schema, Table

MODES = ("idle", "cruise", "climb", "service")
_CHAIN = np.array([[0.70, 0.25, 0.05, 0.00], [0.10, 0.80, 0.08, 0.02], [0.05, 0.45, 0.50, 0.00], [0.90, 0.10, 0.00, 0.00]])
START = datetime(2024, 1, 1)


def fleet(entities: int, seed: int, *, rows: tuple[int, int] = (12, 40)) -> pl.DataFrame:
    """Draw engines: wear rises to the end, heat follows load one step later, the mode is a chain, gaps are irregular."""
    rng = np.random.default_rng(seed)
    frames = []
    for e in range(entities):
        count = int(rng.integers(*rows))
        load = np.zeros(count + 1)
        for t in range(1, count + 1):
            load[t] = 0.8 * load[t - 1] + rng.normal(0, 0.6)
        own = rng.normal(0, 0.5)
        mode = [int(rng.integers(4))]
        while len(mode) < count:
            mode.append(int(rng.choice(4, p=_CHAIN[mode[-1]])))
        gaps = np.where(rng.random(count) < 0.7, 1.0, 1 + rng.exponential(8, count)).round(2)
        hours = np.cumsum(gaps) + rng.integers(0, 8000)
        frames.append(pl.DataFrame({
            "engine": [f"E{seed}-{e}"] * count,
            "at": pl.Series((hours * 3600e6).astype(np.int64)).cast(pl.Duration("us")) + START,
            "load": (own + load[1:]).round(3),
            "heat": (0.9 * load[:-1] + rng.normal(0, 0.3, count)).round(3),
            "wear": (np.linspace(0, 1, count) ** 2 * 8 + rng.normal(0, 0.4, count)).round(2),
            "mode": [MODES[m] for m in mode],
            "maker": [("Alba", "Boreal", "Corvo")[int(own > 0) + int(own > 0.5)]] * count}))
    return pl.concat(frames)


def schema_of(frame: pl.DataFrame, entity: tuple[str, ...] = ("engine",), time: str = "at") -> Schema:
    """Describe the fleet."""
    from verisyn.description import describe

    table = describe(frame).table
    columns = tuple(c if c.name not in entity else Column(name=c.name, kind="id", dtype=c.dtype) for c in table.columns)
    return Schema(tables=(Table(name=table.name, columns=columns, rows=table.rows, entity=entity, time=time,
                                constraints=table.constraints),))


def reordered(frame: pl.DataFrame, rng: np.random.Generator, columns: list[str]) -> pl.DataFrame:
    """Put the rows of each engine's columns into another order; nothing else changes."""
    order = pl.DataFrame({"engine": frame["engine"], "x": rng.random(frame.height)}).with_row_index("row")
    order = order.with_columns(place=pl.int_range(pl.len()).over("engine")).sort("engine", "x", maintain_order=True)
    stands = frame.with_row_index("row")["row"].to_frame().with_columns(frame["engine"]).sort("engine", "row")
    at = stands.with_columns(source=order["row"]).sort("row")["source"]
    return frame.with_columns(frame.select(columns)[at])
