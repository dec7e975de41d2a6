"""Score the generators beside their peers: one split, one ruler, one table a data set.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet> VERISYN_BENCH=<folder of the ruler>
    python benchmarks/engine.py --data adult,shoppers,magic,beijing --seeds 0,1,2

The ruler is the bench's ``score.py`` (it needs lightgbm, and sdmetrics for two of its columns; give the interpreter
that has them as VERISYN_SCORE_PYTHON). The split is the bench's: half and half, seed 7, at most 50 000 rows. The peers'
figures are those stored beside the ruler. C2ST, DOMIAS and DCR share are best at 0.5, where nothing tells the synthetic
rows from real ones and the training rows from other ones; so is the attack on the model file, by the likelihood of
training and held-out rows. TSTR is best at TRTR. Of several seeds the median is shown, with the smallest and the largest
behind it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import verisyn
from verisyn import memory

SHOWN = ("holdout_oracle", "cart_ref", "cart_leaf20", "mostlyai", "sdv_tvae", "sdv_gc", "independent")
COLUMNS = ("C2ST", "snapped", "TSTR / TRTR", "DOMIAS", "DCR share", "copies (real)", "attack", "CPU fit s", "CPU sample s")


def prepare(source: Path, into: Path) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """Split as the bench does, and write both halves and the schema where the ruler looks for them."""
    meta = json.loads((source / "meta.json").read_text())
    frame = pl.read_parquet(source / "data.parquet")
    frame = frame.drop([c for c, kind in meta["columns"].items() if kind == "id"]).filter(
        pl.col(meta["target"]).is_not_null())
    regression = "regression" in meta["task"]
    categories = {c for c, kind in meta["columns"].items() if kind == "categorical"} | (
        set() if regression else {meta["target"]})
    kinds = {c: _kind(frame[c], c in categories) for c in frame.columns}
    rows = np.random.default_rng(7).permutation(frame.height)[:50_000]
    train, hold = frame[rows[: len(rows) // 2]], frame[rows[len(rows) // 2:]]
    for part, name in ((train, "train"), (hold, "hold")):
        as_scored(part, kinds).write_parquet(into / f"{name}.parquet")
    schema = {"target": meta["target"], "task": "regression" if regression else "classification", "columns": kinds}
    (into / "schema.json").write_text(json.dumps(schema))
    return train, hold, kinds


def _kind(column: pl.Series, category: bool) -> str:
    if category or not column.dtype.is_numeric():
        return "cat"
    return "int" if column.dtype.is_integer() or (column.drop_nulls() % 1 == 0).all() else "num"


def as_scored(frame: pl.DataFrame, kinds: dict[str, str]) -> pl.DataFrame:
    """Write categories as text, as the ruler expects them on both sides."""
    return frame.with_columns(pl.col(c).cast(pl.String) for c, kind in kinds.items() if kind == "cat")


def run(generator: str, seed: int, train: pl.DataFrame, hold: pl.DataFrame, kinds: dict[str, str],
        folder: Path) -> dict[str, Any]:
    """Fit, sample as many rows as there were, score; return the ruler's figures and our costs."""
    start = time.process_time()
    model = verisyn.fit(train, generator=generator, seed=seed, audit=False)
    fitted = time.process_time()
    synthetic = model.sample(train.height, seed=seed)
    drawn = time.process_time()
    as_scored(synthetic, kinds).write_parquet(folder / "synthetic.parquet")
    ruler = [os.environ.get("VERISYN_SCORE_PYTHON", sys.executable), Path(os.environ["VERISYN_BENCH"]) / "score.py"]
    files = [folder / n for n in ("train.parquet", "hold.parquet", "synthetic.parquet", "schema.json", "score.json")]
    subprocess.run([*map(str, [*ruler, *files])], check=True)
    score = {**json.loads(files[-1].read_text()), "attack": memory.attacked(model, train, hold).value}
    return {"score": score, "cpu_fit": fitted - start, "cpu_sample": drawn - fitted}


def peer(name: str, data: str) -> dict[str, Any] | None:
    """Return a peer's stored record; the last one counts."""
    path = Path(os.environ["VERISYN_BENCH"]) / "results" / f"{name}.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return next((r for r in reversed(records) if r["data"] == data and "c2st" in r.get("score", {})), None)


def spread(values: list[float | None], digits: int = 3) -> str:
    """Write a median, and behind it, where the values differ, the smallest and the largest."""
    known = [v for v in values if v is not None]
    if not known:
        return "–"
    low, middle, high = (f"{v:.{digits}f}" for v in (min(known), np.median(known), max(known)))
    return middle if low == high else f"{middle} [{low}, {high}]"


def row(name: str, records: list[dict[str, Any]]) -> str:
    """Write one line of the table, of one record a seed."""
    def show(key: str, digits: int = 3) -> str:
        return spread([r["score"].get(key) for r in records], digits)

    cells = [name, show("c2st"), show("c2st_snapped"), f"{show('tstr')} / {show('trtr')}", show("mia_domias"),
             show("dcr_share"), f"{show('copies', 4)} ({show('copies_h', 4)})", show("attack"),
             *(spread([r.get(key) for r in records], 1) for key in ("cpu_fit", "cpu_sample"))]
    return f"| {' | '.join(cells)} |"


def tabular(home: Path) -> list[str]:
    """List the data sets that are one table with a target."""
    metas = [json.loads(path.read_text()) for path in sorted(home.glob("*/meta.json"))]
    return [meta["name"] for meta in metas if meta["kind"] == "tabular" and meta.get("target") in meta["columns"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="adult,shoppers,magic,beijing",
                        help="comma-separated, or all: every table with a target")
    parser.add_argument("--generators", default="table.trees,table.independent")
    parser.add_argument("--seeds", default="0", help="comma-separated; the median is shown, with the smallest and the largest")
    options = parser.parse_args()
    home = Path(os.environ["VERISYN_DATA"])
    for data in tabular(home) if options.data == "all" else options.data.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            train, hold, kinds = prepare(home / data, folder)
            print(f"\n### {data}: {train.height:,} rows\n\n| | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
            for generator in options.generators.split(","):
                records = [run(generator, int(seed), train, hold, kinds, folder) for seed in options.seeds.split(",")]
                print(row(f"**verisyn {generator}**", records), flush=True)
        for name in SHOWN:
            if record := peer(name, data):
                print(row(name, [record]))


if __name__ == "__main__":
    main()
