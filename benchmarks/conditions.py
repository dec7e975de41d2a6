"""Draw rows under ever rarer conditions, and set them beside the real rows that meet them.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/conditions.py [--rows 5000] [--seed 0]

The model learns from half of adult (seed 7). Accuracy is 1 - total variation from all real rows that meet the
condition, learnt from or not: over at most ten bins of equal mass a column (uni), and over pairs of such columns (bi).
Beside it stands what one half of those real rows makes of the other: few rows are noisy, so it is no ceiling.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl

import verisyn
from verisyn.assessment import assess_frames
from verisyn.conditions import parse
from verisyn.model import Model
from verisyn.progress import Progress
from verisyn.schema import Table

CONDITIONS = ("sex == 'Female' and `hours-per-week` >= 40", "income == '>50K' and age < 30",
              "income == '>50K'", "education == 'Masters' and income == '<=50K'", "`native-country` == 'Mexico'",
              "`native-country` == 'Mexico' and sex == 'Female'",
              "occupation == 'Tech-support' and education == 'Masters' and income == '<=50K'")
BINS = 10


def binned(column: pl.Series, real: pl.Series) -> np.ndarray:
    """Cut a column as the real rows say: equal mass, or the most frequent levels; missing and others apart."""
    if real.dtype.is_numeric():
        edges = np.unique(np.quantile(real.drop_nulls().to_numpy(), np.linspace(0, 1, BINS + 1)[1:-1]))
        codes = np.searchsorted(edges, column.fill_null(0).to_numpy(), side="right")
        return np.where(column.is_null().to_numpy(), BINS, codes)
    levels = real.drop_nulls().value_counts(sort=True, name="rows")[real.name].to_list()[: BINS - 1]
    code = {level: i for i, level in enumerate(levels)}
    return np.array([BINS if v is None else code.get(v, BINS - 1) for v in column])


def accuracy(fake: pl.DataFrame, real: pl.DataFrame) -> tuple[float, float]:
    """Return the mean accuracy of columns and of pairs of columns."""
    one, two = (np.column_stack([binned(frame[c], real[c]) for c in real.columns]) for frame in (fake, real))

    def near(*columns: int) -> float:
        codes = [np.ravel_multi_index(x[:, columns].T, (BINS + 1,) * len(columns)) for x in (one, two)]
        size = (BINS + 1) ** len(columns)
        shares = [np.bincount(c, minlength=size) / len(c) for c in codes]
        return 1 - 0.5 * float(np.abs(shares[0] - shares[1]).sum())

    columns = range(len(real.columns))
    return float(np.mean([near(c) for c in columns])), float(np.mean([near(*p) for p in combinations(columns, 2)]))


def judged(fake: pl.DataFrame, train: pl.DataFrame, unseen: pl.DataFrame, table: Table) -> str:
    """Return the AUC of a judge that tells the rows from unseen real rows that meet the condition, with its interval."""
    found = assess_frames(fake[: unseen.height], train, unseen, table, metrics=["fidelity.two_sample"])
    finding = found["fidelity.two_sample"]
    if finding.value is None or finding.interval is None:
        return "–"
    return f"{finding.value:.3f} [{finding.interval[0]:.3f} to {finding.interval[1]:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    frame = pl.read_parquet(Path(os.environ["VERISYN_DATA"]) / "adult" / "data.parquet")
    order = np.random.default_rng(7).permutation(frame.height)
    train, unseen = frame[order[: frame.height // 2]], frame[order[frame.height // 2:]]
    model = verisyn.fit(train, seed=options.seed, audit=False)
    model.sample_frame(100, jobs=1)
    usual = cost(model, options, None)[1]
    print(f"{options.rows:,} rows each; without a condition they cost {usual:.2f} CPU s\n\n| condition | share | way | CPU s "
          f"| times | distinct | C2ST | uni | bi | uni, halves | bi, halves |\n{'|---' * 11}|")
    for given in CONDITIONS:
        meets = parse(given, frame.columns)
        real = frame.filter(meets.holds(frame))
        half = np.random.default_rng(options.seed).permutation(real.height)
        progress = Progress()
        fake, seconds = cost(model, options, given, progress)
        uni, bi = accuracy(fake, real)
        halves = accuracy(real[half[: real.height // 2]], real[half[real.height // 2:]])
        way = "fitted again" if any("own rows" in note for note in progress.notes) else "accepted by mass"
        c2st = judged(fake, train.filter(meets.holds(train)), unseen.filter(meets.holds(unseen)), model.schema.table)
        print(f"| {given} | {real.height / frame.height:.2%} | {way} | {seconds:.2f} | {seconds / usual:.1f} | "
              f"{fake.unique().height / fake.height:.3f} | {c2st} | {uni:.3f} | {bi:.3f} | {halves[0]:.3f} | "
              f"{halves[1]:.3f} |", flush=True)


def cost(model: Model, options: argparse.Namespace, given: str | None,
         progress: Progress | None = None) -> tuple[pl.DataFrame, float]:
    """Draw rows on one thread; return them with their CPU seconds."""
    start = time.process_time()
    rows = model.sample_frame(options.rows, seed=options.seed, given=given, progress=progress, jobs=1)
    return rows, time.process_time() - start


if __name__ == "__main__":
    main()
