"""A population to judge metrics by: many kinds of value, dependence, missing values; and ways to spoil it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from verisyn.description import describe
from verisyn.metrics import EFFORTS, Side, Sides
from verisyn.metrics._table_sides import drawn_alone
from verisyn.modalities.table._views import TableCoder, scales_of
from verisyn.schema import Table

CITIES = np.array(["Oslo", "Ghent", "Porto", "Łódź", "Turin", "Cork"])
TARGET = "buys"


def people(rows: int, seed: int) -> pl.DataFrame:
    """Draw rows of the population."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows)
    city = rng.choice(6, rows, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    income = np.exp(rng.normal(7 + 0.02 * age + 0.1 * city, 0.3)).round(2)
    member = rng.random(rows) < 0.2 + 0.5 * (age > 50)
    chance = 1 / (1 + np.exp(-(0.08 * (age - 48) + 1.5 * (city < 2) + 1.5 * member - 1)))
    missing = rng.random(rows) < 0.1
    return pl.DataFrame({
        "age": age,
        "city": CITIES[city],
        "income": [None if gone else float(x) for gone, x in zip(missing, income, strict=True)],
        "member": member,
        "joined": [date(2020, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 1500, rows)],
        "country": ["EU"] * rows,
        TARGET: np.where(rng.random(rows) < chance, "yes", "no"),
    })


SENSITIVE = "member"


def table_of(frame: pl.DataFrame, target: str | None = TARGET, sensitive: str | None = SENSITIVE) -> Table:
    """Describe a frame; what is sensitive, beside `sensitive`, is found by name (the age)."""
    table = describe(frame, target=target).table
    columns = (c.model_copy(update={"sensitive": c.sensitive or c.name == sensitive}) for c in table.columns)
    return table.model_copy(update={"columns": tuple(columns)})


def sides_of(fake: pl.DataFrame, train: pl.DataFrame, holdout: pl.DataFrame, target: str | None = TARGET,
             sensitive: str | None = SENSITIVE, effort: str = "standard") -> Sides:
    """See three frames through views learnt on the training rows."""
    table = table_of(train, target, sensitive)
    coder = TableCoder.learn(train, table, np.random.SeedSequence(0))
    scales = scales_of(coder.features(train))
    return Sides(*(Side.of(frame, coder, scales) for frame in (fake, train, holdout)), target=target,
                 sensitive=tuple(c.name for c in table.columns if c.sensitive), table=table, coder=coder,
                 effort=EFFORTS[effort])


def disjoint(frame: pl.DataFrame) -> pl.DataFrame:
    """Move every value to where no real value is."""
    return frame.with_columns(
        pl.col("age") + 500, pl.lit("nowhere").alias("city"), pl.col("income") * 1000, ~pl.col("member"),
        pl.col("joined").dt.offset_by("30y"), pl.lit("elsewhere").alias("country"), pl.lit("perhaps").alias(TARGET))


def turned(frame: pl.DataFrame) -> pl.DataFrame:
    """Swap the two classes of the target."""
    return frame.with_columns(pl.col(TARGET).replace_strict({"yes": "no", "no": "yes"}))


def unfair(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn the target for members alone, and lose most of them."""
    swapped = turned(frame.filter(pl.col(SENSITIVE)))
    few = swapped[: max(1, swapped.height // 8)]
    others = frame.filter(~pl.col(SENSITIVE))
    return pl.concat([few, others.with_columns(pl.lit("yes").alias(TARGET))])


def independent(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Draw every column alone."""
    coder = TableCoder.learn(frame, table_of(frame), np.random.SeedSequence(0))
    return drawn_alone(frame, coder, frame.height, np.random.default_rng(seed))


def entangled(frame: pl.DataFrame) -> pl.DataFrame:
    """Let membership say only whether age and date of joining stand on the same side of their middles."""
    return frame.with_columns(member=(pl.col("age") > pl.col("age").median())
                              == (pl.col("joined") > pl.col("joined").median()))
