"""Turn the privacy dial on public data and measure what it costs: one table a data set.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/frontier.py --data adult,shoppers,magic,beijing

The split is that of ``benchmarks/engine.py``: half and half, seed 7, at most 50 000 rows. C2ST is the AUC of the
two-sample test that assessments use, synthetic against held-out rows; the attack is that of ``model.memory``, the AUC of
telling training rows from held-out ones by their likelihood, 10 000 of each at most. Both are best at 0.5.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import polars as pl
from engine import prepare

import verisyn
from verisyn import frontier, memory
from verisyn.schema import Schema

COLUMNS = ("privacy", "C2ST", "attack AUC", "95 %", "caught at 1 % false alarms", "CPU fit s")


def row(privacy: float, seed: int, train: pl.DataFrame, hold: pl.DataFrame, schema: Schema) -> str:
    """Fit at one position of the dial; return its line of the table."""
    start = time.process_time()
    model = verisyn.fit(train, schema, privacy=privacy, seed=seed, audit=False)
    seconds = time.process_time() - start
    judge = frontier.judged(model, model.sample_frame(train.height, seed=seed), train, hold)
    found = memory.attacked(model, train, hold)
    low, high = found.interval or (0.5, 0.5)
    cells = (frontier.said(privacy), f"{judge.value:.3f}", f"{found.value:.3f}", f"{low:.3f} to {high:.3f}",
             f"{found.details['caught']:.3f}", f"{seconds:.1f}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="adult,shoppers,magic,beijing")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for data in options.data.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            train, hold, _ = prepare(Path(os.environ["VERISYN_DATA"]) / data, Path(scratch))
        schema = verisyn.describe(train)
        print(f"\n### {data}: {train.height:,} rows\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
        for privacy in frontier.POSITIONS:
            print(row(privacy, options.seed, train, hold, schema), flush=True)


if __name__ == "__main__":
    main()
