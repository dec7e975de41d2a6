"""Do the intervals of `verisyn infer` cover, and what are synthetic rows worth? On real data, with truths that are known.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/inference.py [--replicates 200] [--rows 200 500 2000] [--sets adult ...] [--self]

Of each set, 5 000 rows are for the generator alone. All others are the population, and what they say is the truth. Each
replicate draws n labelled and 5 000 unlabelled rows from the population, with replacement, so that rows are independent and
the truth is exact. The predictor is learnt once a question, from 10 000 synthetic rows of the 5 000 rows' model (of a
quantile: once for each percentile of the synthetic rows that a replicate's own quantile is nearest to). Told are the share
of replicates whose interval holds the truth (of a regression: the mean over coefficients), and the mean width beside that
of the interval from the labelled rows alone. *Pooled* counts the synthetic rows as real; it is what not to do. There is
one synthetic table a set here, so on a line it mostly holds or misses as a whole; the last line is the mean.

``--self`` asks what happens where the generator saw the labelled rows: it is fitted to them alone in each replicate.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import verisyn
from verisyn.inference import _asked, infer
from verisyn.inference._figures import design_of, estimated
from verisyn.inference._powered import Guesses, cut_of
from verisyn.inference._predictors import _learnt
from verisyn.inference._rows import Rows, Seen

SETS: dict[str, list[dict]] = {
    "adult": [{"share": "income == '>50K'"}, {"mean": "hours-per-week"}, {"quantile": ("age", 0.5)},
              {"regression": "income == '>50K' ~ age + sex + `education-num`"}],
    "acs_income_2018": [{"mean": "Income"}, {"quantile": ("Income", 0.5)}, {"quantile": ("Income", 0.9)},
                        {"regression": "Income ~ Age + Gender"}],
    "bank_marketing": [{"share": "y == 'yes'"}, {"mean": "balance"}, {"regression": "y == 'yes' ~ age + housing"}],
    "california_housing": [{"mean": "median_house_value"}, {"quantile": ("median_house_value", 0.5)},
                           {"regression": "median_house_value ~ median_income + housing_median_age"}],
    "kc_house": [{"mean": "price"}, {"quantile": ("price", 0.5)}, {"regression": "price ~ sqft_living + bedrooms"}],
    "law_school": [{"share": "pass_bar == 1"}, {"mean": "ugpa"}, {"regression": "pass_bar == 1 ~ lsat + ugpa"}],
}
LEARNT, FAKE, UNLABELLED, POPULATION = 5_000, 10_000, 5_000, 40_000
ALPHA = 0.05
TOLD: list[np.ndarray] = []


class Question:
    """One question of one set: the truth, and predictions for every row of the population."""

    def __init__(self, wish: dict, population: pl.DataFrame, fake: pl.DataFrame):
        wish = dict.fromkeys(("mean", "share", "quantile", "regression")) | wish
        self.asked = _asked.read(population, **wish)
        used = [*self.asked.columns, *self.asked.needed]
        self.rows = Rows(population.drop_nulls(used), population[:0], fake.drop_nulls(used))
        shared = [c for c in population.columns if c not in self.asked.columns]
        self.seen = Seen.of(self.rows, shared, fake=True)
        self.y, self.fake_y = (self.asked.outcome(f) for f in (self.rows.labelled, self.rows.synthetic))
        self.truth = [f.classical for f in estimated(self.asked, self.rows, design_of(self.asked, self.rows), None, ALPHA)]
        self._memo: dict[int, np.ndarray] = {}

    def predictions(self, labelled: np.ndarray) -> np.ndarray:
        if self.asked.kind != "quantile":
            return self._learnt(0, self.fake_y)
        place = round(100 * float((self.fake_y <= cut_of(self.y[labelled], self.asked.level)).mean()))
        place = min(max(place, 1), 99)
        return self._learnt(place, (self.fake_y <= np.quantile(self.fake_y, place / 100)).astype(float))

    def _learnt(self, key: int, y: np.ndarray) -> np.ndarray:
        if key not in self._memo:
            self._memo[key] = _learnt(self.seen.synthetic, y, self.seen.categories, 0)(self.seen.labelled)
        return self._memo[key]

    def replicate(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return, for each figure: held, held by the classical and by the pooled interval; width ratios of two."""
        drawn = rng.integers(0, len(self.y), n + UNLABELLED)
        guess = self.predictions(drawn[:n])
        rows = Rows(self.rows.labelled[drawn[:n]], self.rows.labelled[drawn[n:]], None, self.rows.synthetic)
        figures = estimated(self.asked, rows, design_of(self.asked, Rows(rows.labelled, rows.unlabelled[:0])),
                            Guesses(guess[drawn[:n]], guess[drawn[n:]]), ALPHA)
        return np.array([scores(f, truth) for f, truth in zip(figures, self.truth, strict=True)
                         if f.name != "intercept"]).mean(axis=0)


def scores(figure, truth: float) -> list[float]:
    ways = [figure.interval, figure.classical_interval, figure.naive_interval or (np.nan, np.nan)]
    width = max(figure.classical_interval[1] - figure.classical_interval[0], 1e-12)
    return [*(low <= truth <= high for low, high in ways), *((w[1] - w[0]) / width for w in (ways[0], ways[2]))]


def told(name: str, words: str, n: int, found: np.ndarray) -> None:
    mean = found.mean(axis=0)
    error = 1.96 * np.sqrt(np.maximum(mean[0] * (1 - mean[0]), 1e-9) / len(found))
    TOLD.append(mean)
    print(f"| {name} | {words} | {n} | {mean[0]:.3f} ± {error:.3f} | {mean[1]:.3f} | {mean[3]:.2f} | {mean[2]:.3f} | "
          f"{mean[4]:.2f} |", flush=True)


def from_others(name: str, frame: pl.DataFrame, sizes: list[int], replicates: int, seed: int) -> None:
    """The generator saw other rows."""
    fake = verisyn.fit(frame[:LEARNT], seed=seed, audit=False).sample(FAKE, seed=seed)
    for wish in SETS[name]:
        question = Question(wish, frame[LEARNT:], fake)
        for n in sizes:
            rng = np.random.default_rng([seed, n])
            told(name, question.asked.words, n, np.array([question.replicate(n, rng) for _ in range(replicates)]))


def from_themselves(name: str, frame: pl.DataFrame, sizes: list[int], replicates: int, seed: int) -> None:
    """The generator saw the labelled rows, and those alone: told that it did (cross-fitted), and told that it did not."""
    wish = SETS[name][0]
    asked = _asked.read(frame, **(dict.fromkeys(("mean", "share", "quantile", "regression")) | wish))
    truth = asked.outcome(frame.filter(asked.known(frame))).mean()
    outcome = asked.columns[0]
    for n in sizes:
        rng = np.random.default_rng([seed, n])
        found: dict[str, list] = {"said": [], "denied": []}
        for i in range(replicates):
            drawn = rng.integers(0, frame.height, n + UNLABELLED)
            near = frame[drawn[:n]]
            fake = verisyn.fit(near, seed=i, audit=False).sample(FAKE, seed=i)
            real = pl.concat([near, frame[drawn[n:]].with_columns(pl.lit(None, frame.schema[outcome]).alias(outcome))])
            for key, saw in (("said", True), ("denied", False)):
                found[key].append(scores(infer(real, fake, **wish, predictor_saw_labels=saw, seed=i).figures[0], truth))
        for key, rows in found.items():
            told(name, f"{asked.words}; that the generator saw the rows is {key}", n, np.array(rows, float))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 500, 2000])
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--self", action="store_true", dest="own", help="the generator saw the labelled rows")
    options = parser.parse_args()
    run: Callable = from_themselves if options.own else from_others
    print(f"{options.replicates} replicates; coverage of 95 % intervals\n\n| set | asked | n | with predictions | labelled "
          f"rows alone | width beside it | pooled (not valid) | its width |\n{'|---' * 8}|")
    for name in options.sets:
        frame = verisyn.read(Path(os.environ["VERISYN_DATA"]) / name / "data.parquet").frame
        order = np.random.default_rng(7).permutation(frame.height)[: LEARNT + POPULATION]
        run(name, frame[order], options.rows, options.replicates, options.seed)
    mean = np.mean(TOLD, axis=0)
    print(f"| all | mean of the {len(TOLD)} lines | | {mean[0]:.3f} | {mean[1]:.3f} | {mean[3]:.2f} | {mean[2]:.3f} | {mean[4]:.2f} |")


if __name__ == "__main__":
    main()
