"""Assess data that other generators made, and see whether it is ranked as an independent scorer ranks it.

    python benchmarks/ranking.py FOLDER --bench <folder of the scorer's NAME.jsonl> [--data adult,shoppers]

FOLDER holds SET/train.parquet, SET/holdout.parquet, SET/schema.json (with the target) and SET/PEER.parquet. Prints a table a set: our
figure and the scorer's, side by side, and how alike the two order the generators (Kendall's tau: 1 is the same order; pairs that the
scorer cannot tell apart within its own noise are left out).
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import combinations
from pathlib import Path

import polars as pl

import verisyn as vs

PAIRS = {"c2st": ("fidelity.two_sample", 0.01), "uni": ("fidelity.accuracy", 0.003), "tstr": ("utility.tstr", 0.005),
         "mia_domias": ("privacy.membership", 0.01), "dcr_share": ("privacy.nearest_record", 0.01),
         "copies": ("privacy.copies", 0.002)}
"""The scorer's figure: our finding, and by how much the scorer's figure moves by chance alone."""


def theirs(bench: Path, name: str) -> dict[str, dict]:
    """The scorer's last figures by generator."""
    found = {}
    for path in sorted(bench.glob("*.jsonl")):
        for line in map(json.loads, path.read_text().splitlines()):
            if line.get("data") == name and line.get("score"):
                found[line["peer"]] = {**line["score"], "uni": sum(line["score"][k] for k in ("uni", "bi", "tri")) / 3}
    return found


def tau(ours: dict[str, float], others: dict[str, float], noise: float) -> tuple[float, int]:
    """Agreement of two orders, over the pairs that the second tells apart."""
    told = [(ours[a] - ours[b]) * (others[a] - others[b]) for a, b in combinations(ours, 2)
            if abs(others[a] - others[b]) > noise]
    return (sum(1 if t > 0 else -1 for t in told) / len(told) if told else float("nan")), len(told)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--data", default="adult,shoppers")
    parser.add_argument("--effort", default="standard")
    asked = parser.parse_args()
    for name in asked.data.split(","):
        folder, bench, ours, rows = asked.folder / name, theirs(asked.bench, name), {}, []
        target = json.loads((folder / "schema.json").read_text())["target"]
        train, holdout = (pl.read_parquet(folder / f"{n}.parquet") for n in ("train", "holdout"))
        schema = vs.describe(train, target=target)
        print(f"\n### {name}: ours / the scorer's\n")
        print(f"| generator | {' | '.join(ours_ for ours_, _ in PAIRS.values())} | worst verdicts | CPU s |")
        print("|" + "---|" * (len(PAIRS) + 3))
        for path in sorted(folder.glob("*.parquet")):
            if path.stem in ("train", "holdout"):
                continue
            start = time.process_time()
            found = vs.assess(pl.read_parquet(path), train, holdout, schema=schema, effort=asked.effort)
            ours[path.stem] = {k: found[n].value for k, (n, _) in PAIRS.items()}
            score = bench.get(path.stem, {})
            cells = [f"{ours[path.stem][k] if ours[path.stem][k] is not None else float('nan'):.3f} / {score.get(k, float('nan')):.3f}" for k in PAIRS]
            poor = [f.name.split(".")[1] for f in found.findings if f.verdict == "poor"]
            rows.append((found["fidelity.two_sample"].value or 1.0,
                         f"| {path.stem} | {' | '.join(cells)} | {', '.join(poor) or 'none poor'} | {time.process_time() - start:.0f} |"))
        print("\n".join(line for _, line in sorted(rows)))
        both = [p for p in ours if p in bench]
        agreed = {k: tau({p: ours[p][k] for p in both if ours[p][k] is not None}, {p: bench[p][k] for p in both}, noise)
                  for k, (_, noise) in PAIRS.items()}
        print("\nSame order (Kendall's tau, pairs told apart): "
              + ", ".join(f"{PAIRS[k][0]} {t:.2f} ({n})" for k, (t, n) in agreed.items()), flush=True)


if __name__ == "__main__":
    main()
