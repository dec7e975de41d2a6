"""The edges of the house: importing is light, the README's tree is the tree on disk, names stay in their folders."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "verisyn"


def test_importing_is_light():
    code = "import sys, verisyn; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {"altair", "torch", "sklearn", "scipy", "polars", "numpy", "pandas", "faker", "typer", "rich", "duckdb"}
    assert not heavy & set(loaded)


def test_the_verbs_are_there_even_after_their_modules_were_imported():
    code = "import verisyn.model, verisyn.assessment, verisyn.story, verisyn.description, verisyn as v\n" \
           "assert all(callable(getattr(v, n)) for n in v.__all__ if n != '__version__')"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_readme_shows_the_tree_on_disk():
    tree = re.search(r"```\nverisyn/\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S).group(1)
    shown = set(re.findall(r"(?:├──|└──) (\w+(?:\.py|/))", tree))
    disk = {p.name for p in PACKAGE.glob("*.py") if p.stem == "__init__" or not p.stem.startswith("_")} | {
        f"{p.name}/" for p in PACKAGE.rglob("*") if p.is_dir() and any(p.glob("*.py")) and "__pycache__" not in p.parts}
    assert shown >= disk, f"not in the README's tree: {sorted(disk - shown)}"
    assert shown <= disk, f"in the README's tree, not on disk: {sorted(shown - disk)}"


def test_no_stage_compares_a_kind_or_a_modality_with_a_name():
    names = "|".join(p.stem for p in (PACKAGE / "kinds").glob("[a-z]*.py")) + "|table|relation|sequence|image|audio"
    branch = re.compile(rf"(kind|modality)\w*\s*(==|!=|in)\s*[\[({{]?[\"']({names})[\"']")
    hits = [f"{p.relative_to(ROOT)}: {line.strip()}" for p in PACKAGE.rglob("*.py")
            for line in p.read_text(encoding="utf-8").splitlines() if branch.search(line)]
    assert not hits
