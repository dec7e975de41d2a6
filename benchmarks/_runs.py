"""Programs run in processes of their own: CPU seconds and memory of the whole tree of processes, stopped past a limit (Linux)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
THREADS = {f"{v}_NUM_THREADS": "1" for v in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")} | {
    "LOKY_MAX_CPU_COUNT": "1", "POLARS_MAX_THREADS": "1", "MPLBACKEND": "Agg", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def tree(root: int) -> dict[tuple[int, str], tuple[float, float]]:
    """Return CPU seconds and resident MB of a process and all its descendants, by number and start."""
    parents, costs = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        number = int(path.parent.name)
        parents[number] = int(words[1])
        costs[number] = (words[19], (int(words[11]) + int(words[12])) / TICK, int(words[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20)
    found, front = {}, {root}
    while front:
        found |= {(n, costs[n][0]): costs[n][1:] for n in front if n in costs}
        front = {n for n, p in parents.items() if p in front and (n, costs[n][0]) not in found}
    return found


def end(child: subprocess.Popen[str]) -> None:
    """End a program that still runs, and what it started."""
    if child.poll() is None:
        for number, _ in tree(child.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        child.wait()


def watched(command: list[str], cpu_limit: float = 720, memory_limit: float = 12_000, wall_limit: float = 5400) -> dict[str, Any]:
    """Run a program that prints one line of JSON; return that, and its cost, or what it died of."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **THREADS}, start_new_session=True)
        seen: dict[tuple[int, str], float] = {}
        peak, start, stopped = 0.0, time.monotonic(), ""
        try:
            while child.poll() is None and not stopped:
                now = tree(child.pid)
                seen |= {key: cpu for key, (cpu, _) in now.items()}
                peak = max(peak, sum(mb for _, mb in now.values()))
                over = {"CPU": sum(seen.values()) > cpu_limit, "memory": peak > memory_limit,
                        "time": time.monotonic() - start > wall_limit}
                stopped = next((what for what, more in over.items() if more), "")
                time.sleep(0.3)
        finally:
            end(child)
        cost = {"cpu": round(sum(seen.values()), 1), "peak_mb": round(peak), "wall": round(time.monotonic() - start, 1)}
        out.seek(0)
        err.seek(0)
        lines, wrong = out.read().strip().splitlines(), err.read().strip().splitlines()
    if stopped:
        return {**cost, "error": f"stopped at the limit of {stopped}"}
    if child.returncode or not lines:
        return {**cost, "error": " ".join((wrong or ["no word"])[-12:])[-600:]}
    return {**cost, **json.loads(lines[-1])}
