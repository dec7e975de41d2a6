"""Blend few real rows with synthetic ones and with open rows of another domain; score on many real rows: one table.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/blend.py --sets adult,bank_marketing,wine_quality --rows 100,300,1000 --seeds 5

Of each set, `rows` rows of one domain (a state, a kind of wine, a class of workers) are the real data, all other rows of
that domain, 20 000 at most, the test; rows outside the domain, 5 000 at most, are the open data. Synthetic rows come from
``table.trees``, fitted to the real rows alone. All mixes are learnt by the same model as in ``vs.blend`` (the mean of
gradient boosting and a linear model) and scored on the test rows: AUC, or R². What is printed is the mean over seeds of
the real rows' score, and of the paired differences to it, with Student's 95 % interval over seeds; "worse" counts the
seeds whose own paired interval on the test rows (DeLong's for an AUC) lies below 0. ``blend`` is what ``vs.blend``
chose, from synthetic and open rows together; its picks are listed.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import sklearn.ensemble  # noqa: F401  (its threads can be limited only where it is loaded)
from scipy.stats import t
from threadpoolctl import threadpool_limits

import verisyn as vs
from verisyn.blending import blend
from verisyn.blending.criteria import Prediction
from verisyn.blending.seen import Seen
from verisyn.blending.sources import Part
from verisyn.blending.taking import Taken, weights_of
from verisyn.description import describe
from verisyn.metrics._stats import Z
from verisyn.provenance import Source

TEST, OPEN = 20_000, 5_000
WAYS = ("all synthetic", "open", "open weighted", "blend")


@dataclass(frozen=True)
class Case:
    """A data set: its target, which rows are the domain that is asked about, and columns to leave out."""

    target: str
    domain: pl.Expr
    without: tuple[str, ...] = ()


CASES = {
    "adult": Case("income", pl.col("sex") == "Female", ("sex",)),
    "bank_marketing": Case("y", pl.col("month").is_in(["jan", "feb", "mar", "apr", "sep", "oct", "nov", "dec"])),
    "german_credit": Case("class", pl.col("personal_status_sex") == "A93"),
    "pima": Case("Outcome", pl.col("Age") < 30),
    "heart_cleveland": Case("num", pl.col("sex") == 1, ("sex",)),
    "ai4i2020": Case("Machine_failure", pl.col("Type") == "L", ("Type", "UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF")),
    "acs_income_2018": Case("Income", pl.col("State").cast(pl.String).str.contains("California|^CA"), ("State", "Region", "Division")),
    "wine_quality": Case("quality", pl.col("type") == "red", ("type",)),
}


def sides(folder: Path, rows: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame] | None:
    """Return real, test and open rows; None where the domain has too few."""
    case = CASES[folder.name]
    frame = pl.read_parquet(folder / "data.parquet").sample(fraction=1, shuffle=True, seed=seed)
    frame = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
    if folder.name == "heart_cleveland":
        frame = frame.with_columns((pl.col("num") > 0).cast(pl.Int64))
    here, elsewhere = (frame.filter(d).drop(case.without) for d in (case.domain, ~case.domain))
    if here.height < rows + 50:
        return None
    return here[:rows], here[rows:rows + TEST], elsewhere[:OPEN]


def run(folder: Path, rows: int, seed: int) -> dict[str, tuple[float, float, bool]] | None:
    """Return for each way the score, its difference to real rows alone, and whether that is surely below 0."""
    if (found := sides(folder, rows, seed)) is None:
        return None
    real, test, other = found
    target = CASES[folder.name].target
    schema = describe(real, target=target)
    start = time.process_time()
    chosen = blend(real, open={"elsewhere": other}, generator="trees", target=target, seed=seed, jobs=1,
                   progress=vs.progress.Progress())
    seconds = time.process_time() - start
    fake = vs.fit(real, schema, seed=seed, audit=False, jobs=1).sample_frame(2 * rows, seed=seed)
    seen = Seen.of(real, schema.table, target, seed)
    tested = seen.side(pl.concat([real, test]))
    criterion = Prediction(seen, target, tested)
    blended = vs.provenance.without_columns(chosen.data)
    pools = [seen.side(f) for f in (fake, other, blended)]
    shared = tuple(real.columns)
    weights = weights_of(seen, seen.real, pools[1], Part(Source("open", "open", other.height), other, shared),
                         np.random.default_rng(seed))
    even, n = [np.ones(p.rows) for p in pools], np.arange(rows)
    own = Taken(0, n, np.ones(rows))
    mixes = {"real": [own], "all synthetic": [own, Taken(1, np.arange(2 * rows), even[0])],
             "open": [own, Taken(2, np.arange(other.height), even[1])],
             "open weighted": [own, Taken(2, np.arange(other.height), weights)],
             "blend": [Taken(3, np.arange(blended.height), chosen.weights)]}
    where = rows + np.flatnonzero(~np.isnan(criterion.truth(tested)[rows:]))
    ready, told = criterion.ready([tested, *pools]), {}
    truth = criterion.truth(tested)[where]
    base = None
    for way, mix in mixes.items():
        now = criterion.task.score(truth, criterion.output(ready, mix, where, rows))
        base = base or now
        difference = now.rows - base.rows
        half = Z * float(difference.std()) / len(difference) ** 0.5
        told[way] = (now.value, now.value - base.value, now.value - base.value + half < 0 and way != "real")
    print(f"  {folder.name} {rows} seed {seed}: {chosen.shares} in {seconds:.0f} CPU s; "
          + ", ".join(f"{w} {v[0]:.3f}" for w, v in told.items()), flush=True)
    return {**told, "picked": (chosen.proportion, seconds, False)}


def tried(folder: Path, rows: int, seed: int) -> dict[str, tuple[float, float, bool]] | None:
    """Run, or say why that cannot be (too few rows of the rarer class, say)."""
    try:
        return run(folder, rows, seed)
    except vs.errors.UserError as e:
        print(f"  {folder.name} {rows} seed {seed}: {e}", flush=True)
        return None


def cell(found: list[tuple[float, float, bool]]) -> str:
    """Return the mean difference with its interval over seeds, and in how many seeds it is surely worse."""
    d = np.array([f[1] for f in found])
    half = t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / len(d) ** 0.5 if len(d) > 1 else float("nan")
    bad = sum(f[2] for f in found)
    return f"{d.mean():+.3f} ({d.mean() - half:+.3f} to {d.mean() + half:+.3f}){f'; worse in {bad}' if bad else ''}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(CASES))
    parser.add_argument("--rows", default="100,300,1000")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    lines = []
    with threadpool_limits(1):
        for name in options.sets.split(","):
            for rows in map(int, options.rows.split(",")):
                found = [tried(Path(os.environ["VERISYN_DATA"]) / name, rows, seed) for seed in range(options.seeds)]
                kept = [f for f in found if f]
                if kept:
                    cells = [name, f"{rows:,}", f"{np.mean([f['real'][0] for f in kept]):.3f}",
                             *(cell([f[way] for f in kept]) for way in WAYS),
                             " ".join(f"{f['picked'][0]:g}" for f in kept), f"{np.mean([f['picked'][1] for f in kept]):.0f}"]
                    lines.append(f"| {' | '.join(cells)} |")
    head = ("set", "real rows", "real alone", *WAYS, "picked", "CPU s")
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
