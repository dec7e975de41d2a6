"""The examples of CONTRIBUTING.md, installed as another package would be, and run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"
ENTRY_POINTS = """
[verisyn.kinds]
roman = guests.roman
[verisyn.modalities]
table.mode = guests.mode
[verisyn.metrics]
fidelity.distinct_rows = guests.distinct_rows
"""


@pytest.fixture
def guest(tmp_path):
    """An installed package with one kind, one generator and one metric; gives the environment that sees it."""
    site = tmp_path / "site"
    shutil.copytree(EXAMPLES, site / "guests", ignore=shutil.ignore_patterns("__pycache__"))
    info = site / "guests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guests\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    path = os.pathsep.join([str(site), str(EXAMPLES.parents[1])])
    return {**os.environ, "PYTHONPATH": path}


def run(env, *args):
    done = subprocess.run([sys.executable, "-m", "verisyn", *map(str, args)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_examples_stand_on_the_shelves_and_work(guest, tmp_path):
    shelves = json.loads(run(guest, "list", "--json"))
    assert "roman" in shelves["kinds"] and "table.mode" in shelves["generators"]

    source = tmp_path / "kings.csv"
    rows = "\n".join(f"{('I', 'II', 'III', 'IV', 'XIV')[i % 5]},{20 + i % 50}" for i in range(600))
    source.write_text(f"number,reign\n{rows}\n")
    found = json.loads(run(guest, "synth", source, "--out", tmp_path / "out", "--json"))
    assert "fidelity.distinct_rows" in {f["name"] for f in found["findings"]}
    assert "kind: roman" in (tmp_path / "out" / "schema.yaml").read_text()

    run(guest, "fit", source, "--generator", "mode", "--out", tmp_path / "model")
    run(guest, "sample", tmp_path / "model", "--rows", 3, "--out", tmp_path / "modes.csv")
    assert len(set((tmp_path / "modes.csv").read_text().splitlines()[1:])) <= 3
