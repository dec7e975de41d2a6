"""Models trained on fair rows, beside other ways to fair models: the gap between groups, and what it costs in AUC.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/fairness.py [--data adult,law_school] [--criteria demographic_parity] [--seeds 0,1,2,3,4]

Seven in ten rows are learnt from, the rest are the judge. All models are trained on equally many rows and tested on the
same unseen real ones. The gap is the widest difference between two groups' shares of yes (for equal opportunity, among
rows that have the outcome), once by the usual threshold, once where every model says yes to as large a share as has the
outcome; the cut is 1 less the ratio of the sums of both, after over before. "Before" is the same kind of model trained on
plain synthetic rows, for fair synthetic ones, and on real rows, for the ways that work on real rows. Shown are means over
seeds with 95 % intervals (t, over seeds: split, fit and draw all differ).

The other ways, each for boosted models unless it says otherwise: reweighing (Kamiran and Calders 2012); fairlearn's
ExponentiatedGradient (Agarwal et al. 2018) and ThresholdOptimizer (Hardt et al. 2016), which decide without a score, so
that their one decision is judged alone and no AUC is told; and its CorrelationRemover with logistic models. They need
fairlearn (``pip install fairlearn``), and are left out, with a line, where it is not installed. Rows of another
generator that aims at parity are scored if they are there as ``$VERISYN_FAIR_PEERS/DATA-SEED.parquet``, drawn from the
rows that ``--write-splits FOLDER`` writes.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from threadpoolctl import threadpool_limits

import verisyn
from verisyn.metrics._models import classifier, predicted
from verisyn.steering._fair_trial import BOOSTED, LINEAR, Table, Trial, trial
from verisyn.steering._fair_trials import FAIR, PLAIN, REAL, Tables, Trials
from verisyn.steering.fair import Fair

ROWS = 50_000
WISHES: dict[str, dict[str, Any]] = {
    "adult": {"sensitive": "sex", "outcome": "income", "favourable": ">50K"},
    "law_school": {"sensitive": "race", "outcome": "pass_bar"},
    "german_credit": {"sensitive": "age", "outcome": "class", "favourable": 1, "bands": {"age": [26]}},
    "acs_income_2018": {"sensitive": "Gender", "outcome": "over 50 000"},
    "bank_marketing": {"sensitive": "age", "outcome": "y"},
}
WAYS = {"fair": {}, "fair, at: every": {"at": "every"}, "fair, aware: false": {"aware": False},
        "fair, no population": {"population": None}}


@dataclass(frozen=True)
class Result:
    """What came of one way: gaps by rule, before and after; the AUC before and after, where there is a score; seconds."""

    before: np.ndarray
    after: np.ndarray
    auc: tuple[float, float] | None
    accuracy: float
    seconds: float


def load(name: str) -> pl.DataFrame:
    frame = pl.read_parquet(Path(os.environ["VERISYN_DATA"]) / name / "data.parquet")
    if name == "acs_income_2018":
        rich = (pl.col("Income") > 50_000).alias("over 50 000")
        frame = frame[np.random.default_rng(7).permutation(frame.height)[:40_000]].with_columns(rich).drop("Income")
    return frame


def split(name: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = load(name)
    order = np.random.default_rng(seed).permutation(frame.height)
    return frame[order[: int(0.7 * frame.height)]], frame[order[int(0.7 * frame.height):]]


def synthetic(name: str, criterion: str, seed: int, asked_for: set[str]) -> Iterator[tuple[str, Result]]:
    """Yield what comes of fair rows, for models that see the groups, and for models that do not."""
    train, holdout = split(name, seed)
    start = time.process_time()
    model = verisyn.fit(train, seed=seed, audit=False)
    fitted = time.process_time() - start
    plain, trials = model.sample_frame(train.height, seed=seed), None
    peers = Path(os.environ.get("VERISYN_FAIR_PEERS", "/none")) / f"{name}-{seed}.parquet"
    for way, more in [*WAYS.items(), *([("another generator", {})] if peers.exists() else [])]:
        if asked_for and way not in asked_for:
            continue
        wish = {**WISHES[name], "criterion": criterion, "population": train, **more}
        start = time.process_time()
        if way == "another generator":
            fair = pl.read_parquet(peers).select(train.columns).cast(dict(train.schema))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fair = model.sample_frame(train.height, seed=seed, fair=wish)
        seconds = fitted + time.process_time() - start
        asked = Fair.read(wish, model.coder)
        trials = Trials.of(asked, Tables(fair, plain, train, holdout), model.coder, seed, ROWS, trials)
        yield from _results(way, trials, seconds)
        if way == "fair" and not asked_for:
            yield from real(asked, trials)


def _results(way: str, trials: Trials, seconds: float) -> Iterator[tuple[str, Result]]:
    for kind, sees in ((k, s) for k in (BOOSTED, LINEAR) for s in (True, False)):
        accuracy = float(np.mean([t.accuracy for t in trials.each(kind, sees, FAIR)]))
        yield f"{way} | {kind}, {'sees' if sees else 'blind'}", Result(
            trials.gap(kind, sees, PLAIN), trials.gap(kind, sees, FAIR),
            (trials.auc(kind, sees, PLAIN), trials.auc(kind, sees, FAIR)), accuracy, seconds)


# -- ways that work on real rows ------------------------------------------------------------------------------------
def real(fair: Fair, trials: Trials) -> Iterator[tuple[str, Result]]:
    """Yield what other ways make of real rows."""
    base = {kind: trials.each(kind, True, REAL)[0] for kind in (BOOSTED, LINEAR)}
    train, group = trials.learnt[REAL]
    for kind in (BOOSTED, LINEAR):
        yield f"real rows as they are | {kind}, sees", _result(base[kind], base[kind], 0.0)
    for name, make in {"reweighing | boosted, sees": reweighed, **_fairlearn(fair)}.items():
        kind = LINEAR if "logistic" in name else BOOSTED
        start = time.process_time()
        with threadpool_limits(1):
            found = make(train, group, base[kind])
        seconds = time.process_time() - start
        if isinstance(found, Trial):
            yield name, _result(base[kind], found, seconds)
        else:  # decisions without a score: judged by themselves
            judge = base[kind].judge
            gap = np.array([np.ptp(judge.rates(found))])
            yield name, Result(base[kind].gaps[:1], gap, None, float((found == judge.table.y).mean()), seconds)


def _result(before: Trial, after: Trial, seconds: float) -> Result:
    return Result(before.gaps, after.gaps, (before.auc.value, after.auc.value), after.accuracy, seconds)


def reweighed(train: Table, group: np.ndarray, base: Trial) -> Trial:
    """Weigh rows so that outcome and group have nothing to do with each other (Kamiran and Calders 2012)."""
    x, levels = train.seen(BOOSTED, ())
    test, _ = base.judge.table.seen(BOOSTED, ())
    cell = (group + 1) * 2 + train.y
    counts = np.bincount(cell, minlength=2 * (group.max() + 2)).reshape(-1, 2).astype(float)
    wanted = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    weights = np.divide(wanted, counts, out=np.ones_like(counts), where=counts > 0).ravel()[cell]
    score = predicted(classifier(x, train.y, levels, weights=weights), test)[:, 1]
    return Trial(base.judge, score, [score, score])


def _fairlearn(fair: Fair) -> dict[str, Callable[..., Any]]:
    try:
        from fairlearn import postprocessing, preprocessing, reductions
    except ImportError:
        return {}
    parity = fair.criterion == "demographic_parity"

    def matrices(train: Table, base: Trial) -> tuple[np.ndarray, np.ndarray]:
        return np.nan_to_num(train.seen(BOOSTED, ())[0], nan=-1), np.nan_to_num(
            base.judge.table.seen(BOOSTED, ())[0], nan=-1)

    def boosting() -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, l2_regularization=1.0,
                                              early_stopping=False, random_state=0)

    def gradient(train: Table, group: np.ndarray, base: Trial) -> np.ndarray:
        x, test = matrices(train, base)
        rule = reductions.DemographicParity() if parity else reductions.TruePositiveRateParity()
        found = reductions.ExponentiatedGradient(boosting(), rule, max_iter=15)
        found.fit(x, train.y.astype(int), sensitive_features=group)
        return np.asarray(found.predict(test, random_state=0), float)

    def threshold(train: Table, group: np.ndarray, base: Trial) -> np.ndarray:
        x, test = matrices(train, base)
        half = np.arange(len(x)) % 2 == 0  # thresholds of the rows that the model learnt from would be too sure
        model = boosting().fit(x[half], train.y[half].astype(int))
        rule = "demographic_parity" if parity else "true_positive_rate_parity"
        found = postprocessing.ThresholdOptimizer(estimator=model, constraints=rule, prefit=True,
                                                  predict_method="predict_proba", objective="accuracy_score")
        found.fit(x[~half], train.y[~half].astype(int), sensitive_features=group[~half])
        return np.asarray(found.predict(test, sensitive_features=base.judge.group, random_state=0), float)

    def removed(train: Table, group: np.ndarray, base: Trial) -> Trial:
        hot = [np.eye(max(group.max(), base.judge.group.max()) + 1)[np.maximum(g, 0)][:, 1:]
               for g in (group, base.judge.group)]
        tables, width = [train, base.judge.table], hot[0].shape[1]
        both = [np.column_stack([h, t.seen(LINEAR, fair.sensitive)[0]]) for h, t in zip(hot, tables, strict=True)]
        found = preprocessing.CorrelationRemover(sensitive_feature_ids=list(range(width))).fit(both[0])
        points = [found.transform(b) for b in both]
        blocks = {"points": slice(0, points[0].shape[1])}
        made, seen = (replace(t, features=[], points=p, blocks=blocks) for t, p in zip(tables, points, strict=True))
        return trial(LINEAR, (), made, replace(base.judge, table=seen))

    return {"fairlearn ExponentiatedGradient | boosted, sees": gradient,
            "fairlearn ThresholdOptimizer | boosted, sees": threshold,
            "fairlearn CorrelationRemover | logistic, blind": removed}


# -- figures --------------------------------------------------------------------------------------------------------
def spread(values: list[float], scale: float = 100, digits: int = 1) -> str:
    """Write a mean with its 95 % interval over seeds."""
    x = scale * np.array(values)
    if len(x) < 2:
        return f"{x.mean():.{digits}f}"
    half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / len(x) ** 0.5
    return f"{x.mean():.{digits}f} [{x.mean() - half:.{digits}f}, {x.mean() + half:.{digits}f}]"


def cut(results: list[Result]) -> str:
    """Write 1 less the ratio of mean gaps, after over before, with its interval (delta method); few gaps are near 0."""
    before, after = (np.array([getattr(r, side).sum() for r in results]) for side in ("before", "after"))
    ratio = after.mean() / before.mean()
    if len(results) < 2:
        return f"{100 * (1 - ratio):.0f}"
    error = (after - ratio * before).std(ddof=1) / len(results) ** 0.5 / before.mean()
    half = stats.t.ppf(0.975, len(results) - 1) * error
    return f"{100 * (1 - ratio):.0f} [{100 * (1 - ratio - half):.0f}, {100 * (1 - ratio + half):.0f}]"


def row(name: str, results: list[Result]) -> str:
    before, after = (np.mean([getattr(r, side) for r in results], axis=0) for side in ("before", "after"))
    gaps = " | ".join(f"{100 * b:.1f} → {100 * a:.1f}" for b, a in zip(before, after, strict=True))
    gaps += " | –" if len(before) == 1 else ""
    cost = spread([r.auc[0] - r.auc[1] for r in results if r.auc], digits=2) if results[0].auc else "–"
    last = f"{np.mean([r.auc[1] for r in results if r.auc]):.3f}" if results[0].auc else "–"
    return (f"| {name} | {gaps} | {cut(results)} | {cost} | {last} | "
            f"{np.mean([r.accuracy for r in results]):.3f} | {np.mean([r.seconds for r in results]):.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=",".join(WISHES))
    parser.add_argument("--criteria", default="demographic_parity,equal_opportunity")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--ways", default="", help="only these of ours, separated by |; and none of others")
    parser.add_argument("--write-splits", type=Path, help="write the training rows for other generators, and stop")
    options = parser.parse_args()
    seeds = [int(s) for s in options.seeds.split(",")]
    if options.write_splits:
        for name, seed in ((n, s) for n in options.data.split(",") for s in seeds):
            split(name, seed)[0].write_parquet(options.write_splits / f"{name}-{seed}.parquet")
        return
    try:
        import fairlearn

        print(f"fairlearn {fairlearn.__version__}")
    except ImportError:
        print("fairlearn is not installed: its ways are left out (pip install fairlearn).")
    for name, criterion in ((n, c) for n in options.data.split(",") for c in options.criteria.split(",")):
        found: dict[str, list[Result]] = {}
        for seed in seeds:
            for way, result in synthetic(name, criterion, seed, {*filter(None, options.ways.split('|'))}):
                found.setdefault(way, []).append(result)
        print(f"\n## {name}, {criterion.replace('_', ' ')}\n\n| trained on | models | gap, usual threshold | gap, equal "
              "share of yes | cut % | AUC cost, points | AUC | accuracy | CPU s |\n|---|---|---|---|---|---|---|---|---|")
        for way, results in found.items():
            print(row(way, results), flush=True)


if __name__ == "__main__":
    main()
