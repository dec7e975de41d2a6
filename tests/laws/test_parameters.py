"""What is declared is read: a parameter that changes nothing is a lie about what the code does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from verisyn.metrics import Effort

PACKAGE = Path(__file__).resolve().parents[2] / "verisyn"
FILES = sorted(PACKAGE.rglob("*.py"))
CONTRACT = {"measure": {"rng"}, "judge": {"floor", "ceiling"}}
"""Parameters that a contract passes to all, whether or not one of them has a use for it."""


def unread(function: ast.FunctionDef) -> set[str]:
    arguments = function.args
    declared = {a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]} - {"self", "cls"}
    read = {n.id for part in function.body for n in ast.walk(part) if isinstance(n, ast.Name)}
    return {name for name in declared - read if not name.startswith("_")}


def is_contract(function: ast.FunctionDef, owner: ast.ClassDef | None) -> bool:
    """A method that overrides or declares another's signature, or a function without a body of its own."""
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    empty = not body or all(isinstance(s, ast.Raise | ast.Pass) for s in body)
    return empty or (owner is not None and bool(owner.bases))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_every_parameter_is_read(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owner = {f: c for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for f in c.body}
    found = {f.name: unread(f) - CONTRACT.get(f.name, set()) for f in ast.walk(tree)
             if isinstance(f, ast.FunctionDef) and not is_contract(f, owner.get(f))}
    overridden = {f.name for f, c in owner.items() if isinstance(f, ast.FunctionDef) and c.bases}
    shelf_wide = overridden | {"recognise", "find", "read", "write", "write_tables", "_options", "_version"}
    assert not {name: names for name, names in found.items() if names and name not in shelf_wide}


def test_every_measure_of_effort_is_read():
    read = {n.attr for p in (PACKAGE / "metrics").rglob("*.py") for n in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Attribute | ast.Name)}
    read |= {n.attr for n in ast.walk(ast.parse((PACKAGE / "assessment.py").read_text(encoding="utf-8")))
             if isinstance(n, ast.Attribute)}
    assert set(Effort.__dataclass_fields__) <= read
