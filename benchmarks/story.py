"""Run `verisyn synth` on real data sets, unaided, and print what it cost and what it found.

    python benchmarks/story.py [adult shoppers …]      data sets in $VERISYN_DATA/NAME/data.parquet; all tabular ones by default

Each set is a process of its own; CPU seconds and peak memory are the operating system's figures for that whole process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

DATA = Path(os.environ.get("VERISYN_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SHOWN = ("fidelity.marginals", "fidelity.pairs", "fidelity.two_sample", "utility.tstr", "privacy.copies",
         "privacy.nearest_record", "privacy.membership")


def tabular() -> list[str]:
    """Names of the one-table sets, smallest first."""
    metas = {p.parent.name: json.loads(p.read_text()) for p in DATA.glob("*/meta.json")}
    names = [n for n, m in metas.items() if m.get("kind") == "tabular" and (DATA / n / "data.parquet").exists()]
    return sorted(names, key=lambda n: metas[n]["rows"])


def tell(name: str, folder: Path) -> dict:
    """Run the command in a process of its own; return its findings and what it cost."""
    meta = json.loads((DATA / name / "meta.json").read_text())
    command = [sys.executable, "-m", "verisyn", "synth", str(DATA / name / "data.parquet"), "--out", str(folder / name),
               "--json"]
    if meta.get("target"):
        command += ["--target", meta["target"]]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = child.communicate()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"code": child.returncode, "error": err.strip(), "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss / 1024, "findings": {f["name"]: f for f in json.loads(out)["findings"]} if out else {},
            "rows": meta["rows"], "columns": meta["cols"]}


def row(name: str, told: dict, cpu_before: float) -> str:
    """One line of the table; a finding is value (floor → ceiling) and the first letter of its verdict."""
    cells = [name, f"{told['rows']:,} × {told['columns']}", f"{told['cpu'] - cpu_before:.0f}", f"{told['peak']:.0f}"]
    if told["code"]:
        return f"| {' | '.join(cells)} | exit {told['code']}: {told['error'][:120]} |"
    return f"| {' | '.join(cells + [cell(told['findings'].get(n)) for n in SHOWN])} |"


def cell(finding: dict | None) -> str:
    """Value, floor and ceiling, and the verdict."""
    if finding is None or finding["value"] is None:
        return "–"
    ends = " → ".join("?" if v is None else f"{v:.3f}" for v in (finding["floor"], finding["ceiling"]))
    return f"{finding['value']:.3f} ({ends}) {finding['verdict']}"


def main() -> None:
    names = sys.argv[1:] or tabular()
    print(f"| set | rows × columns | CPU s | peak MB | {' | '.join(SHOWN)} |")
    print("|" + "---|" * (4 + len(SHOWN)))
    before = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            told = tell(name, Path(folder))
            print(row(name, told, before), flush=True)
            before = told["cpu"]


if __name__ == "__main__":
    main()
