"""Run `verisyn synth` on real data sets, unaided, and print what it cost and what it found.

    export VERISYN_DATA=<folder of NAME/data.parquet and NAME/meta.json>
    python benchmarks/story.py [adult shoppers …]      all tabular sets by default

Each set is a process of its own; CPU seconds and peak memory are the operating system's figures for that whole process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DATA = Path(os.environ["VERISYN_DATA"])
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
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    with out.open("w") as result, err.open("w") as said:
        child = subprocess.Popen(command, stdout=result, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)  # this child's own figures; getrusage would give the largest so far
    child.returncode = os.waitstatus_to_exitcode(status)
    findings = [] if child.returncode else json.loads(out.read_text())["findings"]
    return {"code": child.returncode, "error": err.read_text().strip(), "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss / 1024, "findings": {f["name"]: f for f in findings},
            "rows": meta["rows"], "columns": meta["cols"]}


def row(name: str, told: dict) -> str:
    """One line of the table; a finding is value (floor → ceiling) and verdict."""
    cells = [name, f"{told['rows']:,} × {told['columns']}", f"{told['cpu']:.0f}", f"{told['peak']:.0f}"]
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
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print(row(name, tell(name, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
