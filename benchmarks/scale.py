"""How cost grows: with rows, with columns, with the levels of one column; and what a million rows cost to write.

    python benchmarks/scale.py [--quick] [rows columns levels write]      all four by default

Every line is a process of its own: CPU seconds of its stages, peak memory of the process, and the slope of the fit's CPU
on a double logarithmic scale since the line above (1: linear). The tables are made up, of numbers and categories that tell
of each other. `write` needs VERISYN_DATA, a folder of NAME/data.parquet: it fits adult and writes a million rows of it.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = {"rows": [10**3, 10**4, 10**5, 10**6], "columns": [10, 100, 1000], "levels": [10, 10**3, 10**5],
         "write": ["parquet", "csv"]}
QUICK = {"rows": [10**3, 10**4], "columns": [10, 50], "levels": [10, 10**3], "write": ["parquet"]}


def table(rows: int, columns: int):
    """Return a table whose columns share five causes; every third is a category."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(0)
    causes, words = rng.normal(size=(rows, 5)), np.array(["a", "b", "c", "d", "e", "f"])
    made = {}
    for j in range(columns):
        value = causes[:, j % 5] + rng.normal(size=rows)
        made[f"c{j}"] = value.round(3) if j % 3 else words[np.digitize(value, [-2, -1, 0, 1, 2])]
    return pl.DataFrame(made)


def levelled(levels: int):
    """Return ten rows a level, at least 10 000, and two columns that depend on the level."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(0)
    own = rng.integers(0, levels, max(10 * levels, 10_000))
    return pl.DataFrame({"level": np.char.add("v", own.astype(str)), "x": (own % 97 + rng.normal(size=len(own))).round(1),
                         "g": np.array(list("abcd"))[own % 4]})


def one(axis: str, size: str) -> None:
    """Fit and sample one table in this process; print the cost of each stage as JSON."""
    import verisyn as vs
    from verisyn.progress import Progress

    progress = Progress()
    if axis == "write":
        write_a_million(size, progress)
    else:
        n = int(size)
        frame = levelled(n) if axis == "levels" else table(n, 15) if axis == "rows" else table(2000, n)
        model = vs.fit(vs.read(frame, fit_rows=10**9), audit=False, jobs=1, progress=progress)
        model.sample(frame.height, jobs=1, progress=progress)
    print(json.dumps({c.name: c.cpu_seconds for c in progress.costs}))


def write_a_million(suffix: str, progress) -> None:
    """Fit adult, or take the model that an earlier line left, and write a million rows of it."""
    import verisyn as vs
    from verisyn.data import write

    source = Path(os.environ["VERISYN_DATA"]) / "adult" / "data.parquet"
    with tempfile.TemporaryDirectory() as folder:
        vs.fit(source, audit=False, jobs=1, progress=progress).save(Path(folder) / "model")
        with progress.stage("load"):
            model = vs.load(Path(folder) / "model")
        frame = model.sample_frame(10**6, seed=1, jobs=1, progress=progress)
        with progress.stage("write"):
            write(frame, Path(folder) / f"million.{suffix}")


def measured(axis: str, size) -> tuple[dict[str, float], float]:
    """Run one line in a process of its own; return CPU seconds by stage, and peak memory in MB."""
    child = subprocess.Popen([sys.executable, __file__, "--one", axis, str(size)], stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{axis} {size}: exit {child.returncode}")
    return json.loads(out.splitlines()[-1]), usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Print a table for each axis."""
    chosen = [a for a in sys.argv[1:] if a in SIZES] or list(SIZES)
    for axis in chosen:
        stages = ["fit", "load", "sample", "write"] if axis == "write" else ["describe", "learn columns", "fit", "sample"]
        print(f"\n| {axis} | {' | '.join(stages)} | peak MB | slope of fit |\n|---|{'---:|' * (len(stages) + 2)}")
        before = None
        for size in (QUICK if "--quick" in sys.argv else SIZES)[axis]:
            cost, peak = measured(axis, size)
            slope = math.log(cost["fit"] / before[1]) / math.log(size / before[0]) if before else None
            before = None if axis == "write" else (size, cost["fit"])
            cells = [f"{cost.get(stage, 0):.2f}" for stage in stages]
            name = f"{size:,}" if isinstance(size, int) else size
            print(f"| {name} | {' | '.join(cells)} | {peak:.0f} | {'' if slope is None else f'{slope:.2f}'} |", flush=True)


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(*sys.argv[2:4])
    else:
        main()
