"""A clinic's rows, and six generators of it each with one fault: who must find it, and under what name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from verisyn.description import describe
from verisyn.schema import Table

TARGET, SENSITIVE = "readmitted", "origin"
WARDS = ("surgery", "cardiology", "maternity", "neurology", "paediatrics", "oncology", "burns")
_WARD_SHARES = (0.3, 0.25, 0.15, 0.12, 0.1, 0.075, 0.005)


def clinic(rows: int, seed: int) -> pl.DataFrame:
    """Draw rows: a sum (gross), a level of 0.5 % (burns), an interaction of three columns (ache, fever → swab), gaps."""
    rng = np.random.default_rng(seed)
    age = np.clip(rng.normal(52, 19, rows), 0, 104).round().astype(int)
    origin = rng.choice(["north", "south", "island"], rows, p=[0.6, 0.27, 0.13])
    ward = rng.choice(WARDS, rows, p=_WARD_SHARES)
    ache, fever = rng.random(rows) < 0.5, rng.random(rows) < 0.5
    swab = (ache ^ fever) ^ (rng.random(rows) < 0.1)
    nights = rng.poisson(1 + age / 20)
    net = np.exp(rng.normal(6 + 0.15 * nights, 0.5)).round(2)
    tax = (net * rng.choice([0.07, 0.19], rows)).round(2)
    bmi = np.where(rng.random(rows) < 0.08, np.nan, rng.normal(25 + age / 40, 4).round(1))
    chance = 1 / (1 + np.exp(-(0.05 * (age - 55) + 0.35 * (nights - 3) + 1.2 * swab - 0.6 + 0.5 * (origin == "south"))))
    return pl.DataFrame({
        "admitted": [date(2023, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 700, rows)],
        "age": age, "origin": origin, "ward": ward, "ache": ache, "fever": fever, "swab": swab, "nights": nights,
        "net": net, "tax": tax, "gross": (net + tax).round(2), "bmi": pl.Series(bmi).fill_nan(None),
        TARGET: np.where(rng.random(rows) < chance, "yes", "no")})


def table_of(frame: pl.DataFrame) -> Table:
    """Describe the clinic; the origin is sensitive."""
    table = describe(frame, target=TARGET).table
    columns = (c.model_copy(update={"sensitive": c.name == SENSITIVE}) for c in table.columns)
    return table.model_copy(update={"columns": tuple(columns)})


def copies(fake: pl.DataFrame, train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """2 % of the rows are training rows."""
    count = round(0.02 * fake.height)
    return pl.concat([fake[count:], train[rng.choice(train.height, count, replace=False)]])


def outliers(fake: pl.DataFrame, train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The most unusual 1 % of training rows come out again, with a little noise on their numbers."""
    numbers = train.select(pl.col("age", "nights"), pl.col("net").log(), pl.col("bmi").fill_null(26)).to_numpy()
    far = (((numbers - numbers.mean(axis=0)) / numbers.std(axis=0)) ** 2).sum(axis=1)
    told = train[np.argsort(-far)[: round(0.01 * train.height)]]
    noise = [pl.Series(rng.uniform(0.998, 1.002, told.height)) for _ in range(2)]
    told = told.with_columns((pl.col("net") * noise[0]).round(2), (pl.col("tax") * noise[1]).round(2))
    return pl.concat([fake[told.height:], told.with_columns(gross=(pl.col("net") + pl.col("tax")).round(2))])


def dropped(fake: pl.DataFrame, train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """No row is of the ward that 0.5 % of real rows are of."""
    return fake.with_columns(pl.col("ward").replace({"burns": "surgery"}))


def broken(fake: pl.DataFrame, train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """In 3 % of the rows the gross is not the sum of net and tax."""
    off = pl.Series(np.where(rng.random(fake.height) < 0.03, rng.uniform(0.5, 20, fake.height).round(2), 0.0))
    return fake.with_columns((pl.col("gross") + off).round(2))


def swapped(fake: pl.DataFrame, train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The label of those who come from the island is turned around."""
    turned = pl.col(TARGET).replace({"yes": "no", "no": "yes"})
    return fake.with_columns(pl.when(pl.col("origin") == "island").then(turned).otherwise(pl.col(TARGET)).alias(TARGET))


def paired(fake: pl.DataFrame, train: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The swab is a coin: right with each column alone, wrong with ache and fever together."""
    return fake.with_columns(pl.Series("swab", rng.random(fake.height) < 0.5))


@dataclass(frozen=True)
class Fault:
    """A fault: how it is planted, the findings any of which must be poor, and what their sentences must name."""

    plant: Callable[[pl.DataFrame, pl.DataFrame, np.random.Generator], pl.DataFrame]
    found_by: tuple[str, ...]
    named: tuple[str, ...] = ()


FAULTS = {
    "copies 2 % of training rows": Fault(copies, ("privacy.copies",)),
    "leaks only outliers": Fault(outliers, ("privacy.outlier_exposure",)),
    "drops a 0.5 % category": Fault(dropped, ("fidelity.rare_categories",), ("burns", "ward")),
    "breaks a sum": Fault(broken, ("fidelity.constraints",), ("gross",)),
    "swaps the label of a minority": Fault(swapped, ("fairness.labels",), ("origin", "island")),
    "pairs right, triples wrong": Fault(paired, ("fidelity.triples",), ("ache", "fever", "swab")),
}
