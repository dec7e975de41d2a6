"""What would change? Effects found by verisyn beside the truth of simulated causal models, and support on real sets.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>      # for the second part
    python benchmarks/what_if.py [--seeds 5] [--rows 5000] [--simulated] [--graphs] [--real]

Simulated: five structural causal models, their columns in shuffled order. The wish is E[Y | do(X)] less E[Y]; the truth
comes from the model itself, on two million rows. Ways to answer it: verisyn with the causes given; with causes proposed
from the data and confirmed unread; without causes (the order of the table's columns); ``given`` in the place of ``do``;
and what one would do without verisyn, a regression of Y on X and the causes of X (gradient boosting of scikit-learn),
predicted with X set and averaged (the g-formula). The error is in standard deviations of Y. ``within`` counts how
often the 95 % interval of the finding holds the truth.

Graphs: random models of 10 and 20 columns, each with three others joined on average: arrows proposed that join what is
not joined, joins missed, and how many arrows of each direction point the right way.

Real: no truth is known, so only what can be said: which columns respond by the proposed causes, in which share of rows
the change has support, and on which share of the rows learnt from the answer effectively rests.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor

import verisyn as vs
from verisyn.causality.pairs import what_if
from verisyn.causality.proposal import causes as propose
from verisyn.progress import Progress

TRUTH_ROWS, DRAWN = 2_000_000, 20_000
Noise = np.random.Generator


@dataclass(frozen=True)
class Simulated:
    """A structural causal model: `draw` makes its columns, X perhaps replaced; `do` says by what."""

    name: str
    draw: Callable[[Noise, int, Callable[[np.ndarray], np.ndarray] | None], dict[str, np.ndarray]]
    causes: str
    x: str
    do: object
    given: str
    adjust: tuple[str, ...]

    def set(self, x: np.ndarray) -> np.ndarray:
        return x + float(self.do[1:]) if isinstance(self.do, str) and self.do[0] == "+" else np.full_like(x, self.do)

    def truth(self) -> tuple[float, float]:
        """Return the change of E[Y], and the standard deviation of Y."""
        y, done = (self.draw(np.random.default_rng(99), TRUTH_ROWS, change)["y"].astype(float) for change in (None, self.set))
        return float(done.mean() - y.mean()), float(y.std())


def confounded(rng, n, change):
    severe = rng.random(n) < 0.5
    x = (rng.random(n) < np.where(severe, 0.8, 0.2)).astype(int)
    x = change(x) if change else x
    return {"z": severe.astype(int), "x": x, "y": (rng.random(n) < 0.6 + 0.3 * x - 0.5 * severe).astype(int)}


def linear(rng, n, change):
    z = rng.normal(0, 1, n)
    x = 0.8 * z + rng.normal(0, 1, n)
    x = change(x) if change else x
    w = 0.5 * z + rng.normal(0, 1, n)
    return {"z": z, "w": w, "x": x, "y": 1.0 * x - 1.5 * z + 0.7 * w + rng.normal(0, 1, n)}


def mediated(rng, n, change):
    z = rng.normal(0, 1, n)
    x = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    x = change(x) if change else x
    m = 1.2 * x + 0.5 * z + rng.normal(0, 1, n)
    return {"z": z, "x": x, "m": m, "y": 0.8 * m + 0.4 * x + z + rng.normal(0, 1, n)}


def collided(rng, n, change):
    x = rng.normal(0, 1, n)
    x = change(x) if change else x
    y = 0.5 * x + rng.normal(0, 1, n)
    return {"x": x, "y": y, "c": x + y + rng.normal(0, 0.5, n), "d": y - rng.normal(0, 1, n)}


def curved(rng, n, change):
    z = rng.uniform(-1, 1, n)
    x = np.sin(2 * z) + rng.normal(0, 0.6, n)
    x = change(x) if change else x
    return {"z": z, "x": x, "y": np.tanh(1.5 * x) - 2 * z**2 * x + z + rng.normal(0, 0.4, n)}


MODELS = (
    Simulated("confounded, discrete", confounded, "z -> x; z, x -> y", "x", 1, "x == 1", ("z",)),
    Simulated("linear, +1", linear, "z -> x, w; z, x, w -> y", "x", "+1", "", ("z",)),
    Simulated("mediator", mediated, "z -> x; z, x -> m; z, x, m -> y", "x", 1, "x == 1", ("z",)),
    Simulated("colliders, +1", collided, "x -> y; x, y -> c; y -> d", "x", "+1", "", ()),
    Simulated("curved, +0.5", curved, "z -> x; z, x -> y", "x", "+0.5", "", ("z",)),
)


def frame_of(model: Simulated, rows: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    drawn = model.draw(rng, rows, None)
    names = sorted(drawn)
    names = [names[i] for i in rng.permutation(len(names))]
    return pl.DataFrame({name: drawn[name].round(4) if drawn[name].dtype == float else drawn[name] for name in names})


def by_regression(model: Simulated, frame: pl.DataFrame) -> float:
    columns = [model.x, *model.adjust]
    x, y = frame.select(columns).to_numpy().astype(float), frame["y"].to_numpy().astype(float)
    fitted = HistGradientBoostingRegressor(random_state=0).fit(x, y)
    done = x.copy()
    done[:, 0] = model.set(x[:, 0])
    return float(fitted.predict(done).mean() - y.mean())


def effect(frame: pl.DataFrame, model: Simulated, told: object, seed: int) -> tuple[float, bool]:
    """Return the change of E[Y], and whether its interval holds the truth."""
    fitted = vs.fit(frame, seed=seed, audit=False, causes=told, progress=Progress())
    found = what_if(fitted, {model.x: model.do}, DRAWN, seed=seed, progress=Progress())
    changes = [c for c in found.assessment["steering.do"].details["changes"] if c["column"] == "y"]
    before, after = (frame["y"].cast(pl.Float64).mean() for frame in (found.before, found.after))
    low, high = changes[0]["interval"] if changes else (0.0, 0.0)
    truth = model.truth()[0] * (-1 if changes and np.sign(changes[0]["change"]) != np.sign(after - before) else 1)
    return after - before, low <= truth <= high


def by_given(frame: pl.DataFrame, model: Simulated, seed: int) -> float:
    fitted = vs.fit(frame, seed=seed, audit=False, progress=Progress())
    plain = fitted.sample_frame(DRAWN, seed=seed, progress=Progress())
    if model.given:
        rare = fitted.sample_frame(DRAWN, seed=seed, given=model.given, progress=Progress())
        return float(rare["y"].cast(pl.Float64).mean() - plain["y"].cast(pl.Float64).mean())
    step = float(str(model.do)[1:])  # what goes with rows whose X is larger by the step: a slope
    x, y = plain[model.x].to_numpy(), plain["y"].to_numpy()
    return float(np.polyfit(x, y, 1)[0] * step)


def timed(way: Callable, *arguments: object, **more: object) -> tuple:
    start = time.process_time()
    return way(*arguments, **more), time.process_time() - start


def simulated(seeds: int, rows: int) -> None:
    print(f"{rows:,} rows, {seeds} seeds: mean absolute error in standard deviations of Y (largest), intervals that "
          f"hold the truth, CPU s\n\n| model | truth | causes given | proposed, unread | no causes | given | regression "
          f"| within: given, proposed | CPU s: verisyn, proposing, regression |\n{'|---' * 9}|")
    for model in MODELS:
        truth, spread = model.truth()
        errors: dict[str, list[float]] = {w: [] for w in ("causes", "proposed", "none", "given", "regression")}
        within, costs = {"causes": [], "proposed": []}, {"causes": [], "proposing": [], "regression": []}
        for seed in range(seeds):
            frame = frame_of(model, rows, seed)
            (value, held), cost = timed(effect, frame, model, model.causes, seed)
            errors["causes"].append(value - truth), within["causes"].append(held), costs["causes"].append(cost)
            told, cost = timed(propose, frame)
            costs["proposing"].append(cost)
            value, held = effect(frame, model, told.confirm(), seed)
            errors["proposed"].append(value - truth), within["proposed"].append(held)
            errors["none"].append(effect(frame, model, None, seed)[0] - truth)
            errors["given"].append(by_given(frame, model, seed) - truth)
            value, cost = timed(by_regression, model, frame)
            errors["regression"].append(value - truth), costs["regression"].append(cost)
        told = " | ".join(f"{np.abs(e).mean() / spread:.3f} ({np.abs(e).max() / spread:.3f})" for e in errors.values())
        held = ", ".join(f"{sum(w)}/{len(w)}" for w in within.values())
        print(f"| {model.name} | {truth / spread:+.3f} | {told} | {held} | "
              f"{', '.join(f'{np.mean(c):.1f}' for c in costs.values())} |", flush=True)


def random_model(kind: str, columns: int, rows: int, seed: int) -> tuple[pl.DataFrame, set[tuple[str, str]]]:
    """Draw a random graph, and rows of it: numbers, levels, or both."""
    rng = np.random.default_rng(seed)
    order, values, frame, arrows = rng.permutation(columns), {}, {}, set()
    for place, column in enumerate(order):
        causes = [other for other in order[:place] if rng.random() < 3 / (columns - 1)]
        arrows |= {(f"c{cause}", f"c{column}") for cause in causes}
        score = np.zeros(rows)
        for cause in causes:
            x = (values[cause] - values[cause].mean()) / values[cause].std()
            x = np.tanh(1.5 * x) + 0.3 * (x**2 - 1) if kind == "curved" else x
            score += rng.choice([-1, 1]) * rng.uniform(0.4, 1) * x
        levels = kind == "levels" or (kind == "mixed" and rng.random() < 0.5)
        if levels:
            noisy, at = 1.3 * score + rng.logistic(0, 1, rows), np.sort(rng.uniform(-1, 1, rng.integers(1, 4)))
            values[column] = np.searchsorted(at, noisy).astype(float)
            frame[f"c{column}"] = np.array(list("pqrst"))[values[column].astype(int)]
        else:
            values[column] = score + rng.normal(0, 1, rows)
            frame[f"c{column}"] = values[column].round(4)
    return pl.DataFrame({f"c{i}": frame[f"c{i}"] for i in range(columns)}), arrows


def graphs(seeds: int, rows: int) -> None:
    print(f"\n{rows:,} rows, {seeds} seeds, sums over all\n\n| kind | columns | true arrows | joins too many | joins missed "
          f"| told by data: right, turned, no join | open: right, turned, no join | CPU s each |\n{'|---' * 8}|")
    for kind in ("numbers", "curved", "levels", "mixed"):
        for columns in (10, 20):
            counts = dict.fromkeys(("true", "many", "missed", "data", "open", "seconds"), 0.0)
            pointing = {"data": np.zeros(3, int), "open": np.zeros(3, int)}
            for seed in range(seeds):
                frame, truth = random_model(kind, columns, rows, seed)
                found, cost = timed(propose, frame)
                joins = {frozenset(arrow) for arrow in truth}
                told = {frozenset((c.cause, c.effect)) for c in found.arrows}
                counts["true"] += len(truth)
                counts["many"] += len(told - joins)
                counts["missed"] += len(joins - told)
                counts["seconds"] += cost
                for c in found.arrows:
                    at = 0 if (c.cause, c.effect) in truth else 1 if (c.effect, c.cause) in truth else 2
                    pointing["data" if c.direction == "data" else "open"][at] += 1
            said = " | ".join(", ".join(map(str, p)) for p in pointing.values())
            print(f"| {kind} | {columns} | {counts['true']:.0f} | {counts['many']:.0f} | {counts['missed']:.0f} | {said} | "
                  f"{counts['seconds'] / seeds:.1f} |", flush=True)


REAL = (("adult", {"education": "Masters"}), ("adult", {"hours-per-week": "+5"}), ("bank_marketing", {"duration": "+60"}),
        ("german_credit", {"duration": "-6"}), ("law_school", {"lsat": "+2"}))


def real(rows: int) -> None:
    folder = Path(os.environ["VERISYN_DATA"])
    print(f"\n{rows:,} rows of each set; causes as proposed, unread\n\n| set | do | responds | stays | supported | "
          f"effective rows | CPU s: proposing, fit, what-if |\n{'|---' * 7}|")
    for name, do in REAL:
        frame = pl.read_parquet(folder / name / "data.parquet")
        frame = frame[np.sort(np.random.default_rng(0).permutation(frame.height)[:rows])]
        told, proposing = timed(propose, frame)
        model, fitting = timed(vs.fit, frame, causes=told.confirm(), audit=False, progress=Progress())
        found, asking = timed(what_if, model, do, 10_000, progress=Progress())
        details = found.assessment["steering.do"].details
        print(f"| {name} | {do} | {details['responds']} | {details['stays']} | {details['support'][0]['supported']:.1%} "
              f"| {details['effective_rows']:,} of {details['rows_learnt_from']:,} | {proposing:.1f}, {fitting:.1f}, "
              f"{asking:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--simulated", action="store_true", help="only the simulated models")
    parser.add_argument("--graphs", action="store_true", help="only the random graphs")
    parser.add_argument("--real", action="store_true", help="only the real sets")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    everything = not (options.simulated or options.graphs or options.real)
    if options.simulated or everything:
        simulated(options.seeds, options.rows)
    if options.graphs or everything:
        graphs(options.seeds, options.rows)
    if options.real or everything:
        real(options.rows)


if __name__ == "__main__":
    main()
