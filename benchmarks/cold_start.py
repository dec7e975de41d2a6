"""What the first call costs, in a process that has just begun: import, fit and sample; nothing is compiled while one waits.

    python benchmarks/cold_start.py [--install]

Each line is a fresh process. `--install` makes a virtual environment, installs the checkout with pip, and measures there
too: the first call on a new machine. `waiting` is by how much the first fit of a process is slower than the second: the
loading of libraries, for nothing is compiled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
STEPS = """
import json, time
start = time.perf_counter()
def lap():
    global start
    now = time.perf_counter(); took, start = now - start, now
    return took
import verisyn as vs
import_ = lap()
import polars as pl
frame = pl.DataFrame({"age": [34, 51, 29, 62, 40] * 100, "smoker": ["no", "yes", "no", None] * 125})
lap()
model = vs.fit(frame, audit=False); first = lap()
model.sample(500); sample = lap()
vs.fit(frame, audit=False); again = lap()
vs.load  # the verbs are there at once
print(json.dumps({"import": import_, "first fit": first, "first sample": sample, "second fit": again}))
"""


def measured(python: Path | str) -> dict[str, float]:
    """Run the steps in a fresh process, away from the checkout; return seconds of wall clock."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([str(python), "-c", STEPS], cwd=folder, stdout=subprocess.PIPE, text=True,
                              check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return json.loads(done.stdout)


def fresh_install(folder: Path) -> Path:
    """Install the checkout into a new environment; return its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(ROOT)], check=True)
    return python


def main() -> None:
    """Print the table; exit 1 if a first call waits more than 3 s longer than a second one."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        lines: list[tuple[str, Path | str]] = [("first run", sys.executable), ("second run", sys.executable)]
        if "--install" in sys.argv:
            python = fresh_install(Path(folder) / "new")
            lines += [("new install, first run", python), ("new install, second run", python)]
        print("| seconds | import | first fit | first sample | second fit | waiting |\n|---|---:|---:|---:|---:|---:|")
        for name, python in lines:
            told = measured(python)
            waiting = told["first fit"] - told["second fit"]
            worst = max(worst, waiting)
            print(f"| {name} | {' | '.join(f'{v:.2f}' for v in told.values())} | {waiting:.2f} |", flush=True)
    raise SystemExit(worst > 3)


if __name__ == "__main__":
    main()
