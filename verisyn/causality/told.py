"""Causes as a person gives them: a mapping, a list, ``"age -> education -> income"``, or a YAML file; checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import ValidationError

from verisyn.backticks import quoted
from verisyn.causality.graph import named_cycle
from verisyn.errors import Refused, UserError, did_you_mean
from verisyn.outputs import writing_file
from verisyn.schema import Cause, Schema, Table

_FILES = {".yaml", ".yml", ".json"}
_LOOKS_LIKE = ("Write them like 'age -> education -> income; sex -> income', {'income': ['age', 'education']} (an "
               "effect and its causes), a list of columns in causal order, or a YAML file of these.")
_HEAD = ("# Which column is a cause of which. This was proposed from data, and an order from data is a guess: read\n"
         "# every arrow, turn those that point the wrong way, take out and add some, then say 'confirmed: true'.\n")
_TOKEN = re.compile(r"[^\S\n]*(?:`(?P<name>(?:[^`]|``)+)`|(?P<sign>->|[;,\n])|(?P<bare>(?:(?!->)[^;,\n`])+))")


@dataclass(frozen=True)
class Causes:
    """Arrows from causes to effects, whether a person stands by them, and what is to be said of them.

    Examples
    --------
    >>> causes = Causes.read("age, sex -> education -> income")
    >>> [f"{c.cause} -> {c.effect}" for c in causes.arrows]
    ['age -> education', 'sex -> education', 'education -> income']
    >>> Causes.read(causes.to_yaml()) == causes
    True
    """

    arrows: tuple[Cause, ...]
    confirmed: bool = True
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "; ".join(f"{_spelt(c.cause)} -> {_spelt(c.effect)}" for c in self.arrows)

    @classmethod
    def read(cls, told: Any) -> Self:
        """Read what a person gives; columns are checked later, by :meth:`checked`.

        Raises
        ------
        UserError
            If it is none of the forms, names a column as its own cause, or goes in a circle.
        """
        found = cls._read(told)
        for arrow in found.arrows:
            if arrow.cause == arrow.effect:
                raise UserError(f"The causes name {arrow.cause!r} as a cause of itself. Take that arrow out.")
        if not found.arrows:
            raise UserError(f"The causes hold no arrow, so nothing would follow from them. {_LOOKS_LIKE}")
        if cycle := named_cycle(found.arrows):
            raise UserError(f"The causes go in a circle: {cycle}. Turn or take out one of these arrows.")
        unique = {(c.cause, c.effect): c for c in reversed(found.arrows)}
        return replace(found, arrows=tuple(c for c in found.arrows if unique.get((c.cause, c.effect)) is c))

    @classmethod
    def _read(cls, told: Any) -> Self:
        if isinstance(told, Causes):
            return cls(told.arrows, told.confirmed, told.notes)
        if isinstance(told, Path) or (isinstance(told, str) and _names_a_file(told.strip())):
            return cls._of_yaml(_text_of(Path(told)), f"The causes' file {str(told)!r}")
        if isinstance(told, str):
            return cls._of_yaml(told, "The causes")
        if isinstance(told, Mapping):
            return cls._of_mapping(told)
        if isinstance(told, Sequence):
            return cls(tuple(_arrows_of_list(told)))
        raise UserError(f"The causes are {told!r}, which could not be read. {_LOOKS_LIKE}")

    @classmethod
    def _of_yaml(cls, text: str, where: str) -> Self:
        try:
            content = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError) as e:  # such as a month 13
            if "->" not in text:
                raise UserError(f"{where} could not be read as YAML: {e}") from None
            content = text
        if isinstance(content, str) or (isinstance(content, Mapping) and any(
                "->" in str(key) or str(value).startswith("->") for key, value in content.items())):
            # lines of arrows, which YAML would join, or cut at a colon
            lines = [line for line in text.split("\n") if not line.startswith("#")]
            return cls(tuple(_arrows_of_text("\n".join(lines))))
        if isinstance(content, list | Mapping):
            return cls._read(content)
        raise UserError(f"{where} could not be read. {_LOOKS_LIKE}")

    @classmethod
    def _of_mapping(cls, told: Mapping[Any, Any]) -> Self:
        if isinstance(told.get("confirmed"), bool) and "causes" in told:
            inside, notes = told["causes"], told.get("notes") or []
            if not isinstance(inside, Sequence | Mapping) or not isinstance(notes, list | tuple):
                raise UserError(f"The causes {inside!r} could not be read. {_LOOKS_LIKE}")
            return cls(cls._read(inside).arrows, told["confirmed"], tuple(map(str, notes)))
        arrows = []
        for effect, causes in told.items():
            names = [causes] if isinstance(causes, str) else causes
            if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
                raise UserError(f"The causes of {effect!r} are {causes!r}, but a list of columns is expected. "
                                f"{_LOOKS_LIKE}")
            arrows += [Cause(cause=name, effect=str(effect)) for name in names]
        return cls(tuple(arrows))

    def checked(self, table: Table) -> Self:
        """Return the causes, every column of which the table has.

        Raises
        ------
        UserError
            If the table lacks one.
        """
        for name in (name for c in self.arrows for name in (c.cause, c.effect)):
            if name not in table.names:
                raise UserError(f"The causes name the column {name!r}, which is not there. "
                                f"{did_you_mean(name, table.names)}")
        return self

    def confirm(self) -> Self:
        """Return the causes with a person standing by them."""
        return replace(self, confirmed=True)

    def must_be_confirmed(self) -> Self:
        """Return the causes if a person stands by them.

        Raises
        ------
        Refused
            If nobody does.
        """
        if not self.confirmed:
            raise Refused("These causes were proposed from data and nobody has confirmed them. Read them, correct "
                          "them, and set 'confirmed: true' in the file (in Python: causes.confirm(); on the command "
                          "line, if you have read them: --yes).")
        return self

    def to_yaml(self) -> str:
        """Return YAML that a person can edit; :meth:`read` reads it."""
        content = {"confirmed": self.confirmed, **({"notes": list(self.notes)} if self.notes else {}),
                   "causes": [c.model_dump(mode="json", exclude_defaults=True) for c in self.arrows]}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
        if yaml.safe_load(text) != content:
            text = yaml.safe_dump(content, sort_keys=False, width=120)  # odd line separators only survive escaped
        return text if self.confirmed else _HEAD + text

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write a YAML file to read, correct and confirm."""
        with writing_file(path, force) as draft:
            draft.write_text(self.to_yaml(), encoding="utf-8")


def with_causes(schema: Schema, told: Any) -> Schema:
    """Return a schema that holds the causes a person gave, or its own where none were given; checked.

    Raises
    ------
    UserError
        If they cannot be read, name a column that is not there, or go in a circle.
    Refused
        If they were proposed from data and nobody confirmed them.
    """
    table = schema.table
    if told is None and not table.causes:
        return schema
    causes = Causes.read(table.causes if told is None else told).checked(table).must_be_confirmed()
    table = table.model_copy(update={"causes": causes.arrows})
    return schema.model_copy(update={"tables": (table, *schema.tables[1:])})


def _arrows_of_text(text: str) -> Iterator[Cause]:
    """Read ``"age, sex -> income; `net price` -> sold"``: every column of a group points to every one of the next."""
    for chain in _chains(text):
        if any(not group for group in chain):
            raise UserError(f"The causes {text.strip()!r} could not be read: an arrow leads from or to nothing. "
                            f"{_LOOKS_LIKE}")
        for causes, effects in pairwise(chain):
            yield from (Cause(cause=cause, effect=effect) for cause in causes for effect in effects)


def _chains(text: str) -> list[list[list[str]]]:
    chains: list[list[list[str]]] = [[[]]]
    at = 0
    while found := _TOKEN.match(text, at):
        at = found.end()
        if found["sign"] == "->":
            chains[-1].append([])
        elif found["sign"] in (";", "\n"):
            chains.append([[]])
        elif found["name"]:
            chains[-1][-1].append(found["name"].replace("``", "`"))
        elif found["bare"] and found["bare"].strip():
            chains[-1][-1].append(found["bare"].strip())
    if text[at:].strip():
        raise UserError(f"The causes {text.strip()!r} could not be read from {text[at:].strip()!r} on. Write a name "
                        "that has a comma, an arrow or a backtick in backticks, its own backticks doubled.")
    return [chain for chain in chains if chain != [[]]]


def _arrows_of_list(told: Sequence[Any]) -> Iterator[Cause]:
    """Read a list of columns in causal order, each a possible cause of all after it; or a list of arrows."""
    if all(isinstance(name, str) for name in told):
        repeated = next((name for i, name in enumerate(told) if name in told[:i]), None)
        if repeated is not None:
            raise UserError(f"The causal order names {repeated!r} twice. Name each column once.")
        yield from (Cause(cause=a, effect=b) for a, b in pairwise(told))
        return
    for arrow in told:
        try:
            yield arrow if isinstance(arrow, Cause) else Cause.model_validate(arrow)
        except ValidationError as e:
            first = e.errors()[0]
            place = ".".join(map(str, first["loc"])) or "it"
            raise UserError(f"The arrow {arrow!r} has a mistake at {place}: {first['msg']}. An arrow is written "
                            "{'cause': 'age', 'effect': 'income'}.") from None


def _names_a_file(text: str) -> bool:
    return "->" not in text and "\n" not in text and Path(text).suffix in _FILES


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no causes' file {str(path)!r}. Write one with 'verisyn causes'.") from None
    except (OSError, ValueError) as e:  # bytes that are no text, or a path that cannot be one
        raise UserError(f"The causes' file {str(path)!r} could not be read: {e}") from None


def _spelt(name: str) -> str:
    plain = re.match(r"\w", name) and name.strip() == name and not re.search(r"->|[;,\n`]", name)
    return name if plain else quoted(name)
