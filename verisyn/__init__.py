"""verisyn: synthetic data that can be verified.

The verbs, in story order: :func:`read` · :func:`describe` · :func:`fit` (then ``model.sample``) · :func:`assess`, and
:func:`synth`, the whole story in one call. Importing this package is light: a verb's machinery is imported when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "read": "verisyn.data",
    "describe": "verisyn.description",
    "fit": "verisyn.model",
    "load": "verisyn.model",
    "assess": "verisyn.assessment",
    "synth": "verisyn.story",
}
__all__ = ["__version__", "assess", "describe", "fit", "load", "read", "synth"]

if TYPE_CHECKING:
    from verisyn.assessment import assess
    from verisyn.data import read
    from verisyn.description import describe
    from verisyn.model import fit, load
    from verisyn.story import synth


def __getattr__(name: str) -> Any:
    if name in _HOME:
        globals()[name] = getattr(import_module(_HOME[name]), name)
        return globals()[name]
    raise AttributeError(f"module 'verisyn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
