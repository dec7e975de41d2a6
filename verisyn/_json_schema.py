"""The JSON Schema of assessment.json, from the dataclasses and their documentation; run it to write docs/."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    from typing_extensions import TypedDict  # what pydantic asks for, and brings, before Python 3.12

from verisyn.findings import FORMAT, Assessment, Finding
from verisyn.policy import Checked, Outcome
from verisyn.since import Change, Changes


class About(TypedDict, total=False):
    """What was compared, and how; other keys may stand here too.

    Parameters
    ----------
    source : str
        The name of the real data.
    generator : str
        The generator that made the synthetic data, where verisyn made it.
    seed : int
        The seed of every random choice.
    effort : str
        quick, standard or thorough.
    target : str or None
        The column that models are asked to predict.
    sensitive : list of str
        The columns that fairness and attribute inference are asked of.
    rows : dict
        Rows of the synthetic, train and holdout data.
    judged : dict
        How many of those rows were judged; fewer where a sample was drawn by the seed.
    sampled : bool
        Whether fewer rows were judged than there are.
    notes : list of str
        What a reader should know.
    changes : Changes
        What changed since an earlier assessment of the same source, where there is one.
    policy : Checked
        How the requirements of a policy were met, where one was given.
    """

    source: str
    generator: str
    seed: int
    effort: str
    target: str | None
    sensitive: list[str]
    rows: dict[str, int]
    judged: dict[str, int]
    sampled: bool
    notes: list[str]
    changes: Changes
    policy: Checked


def schema() -> dict[str, Any]:
    """Return the schema; every description is the class's own documentation."""
    from pydantic import TypeAdapter

    whole = TypeAdapter(Assessment).json_schema()
    about = _described(TypeAdapter(About).json_schema(), About)
    known = {**whole.pop("$defs"), **about.pop("$defs")}
    for cls in (Finding, Change, Changes, Outcome, Checked):
        known[cls.__name__] = _described(known[cls.__name__], cls)
    parts = {"format": {"type": "integer", "const": FORMAT, "description": "The version of this form."}, "about": about,
             "findings": {**whole["properties"]["findings"], "description": "One entry a question, in order."}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Assessment of synthetic data",
            "description": whole["description"].split("\n")[0], "type": "object", "required": ["about", "findings"],
            "properties": parts, "$defs": dict(sorted(known.items()))}


def _described(of: dict[str, Any], cls: type) -> dict[str, Any]:
    """Put the first line of a class's documentation, and what it says of each parameter, in its schema."""
    lines = inspect.cleandoc(cls.__doc__ or "").splitlines()
    said: dict[str, str] = {}
    names: list[str] = []
    for line in lines[1:]:
        if line.startswith(" "):
            said.update({name: f"{said.get(name, '')} {line.strip()}".strip() for name in names})
        else:
            names = [name.strip() for name in line.split(" : ")[0].split(",")]
    properties = {name: {**part, **({"description": said[name]} if name in said else {})}
                  for name, part in of["properties"].items()}
    return {**of, "description": lines[0], "properties": properties}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1, ensure_ascii=False))
