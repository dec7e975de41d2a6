"""Histories: half of the entities learnt from, scored against the other half by neutral judges, beside rivals and floors.

    export VERISYN_DATA=<folder of NAME/*.parquet and NAME/meta.json>
    python benchmarks/sequences.py [--data cmapss_fd001,nab] [--peers copies,shuffled,verisyn,mostlyai,sdv] [--envs ENVS] [--work FOLDER]

ENVS and FOLDER are as in relations.py. One long series is learnt from in its first half and scored against that half, as nothing else
is like it; rivals that want entities leave it out.

`copies` hands the learnt half out as synthetic, `shuffled` its rows in any order. Best: the judges' AUC (windows of 24 rows, whole
entities) 0.5; lengths and gaps (KS) 0; errors of autocorrelation, cross-correlation, spectrum, the entities' share of the variance, and
rows that follow each other 0; foretelling the next real value from synthetic rows as well as from real ones 1; nearer to those learnt
from 0.5. The last two columns are MOSTLY AI's sequential accuracy and its coherence, by mostlyai-qa itself (in ENVS/mostlyai), best 1;
of 5 000 entities at most.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from _halves import SEQUENCES
from _peers import HERE, Scorer, arguments, tell
from _runs import THREADS
from _score_sequences import score

COLUMNS = {"window": ("C2ST windows", 3), "entity": ("C2ST entities", 3), "length": ("length KS", 3), "gaps": ("gaps KS", 3),
           "acf": ("ACF", 3), "cross": ("cross", 3), "spectrum": ("spectrum", 3), "between": ("between", 3), "next": ("next row", 3),
           "predictive": ("predictive", 2), "nearer_train": ("nearer train", 3), "qa_overall": ("accuracy", 3), "qa_coherence": ("coherence", 3)}


def scorer(asked: argparse.Namespace) -> Scorer:
    """Return the judges, with mostlyai-qa's where its environment is here."""
    python = asked.envs / "mostlyai" / "bin" / "python" if asked.envs else None

    def figures(hold: dict[str, pl.DataFrame], train: dict[str, pl.DataFrame], fake: dict[str, pl.DataFrame], schema: dict,
                name: str) -> dict[str, Any]:
        told = score(hold["data"], train["data"], next(iter(fake.values())), schema)
        if schema["entity"] and python and python.exists():
            told |= accuracy(python, asked.work / "halves" / name, next(iter(fake.values())))
        return told
    return figures


def accuracy(python: Path, folder: Path, fake: pl.DataFrame) -> dict[str, Any]:
    """MOSTLY AI's figures; none where its program fails."""
    with tempfile.TemporaryDirectory() as scratch:
        fake.write_parquet(Path(scratch) / "data.parquet")
        done = subprocess.run([str(python), str(HERE / "others" / "with_mostlyqa_histories.py"), str(folder), f"{scratch}/data.parquet",
                               "5000"], capture_output=True, text=True, check=False, env={**os.environ, **THREADS})
    if done.returncode:
        return {"qa_error": done.stderr[-300:]}
    return {f"qa_{key}": value for key, value in json.loads(done.stdout.splitlines()[-1]).items()}


def main() -> None:
    asked = arguments(__doc__, tuple(SEQUENCES))
    tell(asked, COLUMNS, scorer(asked))


if __name__ == "__main__":
    main()
