"""Do the 95 % intervals of all metrics cover? Many samples of one population; how often an interval holds the mean value.

    python benchmarks/coverage.py [--trials 60] [--rows 1500] [--share 0.5]

All three tables are drawn anew in each trial, and a share of the synthetic rows is drawn column by column, so that values
lie between their best and their worst. A measure's target is its mean over all trials: what it is on average at this many
rows. An interval that is honest about chance holds it in about 95 of 100 trials; one that holds it always is too wide.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "planted"))

from faults import clinic, table_of

from verisyn.assessment import assess_frames
from verisyn.metrics import effort_of


def spoilt(frame: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """Draw a share of the rows column by column."""
    cut = round(share * frame.height)
    return pl.concat([frame[:cut].select(pl.col(c).gather(rng.permutation(cut)) for c in frame.columns), frame[cut:]])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--share", type=float, default=0.5)
    asked = parser.parse_args()
    told: dict[str, list] = {}
    for seed in range(asked.trials):
        train, holdout, fake = (clinic(asked.rows, 3 * seed + i) for i in range(3))
        fake = spoilt(fake, asked.share, np.random.default_rng(seed))
        found = assess_frames(fake, train, holdout, table_of(train), effort=effort_of("quick"), seed=seed)
        for f in found.findings:
            if f.value is not None:
                told.setdefault(f.name, []).append((f.value, *f.interval))
    print(f"{asked.trials} trials of {asked.rows:,} rows, {asked.share:.0%} of the synthetic ones drawn column by column\n")
    print("| finding | mean value | spread of values | mean half width | intervals that hold the mean |\n|---|---|---|---|---|")
    for name, rows in told.items():
        value, low, high = np.array(rows).T
        held = (low <= value.mean()) & (value.mean() <= high)
        print(f"| {name} | {value.mean():.3f} | {value.std():.4f} | {(high - low).mean() / 2:.4f} | {held.mean():.0%} of {len(rows)} |")


if __name__ == "__main__":
    main()
