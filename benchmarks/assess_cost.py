"""What an assessment costs: CPU seconds and peak memory of the whole `verisyn assess` process, by rows and effort.

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/assess_cost.py [--rows 48842,1000000] [--efforts quick,standard]

Adult's 15 columns: half of the rows are real rows to learn from, a quarter unseen, and the synthetic ones are made by
`table.trees`; more rows than adult has are drawn from a model of it (to measure cost, not quality).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

import verisyn as vs

DATA = Path(os.environ["VERISYN_DATA"])


def files(folder: Path, rows: int) -> tuple[Path, Path, Path]:
    """Write real, unseen and synthetic rows: `rows` real ones in all, as many synthetic ones."""
    real = pl.read_parquet(DATA / "adult" / "data.parquet").sample(fraction=1.0, shuffle=True, seed=0)
    model = vs.fit(real, seed=0, audit=False)
    real = real if rows <= real.height else model.sample(rows, seed=9)
    cut = real.height * 3 // 4
    frames = {"real": real[:cut], "unseen": real[cut:], "synthetic": model.sample(rows, seed=1)}
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")
    return folder / "synthetic.parquet", folder / "real.parquet", folder / "unseen.parquet"


def assessed(synthetic: Path, real: Path, unseen: Path, effort: str, out: Path) -> tuple[float, float, float]:
    """Return CPU seconds, wall seconds and peak MB of the command."""
    import time

    command = [sys.executable, "-m", "verisyn", "assess", str(synthetic), str(real), "--holdout", str(unseen), "--target",
               "income", "--effort", effort, "--out", str(out), "--json", "--force"]
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} failed")
    child.returncode = 0
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", default="48842,1000000")
    parser.add_argument("--efforts", default="quick,standard")
    asked = parser.parse_args()
    print("| real rows | synthetic rows | effort | CPU s | wall s | peak MB |\n|---|---|---|---|---|---|")
    for rows in map(int, asked.rows.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            told = files(Path(folder), rows)
            for effort in asked.efforts.split(","):
                cpu, wall, peak = assessed(*told, effort, Path(folder) / "out")
                print(f"| {rows:,} | {rows:,} | {effort} | {cpu:.0f} | {wall:.0f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
