"""SHELF what data can be, and every way to make it: one folder a modality, one file a generator.

A modality is one folder. Its ``__init__`` holds

- ``flagship``: the full name of the generator that is taken where none is named;
- ``claims(schema) -> bool``: whether data of such a schema are its own (of one table without more, none but the
  modality ``table`` says so);
- ``home() -> module``: what follows, imported only when taken (the modality ``table`` does without; its story is that
  of ``verisyn.model``, ``verisyn.assessment`` and ``verisyn.story`` themselves):

  - ``learn(dataset, schema, asked, progress) -> BaseModel``;
  - ``split(dataset, schema, holdout, seed) -> (Dataset, Dataset or None)``: by entity, so that all that belongs to one
    is on one side; None, with a note in ``dataset.notes`` of the first, where there are too few;
  - ``assess(fake, train, holdout, schema, about, *, effort, seed, progress) -> Assessment`` of three mappings of table
    names to polars frames; `holdout` may be None;
  - ``restore(state) -> BaseModel``.
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from verisyn import shelves
from verisyn.errors import UserError

if TYPE_CHECKING:
    from verisyn.schema import Schema


_DEFAULT = "table"


@cache
def names() -> tuple[str, ...]:
    """Return the names of all modalities; the one that is taken where no other claims the data comes last."""
    found = [p.name for p in sorted(Path(__file__).parent.iterdir()) if (p / "__init__.py").exists()]
    return tuple(sorted(found, key=lambda name: name == _DEFAULT))


def take(name: str) -> ModuleType:
    """Import a modality."""
    return importlib.import_module(f"verisyn.modalities.{name}")


def of(schema: Schema) -> ModuleType:
    """Return the modality that data of this schema are."""
    return next(module for module in map(take, names()) if module.claims(schema))


def generator_of(modality: ModuleType, name: str | None) -> str:
    """Return the full name of a modality's generator: the one that is asked for, or its flagship.

    Raises
    ------
    UserError
        If there is none of that name, or it makes data of another modality.
    """
    if name is None:
        return str(modality.flagship)
    full, own = shelves.generators.full_name(name), str(modality.flagship).split(".", maxsplit=1)[0]
    if "." in full and full.split(".", maxsplit=1)[0] in names() and not full.startswith(f"{own}."):
        mine = [n for n in shelves.generators.names() if n.startswith(f"{own}.")]
        raise UserError(f"The generator {full!r} does not make such data as this (tables, links and times tell). Take "
                        f"{' or '.join(map(repr, mine))}, or leave it out.")
    return full
