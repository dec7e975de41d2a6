"""Our assessment beside other evaluators' figures for the same files, each tool in an environment of its own.

    python benchmarks/evaluators.py FOLDER --envs ENVS [--data adult,shoppers] [--peers mostlyai,sdv_gc,copy_train]

FOLDER holds SET/train.parquet, SET/holdout.parquet, SET/schema.json (with the target) and SET/PEER.parquet; ENVS holds a virtual
environment a tool: sdmetrics, mostlyqa, syntheval, anonymeter (``pip install sdmetrics pyarrow``, ``mostlyai-qa``, ``syntheval pyarrow``,
``anonymeter pyarrow``). A tool without its environment is left out. CPU seconds are whole processes'. Why figures differ is told in docs/assessment.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOOLS = ("sdmetrics", "mostlyqa", "syntheval", "anonymeter")
SECRETS = {"adult": ["marital-status"], "shoppers": ["VisitorType"]}


def run(command: list[str], into: Path) -> tuple[dict[str, Any] | None, float]:
    """Return a tool's line of JSON, and the CPU seconds of its process."""
    quiet = {**os.environ, "OMP_NUM_THREADS": "2", "HF_HUB_OFFLINE": "1", "MPLBACKEND": "Agg"}
    with into.open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=quiet)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    text = into.read_text().strip()
    found = json.loads(text.splitlines()[-1] if not text.startswith("{\n") else text) if not child.returncode else None
    return found, usage.ru_utime + usage.ru_stime


def ours(files: list[str], target: str, secret: list[str], scratch: Path) -> tuple[dict[str, Any], float]:
    """Our findings by name, through the command line."""
    command = [sys.executable, "-m", "verisyn", "assess", *files[:2], "--holdout", files[2], "--target", target, "--json",
               "--out", str(scratch / "ours"), "--force", *(w for s in secret for w in ("--sensitive", s))]
    told, cpu = run(command, scratch / "ours.json")
    if told is None:
        raise SystemExit(f"{' '.join(command)} failed")
    return {f["name"]: f for f in told["findings"]}, cpu


def rows(f: dict[str, Any], t: dict[str, Any], secret: list[str]) -> list[tuple[str, str, str]]:
    """Pairs of figures that mean the same, or nearly: what, ours, theirs."""
    def value(name: str) -> str:
        found = f[name]
        return "not answered" if found["value"] is None else (
            f"{found['value']:.3f} [{found['interval'][0]:.3f}, {found['interval'][1]:.3f}]")

    def part(name: str, *keys: str) -> str:
        inner = f[name]["details"]
        for key in keys:
            inner = inner.get(key) if isinstance(inner, dict) else None
        return f"{inner:.3f}" if isinstance(inner, int | float) else "–"

    def check(what: str) -> str:
        found = next((c for c in f["privacy.singling_out"]["details"].get("checks", []) if c["what"] == what), None)
        return f"{found['risk']:.3f} [{found['interval'][0]:.3f}, {found['interval'][1]:.3f}]" if found else "–"

    def their(tool: str, key: str) -> str:
        inner = (t.get(tool) or {}).get(key)
        if isinstance(inner, list):
            return f"{inner[0]:.3f} [{inner[1]:.3f}, {inner[2]:.3f}]"
        return f"{inner:.3f}" if isinstance(inner, int | float) else str(inner or "–")

    accuracy = "fidelity.accuracy"
    return [
        ("accuracy, overall · mostlyai-qa", value(accuracy), their("mostlyqa", "overall")),
        *((f"accuracy, {k}variate · mostlyai-qa", part(accuracy, f"{k}variate", "value"), their("mostlyqa", k)) for k in ("uni", "bi", "tri")),
        ("column shapes · sdmetrics", part("fidelity.marginals", "mean_of_column_shapes"), their("sdmetrics", "shapes")),
        ("dependence of pairs · sdmetrics pair trends", value("fidelity.dependence"), their("sdmetrics", "trends")),
        ("pairs, joint bins · sdmetrics pair trends", value("fidelity.pairs"), their("sdmetrics", "trends")),
        ("boundaries · sdmetrics BoundaryAdherence", value("fidelity.boundaries"), their("sdmetrics", "boundary")),
        ("judge's AUC, against holdout · mostlyai-qa discriminator, against train", value("fidelity.two_sample"), their("mostlyqa", "auc")),
        ("judge's AUC · sdmetrics LogisticDetection (1 is best)", value("fidelity.two_sample"), their("sdmetrics", "detection")),
        ("judge's AUC · syntheval pMSE (0 is best)", value("fidelity.two_sample"), their("syntheval", "p_mse.avg pMSE")),
        ("copies, exact · sdmetrics 1 − NewRowSynthesis", value("privacy.copies"),
         f"{1 - t['sdmetrics']['new_rows']:.3f}" if t.get("sdmetrics") else "–"),
        ("nearest record share · mostlyai-qa DCR share (highest of 7 column groups)", value("privacy.nearest_record"), their("mostlyqa", "dcr_share")),
        ("singling out, univariate · anonymeter", check("one column"), their("anonymeter", "singling_uni")),
        ("singling out, multivariate · anonymeter", check("several columns"), their("anonymeter", "singling_multi")),
        ("linkage · anonymeter", value("privacy.linkage"), their("anonymeter", "linkage")),
        *((f"attribute inference, {s} · anonymeter", value("privacy.attribute_inference"), their("anonymeter", f"inference {s}")) for s in secret),
        ("membership AUC · nobody", value("privacy.membership"), "–"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--envs", type=Path, required=True)
    parser.add_argument("--data", default="adult,shoppers")
    parser.add_argument("--peers", default="mostlyai,sdv_gc,sdv_tvae,py_synthpop,copy_train")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for name in asked.data.split(","):
            target = json.loads((asked.folder / name / "schema.json").read_text())["target"]
            secret = SECRETS.get(name, [])
            for peer in asked.peers.split(","):
                files = [str(asked.folder / name / f"{n}.parquet") for n in (peer, "train", "holdout")]
                found, cpu = ours(files, target, secret, scratch)
                told, costs = {}, {"verisyn": cpu}
                for tool in (t for t in TOOLS if (asked.envs / t).exists()):
                    script = str(HERE / "others" / f"with_{tool}.py")
                    words = [target, *(secret if tool == "anonymeter" else [])]
                    told[tool], costs[tool] = run([str(asked.envs / tool / "bin" / "python"), script, *files, *words],
                                                  scratch / f"{tool}.json")
                print(f"\n### {name}, {peer}\n\n| what · other tool | verisyn | theirs |\n|---|---|---|")
                for what, mine, other in rows(found, told, secret):
                    print(f"| {what} | {mine} | {other} |")
                print(f"| CPU s | {costs.pop('verisyn'):.0f} | {', '.join(f'{k} {v:.0f}' for k, v in costs.items())} |", flush=True)


if __name__ == "__main__":
    main()
