"""Blend few real rows with synthetic ones and with open rows of another domain; score on many real rows: one table.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/blend.py --sets adult,bank_marketing,wine_quality --rows 100,300,1000 --seeds 5
    python benchmarks/blend.py --simulate 400

Of each set, `rows` rows of one domain (a state, a kind of wine, a class of workers) are the real data, all other rows of
that domain, 20 000 at most, the test; rows outside the domain, 5 000 at most, are the open data. Synthetic rows come from
``table.trees``, fitted to the real rows alone. All mixes are learnt by the same model as in ``vs.blend`` (the mean of
gradient boosting and a linear model) and scored on the test rows: AUC, or R². What is printed is the mean over seeds of
the real rows' score, and of the paired differences to it, with Student's 95 % interval over seeds; "worse" counts the
seeds whose own paired interval on the test rows (DeLong's for an AUC) lies below 0. ``blend`` is what ``vs.blend``
chose, from synthetic and open rows together; its picks are listed.

``--simulate`` asks whether the interval of the gain keeps its promise: tables of a known law, open rows whose law is
more or less (`shift`) another, a ridge regression as the model, the same folds and the same choice. Told are the true
gain of the folds' choices (on 4 000 fresh rows), how often the interval's low end lies above it (2.5 % would be right),
how often rows are added, and how often the final blend is then worse than real rows alone; the same with the interval of
Nadeau and Bengio.
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
from verisyn.blending.criteria import Prediction, _auc, mean
from verisyn.blending.plan import Plan, nested
from verisyn.blending.search import Search, searched
from verisyn.blending.seen import Seen
from verisyn.blending.sources import Part
from verisyn.blending.taking import Taken, mixes_of, weights_of
from verisyn.description import describe
from verisyn.metrics._stats import Influence, Z
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
    criterion = Prediction(seen, target, seen.real, tested)
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


TRIED = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
COLUMNS, ELSEWHERE, FRESH = 12, 600, 4_000


def ridge(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.linalg.solve((x * w[:, None]).T @ x + np.eye(x.shape[1]), (x * w[:, None]).T @ y)


def scored(task: str, slope: np.ndarray, x: np.ndarray, y: np.ndarray) -> Influence:
    return _auc(y > 0, x @ slope) if task == "AUC" else mean(1 - (y - x @ slope) ** 2 / (1 + 0.09 * COLUMNS))


def simulated(task: str, rows: int, shift: float, rng: np.random.Generator) -> tuple[Search, float, np.ndarray]:
    """Return the search, the true gain of what its folds chose, and that of each mix with all real rows."""
    law = rng.normal(0, 0.3, COLUMNS)
    other_law = law + shift * rng.normal(0, 0.3, COLUMNS)

    def drawn(n: int, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(0, 1, (n, COLUMNS))
        z = x @ slope + rng.normal(0, 1, n)
        return x, np.where(z > 0.7, 1.0, -1.0) if task == "AUC" else z

    (x, y), (xo, yo), (xt, yt) = drawn(rows, law), drawn(ELSEWHERE, other_law), drawn(FRESH, law)
    order = rng.permutation(ELSEWHERE)

    def learnt(which: np.ndarray, p: float) -> np.ndarray:
        more = order[:round(p * len(which))]
        w = np.r_[np.ones(len(which)), np.full(len(more), p * len(which) / max(1, len(more)))]
        return ridge(np.vstack([x[which], xo[more]]), np.r_[y[which], yo[more]], w)

    strata = (y > 0).astype(int) if task == "AUC" else 10 * np.argsort(np.argsort(y)) // rows
    plan = nested(strata, 5, 3, rng)
    slopes = {key: [learnt(which, p) for p in TRIED] for key, which in plan.learn.items()}

    class Known:
        real = type("Rows", (), {"rows": rows})

        def scores(self, plan: Plan, key: tuple, mixes: tuple) -> list:
            tests = [plan.tests[t] for t in plan.of(key)]
            return [[scored(task, slope, x[t], y[t]) for t in tests] for slope, _ in zip(slopes[key], mixes, strict=True)]

    search = searched(Known(), plan, mixes_of(1, TRIED), np.ones(len(TRIED), bool), lambda done: None)
    true = np.mean([scored(task, slopes[o.key][c], xt, yt).value - scored(task, slopes[o.key][0], xt, yt).value
                    for o, c in zip(plan.outer, search.chosen, strict=True)])
    final = [scored(task, learnt(np.arange(rows), p), xt, yt).value for p in TRIED]
    return search, float(true), np.array(final) - final[0]


def simulate(repeats: int) -> None:
    head = ("score", "real rows", "shift", "true gain", "best possible", *(f"{what}: {how}" for how in ("blend", "Nadeau and Bengio")
            for what in ("low end above truth", "added", "added and worse")))
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for task in ("AUC", "R²"):
        for rows in (60, 100, 300):
            for shift in (0.0, 1.0, 1.5):
                rng, told = np.random.default_rng(1), []
                for _ in range(repeats):
                    search, true, final = simulated(task, rows, shift, rng)
                    told.append([true, final.max(), *(float(v) for g in (search.nested, search.corrected) for v in (
                        g.interval[0] > true, g.sure, g.sure and final[search.best] < 0))])
                true, most, *shares = np.mean(told, axis=0)
                cells = [task, f"{rows}", f"{shift:g}", f"{true:+.3f}", f"{most:+.3f}", *(f"{v:.1%}" for v in shares)]
                print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(CASES))
    parser.add_argument("--rows", default="100,300,1000")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--simulate", type=int, metavar="TABLES", help="simulate so many tables a line instead (400)")
    options = parser.parse_args()
    if options.simulate:
        with threadpool_limits(1):
            simulate(options.simulate)
        return
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
