"""Calibrate a model of a biased source to published figures, beside raking weights on the source's own rows.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/targets.py [--data adult,acs_income_2018,law_school] [--rows 10000] [--seeds 5]

Half of each set is the source that is open to learn from, biased on purpose: rows are kept with a chance that grows with
some columns. The other half is the population. Its aggregates are the published figures, each with a tolerance (half a
percentage point of a share, 1 % of a mean or quantile), and its rows are the judge. Compared are

- the source as it is; the source resampled by raking weights (iterative proportional fitting to the shares and tables,
  until they hold; means, quantiles and prevalences by group are no margins, and raking has no use for them);
- the model's rows without and with `targets`;
- as the ceiling, as many rows of the first half drawn without bias.

`met` is how many figures are within their tolerances, `off` the largest deviation in tolerances. C2ST is the AUC of
gradient boosting that tells the rows from the population's, cross-validated (0.5: it cannot), TSTR its score on the
population when trained on the rows (AUC, or R2 of log income). `copies` is the share of rows that equal one of the
source. Means over seeds (of the bias, the model and the draws; the halves change too), with 95 % t-intervals.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_predict

import verisyn
from verisyn.progress import Progress
from verisyn.steering.targets import Targets

COLUMNS = ("met", "off", "C2ST", "TSTR", "copies", "CPU s")
JUDGED = 5_000


@dataclass(frozen=True)
class Case:
    """What is biased, what is published, what is predicted."""

    bias: dict[str, float]
    target: str
    shares: tuple[str, ...]
    table: tuple[str, str]
    prevalence: tuple[str, tuple[str, ...]]
    numbers: tuple[str, ...]
    columns: tuple[str, ...] = ()


CASES = {
    "adult": Case({"sex == 'Male'": 0.8, "age > 45": 0.7, "income == '>50K'": 0.8, "race == 'White'": 0.7}, "income",
                  ("sex", "race", "marital-status", "education"), ("sex", "income"),
                  ("income == '>50K'", ("race", "marital-status")), ("age", "hours-per-week")),
    "acs_income_2018": Case({"Gender == 'Female'": -0.7, "Age > 45": 0.8, "Income > 50000": 0.7, "Region == 'South'": -0.6},
                            "Income", ("Gender", "Race", "Region", "Marital Status"), ("Gender", "Region"),
                            ("Income > 50000", ("Gender", "Region")), ("Age", "Income"),
                            ("Region", "Age", "Workclass", "Education", "Marital Status", "Gender", "Race", "Nativity",
                             "Citizenship status", "Military service", "Travel time to work", "Income")),
    "law_school": Case({"race == 'White'": 0.9, "lsat > 38": 0.8, "pass_bar == 1": 0.6, "male == 1": 0.5}, "pass_bar",
                       ("race", "male", "tier", "fam_inc"), ("male", "race"), ("pass_bar == 1", ("race", "male")),
                       ("lsat", "ugpa")),
}


# -- what is published --------------------------------------------------------------------------------------------------
def holds(frame: pl.DataFrame, condition: str) -> np.ndarray:
    from verisyn.conditions import parse

    return parse(condition, frame.columns).holds(frame)


def shares_of(frame: pl.DataFrame, names: list[str]) -> list[tuple[tuple[Any, ...], float]]:
    counts = frame.drop_nulls(names).group_by(names).len().sort(names)
    return [(row[:-1], row[-1] / counts["len"].sum()) for row in counts.iter_rows()]


def published(frame: pl.DataFrame, case: Case, least: int) -> list[dict[str, Any]]:
    """Aggregate as an office would; figures of fewer than `least` rows are not published."""
    entries: list[dict[str, Any]] = []
    for name in case.shares:
        told = {levels[0]: share for levels, share in shares_of(frame, [name]) if share * frame.height >= least}
        entries.append({"shares": {name: told}, "tolerance": "0.5pp"})
    cells = [{"values": list(levels), "share": share} for levels, share in shares_of(frame, list(case.table))
             if share * frame.height >= least]
    entries.append({"table": list(case.table), "cells": cells, "tolerance": "0.5pp"})
    condition, groups = case.prevalence
    for name in groups:
        own = {level: float(holds(part, condition).mean()) for (level,), part in
               frame.drop_nulls(name).group_by(name, maintain_order=True) if part.height >= least}
        entries.append({"share": condition, "by": {name: own}, "tolerance": "1pp"})
    for name in case.numbers:
        values = frame[name].drop_nulls().cast(pl.Float64)
        entries.append({"mean": name, "is": float(values.mean()), "tolerance": "1%"})
        entries.append({"quantile": 0.9, "of": name, "is": float(values.quantile(0.9)), "tolerance": "1%"})
    return entries


# -- the ways -------------------------------------------------------------------------------------------------------------
def raked(source: pl.DataFrame, entries: list[dict[str, Any]], rounds: int = 200) -> np.ndarray:
    """Weights by iterative proportional fitting to the published shares and tables."""
    weights = np.ones(source.height)
    margins = []
    for entry in entries:
        names = entry.get("table") or list(entry.get("shares", ()))
        told = ([(cell["values"], cell["share"]) for cell in entry["cells"]] if "table" in entry else
                [([level], share) for level, share in entry["shares"][names[0]].items()] if names else [])
        masks = [np.logical_and.reduce([(source[n] == v).fill_null(False).to_numpy() for n, v in zip(names, levels, strict=True)])
                 for levels, _ in told]
        margins += [(masks, [share for _, share in told])] if told else []
    for _ in range(rounds):
        before = weights.copy()
        for masks, shares in margins:
            whole = weights.sum()
            for mask, share in zip(masks, shares, strict=True):
                if (have := weights[mask].sum()) > 0:
                    weights[mask] *= share * whole / have
        if np.abs(weights - before).max() < 1e-6:
            break
    return weights / weights.sum()


def biased(frame: pl.DataFrame, case: Case, rng: np.random.Generator) -> pl.DataFrame:
    score = sum(strength * holds(frame, condition) for condition, strength in case.bias.items())
    return frame.filter(rng.random(frame.height) < np.exp(score - np.max(score)))


def ways(half: pl.DataFrame, entries: list[dict[str, Any]], case: Case, rows: int, seed: int
         ) -> tuple[pl.DataFrame, dict[str, tuple[pl.DataFrame, float]]]:
    rng = np.random.default_rng(seed)
    source = biased(half, case, rng)
    start = time.process_time()
    chosen = rng.choice(source.height, rows, p=raked(source, entries))
    found = {"source, biased": (source[rng.permutation(source.height)[:rows]], 0.0),
             "source, raking weights": (source[chosen], time.process_time() - start)}
    start = time.process_time()
    model = verisyn.fit(source, seed=seed, audit=False)
    fitted = time.process_time() - start
    for name, targets in (("model, no targets", None), ("**model, targets**", entries)):
        start = time.process_time()
        frame = model.sample_frame(rows, seed=seed, targets=targets, progress=Progress())
        found[name] = (frame, time.process_time() - start)
    print(f"  seed {seed}: {source.height:,} rows in the source, fitted in {fitted:.1f} CPU s", flush=True)
    found["ceiling: no bias"] = (half[rng.permutation(half.height)[:rows]], 0.0)
    return source, found


# -- the judges -----------------------------------------------------------------------------------------------------------
def numbers(frame: pl.DataFrame, population: pl.DataFrame) -> np.ndarray:
    """Categories as the population's codes, numbers as they are."""
    columns = []
    for name in population.columns:
        column = frame[name]
        if not column.dtype.is_numeric():
            code = {level: i for i, level in enumerate(population[name].drop_nulls().cast(pl.String).unique().sort().to_list())}
            column = column.cast(pl.String).replace_strict(code, default=None, return_dtype=pl.Float64)
        columns.append(column.cast(pl.Float64).fill_null(np.nan).to_numpy())
    return np.column_stack(columns)


def c2st(frame: pl.DataFrame, population: pl.DataFrame, rng: np.random.Generator) -> float:
    sides = [numbers(side[rng.permutation(side.height)[:JUDGED]], population) for side in (frame, population)]
    labels = np.repeat([0, 1], [len(side) for side in sides])
    judge = HistGradientBoostingClassifier(max_iter=100, random_state=0)
    return float(roc_auc_score(labels, cross_val_predict(judge, np.vstack(sides), labels, cv=5, method="predict_proba")[:, 1]))


def tstr(frame: pl.DataFrame, population: pl.DataFrame, target: str) -> float:
    where = population.columns.index(target)
    (x, y), (there, truth) = ((np.delete(n, where, axis=1), n[:, where]) for n in
                              (numbers(frame, population), numbers(population, population)))
    if len(np.unique(truth)) == 2:
        fitted = HistGradientBoostingClassifier(random_state=0).fit(x, y > truth.min())
        return float(roc_auc_score(truth > truth.min(), fitted.predict_proba(there)[:, 1]))
    fitted = HistGradientBoostingRegressor(random_state=0).fit(x, np.log1p(np.maximum(y, 0)))
    return float(r2_score(np.log1p(truth), fitted.predict(there)))


def copies(frame: pl.DataFrame, source: pl.DataFrame) -> float:
    return frame.join(source.unique(), on=frame.columns, how="semi", nulls_equal=True).height / frame.height


def scored(data: str, rows: int, seed: int) -> dict[str, list[float]]:
    case, rng = CASES[data], np.random.default_rng(1000 + seed)
    frame = pl.read_parquet(Path(os.environ["VERISYN_DATA"]) / data / "data.parquet")
    frame = frame.select(case.columns or frame.columns).with_columns(pl.col(pl.Categorical).cast(pl.String))
    order = rng.permutation(frame.height)[:60_000]
    half, population = frame[order[: len(order) // 2]], frame[order[len(order) // 2:]]
    entries = published(population, case, least=100)
    source, found = ways(half, entries, case, rows, seed)
    targets, scores = Targets.read(entries, frame.columns), {}
    for name, (made, cost) in found.items():
        outcomes = targets.outcomes(made)
        scores[f"{name}|{len(outcomes)}"] = [sum(o.met for o in outcomes) / len(outcomes), max(o.off for o in outcomes),
                                             c2st(made, population, rng), tstr(made, population, case.target),
                                             copies(made, source) if "ceiling" not in name else np.nan, cost]
    return scores


def spread(values: list[float]) -> str:
    """Write a mean and its 95 % t-interval over seeds."""
    mean = float(np.mean(values))
    if not np.isfinite(mean):
        return "–"
    if len(values) < 2 or np.ptp(values) == 0:
        return f"{mean:.3g}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=",".join(CASES))
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    for data in options.data.split(","):
        print(f"\n### {data}, {options.rows:,} rows each", flush=True)
        runs = [scored(data, options.rows, seed) for seed in range(options.seeds)]
        names = [name.split("|")[0] for name in runs[0]]
        figures = sorted({int(name.split("|")[1]) for run in runs for name in run})
        print(f"\n{' to '.join(map(str, figures))} figures\n\n| | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
        for name in names:
            rows = [next(values for key, values in run.items() if key.startswith(f"{name}|")) for run in runs]
            print(f"| {name} | {' | '.join(spread([row[i] for row in rows]) for i in range(len(COLUMNS)))} |", flush=True)


if __name__ == "__main__":
    main()
