"""Plant six faults, each in many seeded samples of a population, and count which are found; and false alarms in clean samples.

    python benchmarks/planted.py [--trials 20] [--clean 100] [--rows 4000] [--effort quick]

A clean sample is a fresh draw of the population: whatever it raises as poor is a false alarm. Prints two tables.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "planted"))

from faults import FAULTS, clinic, table_of

from verisyn.assessment import assess_frames
from verisyn.findings import Assessment
from verisyn.metrics import effort_of


def trial(rows: int, seed: int, effort: str, plant=None, metrics=None) -> Assessment:
    """Assess a fresh sample, with or without a planted fault."""
    train, holdout, fake = (clinic(rows, 3 * seed + i) for i in range(3))
    if plant:
        fake = plant(fake, train, np.random.default_rng(seed))
    return assess_frames(fake, train, holdout, table_of(train), effort=effort_of(effort), seed=seed, metrics=metrics)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--clean", type=int, default=100)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--effort", default="quick")
    asked = parser.parse_args()

    print("| planted fault | found, by name | by | other findings poor |\n|---|---|---|---|", flush=True)
    for name, fault in FAULTS.items():
        hits, others = 0, Counter()
        for seed in range(asked.trials):
            found = trial(asked.rows, seed + 1_000, asked.effort, fault.plant)
            poor = {f.name: f.reason for f in found.findings if f.verdict == "poor"}
            hits += any(n in poor and all(word in poor[n] for word in fault.named) for n in fault.found_by)
            others.update(n for n in poor if n not in fault.found_by)
        told = ", ".join(f"{n} {c}" for n, c in others.most_common()) or "–"
        print(f"| {name} | {hits} of {asked.trials} | {', '.join(fault.found_by)} | {told} |", flush=True)

    verdicts: dict[str, Counter] = {}
    spoilt, started = 0, time.process_time()
    for seed in range(asked.clean):
        found = trial(asked.rows, seed, asked.effort)
        spoilt += any(f.verdict == "poor" for f in found.findings)
        for f in found.findings:
            verdicts.setdefault(f.name, Counter())[f.verdict] += 1
    print(f"\n{asked.clean} clean samples of {asked.rows:,} rows, effort {asked.effort}: {spoilt} with any false alarm; "
          f"{(time.process_time() - started) / max(1, asked.clean):.1f} CPU s each\n")
    print("| finding | good | fair | poor (false alarm) | not answered |\n|---|---|---|---|---|")
    for name, counts in sorted(verdicts.items()):
        print(f"| {name} | {' | '.join(str(counts[v]) for v in ('good', 'fair', 'poor', 'not answered'))} |")


if __name__ == "__main__":
    main()
