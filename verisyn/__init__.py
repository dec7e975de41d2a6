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
    "collapse": "verisyn.generations",
    "augment": "verisyn.augmenting",
    "stress": "verisyn.stressing",
    "rare": "verisyn.rarity",
    "blend": "verisyn.blending",
    "infer": "verisyn.inference",
    "causes": "verisyn.causality.proposal",
    "what_if": "verisyn.causality.pairs",
}
__all__ = ["__version__", "assess", "augment", "blend", "causes", "collapse", "describe", "fit", "infer", "load",
           "rare", "read", "stress", "synth", "what_if"]

if TYPE_CHECKING:
    from verisyn.assessment import assess
    from verisyn.augmenting import augment
    from verisyn.blending import blend
    from verisyn.causality.pairs import what_if
    from verisyn.causality.proposal import causes
    from verisyn.data import read
    from verisyn.description import describe
    from verisyn.generations import collapse
    from verisyn.inference import infer
    from verisyn.model import fit, load
    from verisyn.rarity import rare
    from verisyn.story import synth
    from verisyn.stressing import stress


def __getattr__(name: str) -> Any:
    if name in _HOME:
        globals()[name] = getattr(import_module(_HOME[name]), name)
        return globals()[name]
    raise AttributeError(f"module 'verisyn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
