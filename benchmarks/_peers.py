"""Who draws what: each peer in a process of its own, its cost and its scores kept as lines of JSON, and tables of them."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from _halves import DATABASES, prepare, read, shuffled_links, shuffled_rows
from _runs import watched

HERE = Path(__file__).parent
PEERS = ("copies", "shuffled", "verisyn", "mostlyai", "sdv")
MINUTES = {"northwind": 0.5, "chinook": 0.7, "northwind_core": 1, "chinook_core": 1, "baseball": 2.5, "nycflights": 2.5}
FIRST = {"cmapss_fd001": 20, "basic_motions": 20, "fcc_mba": 60, "baseball_fielding": 300, "baseball_batting": 300, "baseball": 2000,
         "grocery_orders": 2000}

Scorer = Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame], dict[str, pl.DataFrame], dict, str], dict[str, Any]]


def command(peer: str, name: str, folder: Path, out: Path, envs: Path | None) -> list[str] | None:
    """Return how a peer is run; None where its environment is absent."""
    base, _, generator = peer.partition(":")
    if base == "verisyn":
        return [sys.executable, str(HERE / "others" / "draw_verisyn.py"), str(folder), str(out), *([generator] if generator else [])]
    python = envs / base / "bin" / "python" if envs else None
    if python is None or not python.exists():
        return None
    limit = {"mostlyai": [str(MINUTES.get(name, 4))], "sdv": [str(FIRST[name])] if name in FIRST else []}[base]
    return [str(python), str(HERE / "others" / f"draw_{base}.py"), str(folder), str(out), *limit]


def drawn(peer: str, name: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any] | None:
    """Let a peer draw, where it has not yet; return its cost, or why it could not. None: it is not here."""
    log, out = asked.work / "runs.jsonl", asked.work / "out" / peer / name
    if (record := last(log, peer, name)) and peer not in asked.redo and ("error" in record or out.exists()):
        return record
    if (words := command(peer, name, folder, out, asked.envs)) is None:
        return None
    record = {"peer": peer, "set": name, "args": words[4:], **watched([*(["nice", "-n", "19"] if asked.nice else []), *words], asked.cpu),
              "when": time.strftime("%Y-%m-%d %H:%M")}
    append(log, record)
    return record


def last(log: Path, peer: str, name: str) -> dict[str, Any] | None:
    """Return a log's last record of a peer on a set."""
    records = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return next((r for r in reversed(records) if (r["peer"], r["set"]) == (peer, name)), None)


def append(log: Path, record: dict[str, Any]) -> None:
    with log.open("a") as lines:
        lines.write(json.dumps(record) + "\n")


def synthetic(peer: str, name: str, folder: Path, schema: dict, asked: argparse.Namespace) -> tuple[dict | None, dict[str, Any]]:
    """Return the tables that a peer drew, and what they cost; no tables where it could not."""
    train = read(folder / "train")
    if peer == "copies":
        return train, {}
    if peer == "shuffled":
        return (shuffled_links(train, schema, 0) if name in DATABASES else {"data": shuffled_rows(train["data"], schema, 0)}), {}
    record = drawn(peer, name, folder, asked)
    if record is None or "error" in record:
        return None, record or {"error": "its environment is not here"}
    return read(asked.work / "out" / peer / name), record


def scored(peer: str, name: str, folder: Path, scorer: Scorer, asked: argparse.Namespace) -> dict[str, Any]:
    """Return a peer's figures on a set; those of an earlier call, where neither its tables nor the scorers are newer."""
    schema = json.loads((folder / "schema.json").read_text())
    tables, cost = synthetic(peer, name, folder, schema, asked)
    if tables is None:
        return cost
    log = asked.work / "scores.jsonl"
    record = last(log, peer, name)
    if record is None or record.get("of") != cost.get("when") or asked.rescore:
        record = {"peer": peer, "set": name, "of": cost.get("when"), **scorer(read(folder / "hold"), read(folder / "train"), tables, schema, name)}
        append(log, record)
    return {**cost, **record}


def arguments(doc: str, sets: tuple[str, ...]) -> argparse.Namespace:
    """Read the command line, which both benchmarks share."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=",".join(sets), help="comma-separated")
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated; verisyn:GENERATOR takes another one of ours")
    parser.add_argument("--envs", type=Path, help="folder of the rivals' virtual environments: mostlyai, sdv")
    parser.add_argument("--work", type=Path, default=Path("bench-work"), help="halves, synthetic tables, runs.jsonl, scores.jsonl")
    parser.add_argument("--redo", default="", help="peers to run again")
    parser.add_argument("--rescore", action="store_true", help="score again what was scored")
    parser.add_argument("--cpu", type=float, default=720, help="CPU seconds a run may take")
    parser.add_argument("--nice", action="store_true", help="give way to other programs")
    asked = parser.parse_args()
    asked.redo = asked.redo.split(",")
    asked.work.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return asked


def tell(asked: argparse.Namespace, columns: dict[str, tuple[str, int]], scorer: Scorer) -> None:
    """Print a table for each set: a line a peer, its scores and costs."""
    for name in asked.data.split(","):
        folder = prepare(name, asked.work / "halves")
        rows = {t: f.height for t, f in read(folder / "train").items()}
        print(f"\n### {name}: {sum(rows.values()):,} rows in {len(rows)} table{'s' * (len(rows) > 1)}\n")
        print(f"| | {' | '.join(title for title, _ in columns.values())} | CPU s | peak MB |\n|---|{'---:|' * (len(columns) + 2)}", flush=True)
        for peer in asked.peers.split(","):
            found = scored(peer, name, folder, scorer, asked)
            cells = [show(found.get(key), digits) for key, (_, digits) in columns.items()]
            if "error" in found:
                cells = [short(found["error"]), *[""] * (len(cells) - 1)]
            print(f"| {peer} | {' | '.join(cells)} | {show(found.get('cpu'), 0)} | {show(found.get('peak_mb'), 0)} |", flush=True)


def show(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def short(error: str) -> str:
    """The one sentence of an error that tells why."""
    told = error.replace("|", "/")
    at = max((told.rfind(f"{kind}Error: ") for kind in ("Input", "Type", "Value", "Key", "Runtime", "Not", "User")), default=-1)
    return told[at:][:160] if at >= 0 else told[-160:]
