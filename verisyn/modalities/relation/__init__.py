"""Tables that point to each other: parents before children, each child given its parent's row and its siblings.

``ancestral`` is the flagship. What it rests on: ``_structure`` (how each link is drawn), ``_owners`` (whose children
rows are), ``_roles`` (what kind of parent a row points to), ``_matching`` (which parent), ``_keys`` (keys made anew),
``_across`` (what must hold between tables).
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verisyn.schema import Schema

flagship = "relation.ancestral"


def claims(schema: Schema) -> bool:
    """Whether there are several tables, or one that points to itself."""
    return len(schema.tables) > 1 or bool(schema.links)


def home() -> ModuleType:
    """Return the module that learns, splits, assesses and restores."""
    return importlib.import_module("verisyn.modalities.relation._home")
