"""Let generators learn from their own rows, generation after generation: what is lost, by regime, beside the floor.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/collapse.py --data adult,magic,ai4i2020,german_credit,law_school --repeats 5 --out collapse.json

Half of each set (3 000 rows at most) is learnt from, as many others judge; each repetition has a split and seeds of its
own. One table a measure: its mean at generations 1, 3, 5 and 10 with Student's 95 % interval over repetitions, the change
per generation, and ``late : early``, where that change is none of chance: what generations 6 to 10 change over what 1 to 5
do: about 1 where a loss is linear, about 0 where it is bounded. ``--shares`` adds mixes with a fixed real share. `independent` draws columns alone: it
has no dependence to lose, so only its margins tell. About 3 CPU minutes a set, generator and five repetitions.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

import verisyn
from verisyn.findings import Assessment
from verisyn.progress import default_progress

AT = (1, 3, 5, 10)


def run(name: str, generator: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one set with one generator; return the assessment and its cost."""
    start = time.process_time()
    found = verisyn.collapse(Path(os.environ["VERISYN_DATA"]) / name / "data.parquet", generator=generator,
                             generations=options.generations, rows=options.rows, repeats=options.repeats,
                             real_shares=[float(s) for s in options.shares.split(",") if s], effort="quick",
                             seed=options.seed, progress=default_progress())
    return {"data": name, "generator": generator, "cpu_seconds": round(time.process_time() - start, 1),
            "assessment": found.to_dict()}


def late_to_early(points: list[dict[str, float]]) -> str:
    """Say the change of the later half over that of the earlier one."""
    y = np.array([p["y"] for p in points])
    half = len(y) // 2
    if half < 2 or y[half - 1] == y[0]:
        return "–"
    return f"{(y[-1] - y[half]) / (y[half - 1] - y[0]):.2f}"


def lines(record: dict[str, Any]) -> dict[str, list[str]]:
    """Write the rows of one set and generator, by measure."""
    found, written = Assessment.from_dict(record["assessment"]), {}
    for finding in found.findings:
        slopes = {item["name"]: item for item in finding.details.get("items", [])}
        for chart in finding.details.get("lines", []):
            rows = written.setdefault(chart["title"], [])
            for series in chart["series"]:
                at = {int(p["x"]): p for p in series["points"]}
                cells = [f"{at[x]['y']:.3f} ± {at[x]['high'] - at[x]['y']:.3f}" if x in at else "–" for x in AT]
                item = slopes.get(series["name"]) or slopes.get(f"{series['name']}: {chart['y']}")
                slope = f"{item['value']:+.4f} [{item['interval'][0]:+.4f}, {item['interval'][1]:+.4f}]" if item else "–"
                sure = item and item["interval"][0] * item["interval"][1] > 0
                bent = late_to_early(series["points"]) if sure else "–"
                who = f"{record['data']} | {record['generator']} | {series['name']}"
                rows.append(f"| {who} | {' | '.join(cells)} | {slope} | {bent} |")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="adult,magic,ai4i2020,german_credit,law_school")
    parser.add_argument("--generators", default="trees,independent")
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--shares", default="", help="comma-separated real shares to try too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a JSON file for the whole assessments")
    options = parser.parse_args()
    records = []
    for name in options.data.split(","):
        for generator in options.generators.split(","):
            records.append(run(name, generator, options))
            if options.out:
                options.out.write_text(json.dumps(records, indent=1), encoding="utf-8")
    tables: dict[str, list[str]] = {}
    for record in records:
        for title, rows in lines(record).items():
            tables.setdefault(title, []).extend(rows)
    for title, rows in tables.items():
        print(f"\n### {title}\n\n| data | generator | regime | {' | '.join(f'generation {x}' for x in AT)} | a generation "
              f"| late : early |\n|{'---|' * (len(AT) + 5)}")
        print("\n".join(rows))
    for record in records:
        share = Assessment.from_dict(record["assessment"]).findings[-1]
        print(f"\n{record['data']}, {record['generator']}: {record['cpu_seconds']} CPU s. "
              f"{share.reason if share.name == 'collapse.share' else ''}")


if __name__ == "__main__":
    main()
