"""Finds what stands on a shelf: name = file, blurb = first docstring line, imported only when taken."""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from verisyn.errors import UserError, did_you_mean

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Shelf:
    """A folder of the package to which anyone adds one file.

    A file's name is the name of the thing on it (`modalities/table/trees.py` is ``table.trees``); files and
    folders that begin with an underscore are not on the shelf. Other packages add things through the entry
    point group ``verisyn.<folder>``.

    Examples
    --------
    >>> "table.independent" in generators.names()
    True
    >>> generators.full_name("independent")
    'table.independent'
    """

    folder: str
    thing: str

    @cached_property
    def _files(self) -> dict[str, Path]:
        root = _PACKAGE / self.folder
        found = {}
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if not any(part.startswith("_") for part in parts):
                found[".".join(parts)] = path
        return found

    @cached_property
    def _guests(self) -> dict:
        return {e.name: e for e in entry_points(group=f"verisyn.{self.folder}")}

    def names(self) -> list[str]:
        """Return the full names of everything on the shelf, sorted."""
        return sorted({*self._files, *self._guests})

    def full_name(self, name: str) -> str:
        """Resolve a full name, or the last part of one where that is unique.

        Raises
        ------
        UserError
            If nothing, or more than one thing, has that name.
        """
        names = self.names()
        if name in names:
            return name
        ends = [n for n in names if n.split(".")[-1] == name]
        if len(ends) == 1:
            return ends[0]
        if ends:
            raise UserError(f"{name!r} names more than one {self.thing}: {', '.join(ends)}. Give the full name.")
        short = {n.split(".")[-1] for n in names}
        raise UserError(f"There is no {self.thing} called {name!r}. {did_you_mean(name, short | set(names))}")

    def blurb(self, name: str) -> str:
        """Return the first docstring line of a thing, read without importing it."""
        name = self.full_name(name)
        if name in self._guests:
            doc = self.take(name).__doc__ or ""
        else:
            doc = ast.get_docstring(ast.parse(self._files[name].read_text(encoding="utf-8"))) or ""
        return doc.split("\n")[0]

    def take(self, name: str) -> ModuleType:
        """Import a thing and return its module."""
        name = self.full_name(name)
        if name in self._guests:
            return self._guests[name].load()
        return importlib.import_module(f"verisyn.{self.folder.replace('/', '.')}.{name}")


kinds = Shelf("kinds", "kind")
generators = Shelf("modalities", "generator")
metrics = Shelf("metrics", "metric")
formats = Shelf("formats", "file format")
constraints = Shelf("constraints", "constraint")
augmentations = Shelf("augmentations", "augmentation")
stresses = Shelf("stresses", "kind of edge case")

SHELVES = {"kinds": kinds, "constraints": constraints, "generators": generators, "metrics": metrics,
           "formats": formats, "augmentations": augmentations, "stresses": stresses}
