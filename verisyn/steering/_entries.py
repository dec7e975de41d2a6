"""Reading targets: a simple mapping, or a list of published figures as a file spells them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verisyn.conditions import Condition, parse
from verisyn.errors import UserError, did_you_mean
from verisyn.steering._numbers import a_number, a_share, a_tolerance, is_number, scaled
from verisyn.steering._where import Where, levels
from verisyn.steering.figures import EVERYONE, Figure, Mean, Quantile, Share

_COMMON = ("within", "tolerance", "source")
_ONE = ("is", "by", *_COMMON)
_KEYS = {"share": _ONE, "count": _ONE, "mean": _ONE, "total": _ONE, "median": _ONE, "quantile": ("of", *_ONE),
         "shares": _COMMON, "counts": _COMMON, "table": ("cells", "counts", *_COMMON)}
"""What an entry may be, and what it may say beside."""
_TOP = ("title", "source", "tolerance", "population", "targets")
_KINDS = ("share", "mean", "quantile")
_EXAMPLE = "{share: \"smoker == 'yes'\", is: 0.21}"


@dataclass(frozen=True)
class Told:
    """What a file says of all its targets."""

    title: str = ""
    source: str = ""
    tolerance: Any = None
    population: float | None = None


def read(wanted: Any, columns: Sequence[str]) -> tuple[tuple[Figure, ...], Told]:
    """Return the figures, and what is said of all of them.

    Raises
    ------
    UserError
        If an entry cannot be read, names an unknown column, or contradicts itself.
    """
    if isinstance(wanted, Mapping) and ("targets" not in wanted or "targets" in columns):
        return tuple(_simple(wanted, columns)), Told()
    head = {key: value for key, value in wanted.items() if key != "targets"} if isinstance(wanted, Mapping) else {}
    for key in head:
        if key not in _TOP:
            raise UserError(f"The targets say {key!r} of all figures, which means nothing there. "
                            f"{did_you_mean(str(key), _TOP)}")
    told = _told(head)
    entries = wanted["targets"] if isinstance(wanted, Mapping) else wanted
    if isinstance(entries, str | Mapping) or not isinstance(entries, Sequence) or not entries:
        raise UserError(f"The targets are {entries!r}, but a list of figures is expected, such as [{_EXAMPLE}], or a "
                        "mapping such as {'age': 45, 'income': {'>50K': 0.5}, 'age < 30': 0.2}.")
    found: list[Figure] = []
    for number, entry in enumerate(entries, start=1):
        try:
            found += [replace(figure, entry=number) for figure in _Entry(entry, columns, told).figures()]
        except UserError as e:
            raise UserError(f"Target {number}: {e}") from None
    return tuple(found), told


def _told(head: Mapping[str, Any]) -> Told:
    population = head.get("population")
    if population is not None and not (is_number(population) and population > 0):
        raise UserError(f"The population is {population!r}, but a number of people or things above 0 is expected.")
    tolerance = head.get("tolerance")
    for kind, one in tolerance.items() if isinstance(tolerance, Mapping) else ():
        if kind not in _KINDS:
            raise UserError(f"A tolerance is given for {kind!r}. {did_you_mean(str(kind), _KINDS)}")
        a_tolerance(one, 1.0)
    return Told(str(head.get("title") or ""), str(head.get("source") or ""), tolerance, population)


def _simple(wanted: Mapping[str, Any], columns: Sequence[str]) -> Iterable[Figure]:
    """Read a mapping: a column with its mean or its shares, a condition with its share."""
    for number, (name, wish) in enumerate(wanted.items(), start=1):
        if isinstance(wish, Mapping):
            if not wish:
                raise UserError(f"The targets name no level of {name!r}. Give at least one, with its share.")
            yield from (replace(s, entry=number) for s in _shares(name, wish, columns, EVERYONE))
        elif name in columns:
            yield Mean(a_number(wish, name), column=name, entry=number)
        else:
            where = Where((parse(name, columns),))
            yield Share(a_share(wish, where.text), where=where, entry=number)


class _Entry:
    """One entry of a list of published figures."""

    def __init__(self, entry: Any, columns: Sequence[str], told: Told):
        self.columns, self.told = columns, told
        if not isinstance(entry, Mapping):
            raise UserError(f"It is {entry!r}, but an entry such as {_EXAMPLE} is expected.")
        kinds = [key for key in entry if key in _KEYS and not (key == "counts" and "table" in entry)]
        if len(kinds) != 1:
            said = " and ".join(map(repr, kinds)) or f"none of them. {did_you_mean(str(next(iter(entry), '')), _KEYS)}"
            raise UserError(f"It must say exactly one of {', '.join(_KEYS)}, but says {said}")
        self.says, self.entry = kinds[0], entry
        for key in entry:
            if key not in (self.says, *_KEYS[self.says]):
                known = (self.says, *_KEYS[self.says])
                raise UserError(f"{key!r} means nothing beside {self.says!r}. {did_you_mean(str(key), known)}")
        within = entry.get("within")
        self.within = Where((parse(within, columns),)) if within is not None else EVERYONE

    def figures(self) -> list[Figure]:
        """Return what the entry asks for, with its tolerance and source."""
        whole = {"shares": self._shares, "counts": self._shares, "table": self._table}
        found = whole.get(self.says, self._one)()
        if not found:
            raise UserError(f"The {self.says!r} names no level. Give at least one, with its share.")
        return [replace(f, tolerance=self._tolerance(f), source=str(self.entry.get("source") or self.told.source))
                for f in found]

    def _tolerance(self, figure: Figure) -> float | None:
        told = self.entry.get("tolerance")
        if told is None:
            told = self.told.tolerance
            told = told.get(figure.kind) if isinstance(told, Mapping) else told
        return None if told is None else a_tolerance(told, figure.wanted)

    # -- one figure, or one in each of several groups ---------------------------------------------------------------
    def _one(self) -> list[Figure]:
        make = self._maker()
        if ("is" in self.entry) == ("by" in self.entry):
            raise UserError(f"Say either what the {self.says} 'is', or what it is 'by' group.")
        if "is" in self.entry:
            return [make(self.entry["is"], self.within)]
        return [make(value, self.within & group) for group, value in self._groups(self.entry["by"])]

    def _groups(self, by: Any) -> Iterable[tuple[Where, Any]]:
        """Yield groups and their values, of ``{column: {level: value}}`` or ``{condition: value}``."""
        if not isinstance(by, Mapping) or not by:
            raise UserError(f"'by' is {by!r}, but groups are expected, such as {{sex: {{F: 0.2, M: 0.3}}}}.")
        for name, wish in by.items():
            if isinstance(wish, Mapping):
                _column(name, self.columns)
                yield from zip((Where((level,)) for level in levels(name, list(wish))), wish.values(), strict=True)
            else:
                yield Where((parse(str(name), self.columns),)), wish

    def _maker(self) -> Callable[[Any, Where], Figure]:
        """Return what makes a figure of a value and a group."""
        what = self.entry[self.says]
        if self.says == "share":
            where = Where((_condition(what, self.columns),))
            return lambda value, within: Share(a_share(value, where.text), within, where=where)
        if self.says == "count":
            where = Where((_condition(what, self.columns),))
            return lambda value, within: Share(a_share(self._of_population(value), where.text),
                                               where=where & within)
        if self.says == "total":
            column = _column(what, self.columns)
            return lambda value, within: self._total(column, value, within)
        if self.says == "mean":
            column = _column(what, self.columns)
            return lambda value, within: Mean(a_number(value, column), within, column=column)
        column = _column(self.entry.get("of") if self.says == "quantile" else what, self.columns)
        at = 0.5 if self.says == "median" else a_number(what, "quantile")
        if not 0 < at < 1:
            raise UserError(f"The quantile {at:g} is none: it lies between 0 and 1, as 0.5 for the median.")
        return lambda value, within: Quantile(a_number(value, column), within, column=column, at=at)

    def _total(self, column: str, value: Any, within: Where) -> Figure:
        if within:
            raise UserError("A total within a group cannot be met as such. Give the group's mean and its share.")
        return Mean(self._of_population(value), column=column, empty=0.0)

    def _of_population(self, value: Any) -> float:
        if self.told.population is None:
            raise UserError(f"A {self.says} says something only beside the number of people or things it is of. Give "
                            "'population' at the top of the targets, or a share or mean instead.")
        return a_number(value, self.says) / self.told.population

    # -- all levels of a column, all cells of a table ---------------------------------------------------------------
    def _shares(self) -> list[Figure]:
        told, found = self.entry[self.says], []
        if not isinstance(told, Mapping) or not all(isinstance(wish, Mapping) for wish in told.values()):
            raise UserError(f"{self.says!r} is {told!r}, but columns with their levels are expected, such as "
                            f"{{region: {{north: 0.3, south: 0.7}}}}.")
        for name, wish in told.items():
            shares = wish if self.says == "shares" else self._from_counts(wish)
            found += _shares(name, shares, self.columns, self.within)
        return found

    def _table(self) -> list[Figure]:
        names = self.entry["table"]
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, Sequence) or not names:
            raise UserError(f"'table' is {names!r}, but a list of columns is expected, such as [sex, region].")
        names = [_column(name, self.columns) for name in names]
        key = "counts" if "counts" in self.entry else "cells"
        if key not in self.entry or {"cells", "counts"} <= set(self.entry):
            raise UserError("A table needs 'cells' with shares, or 'counts'.")
        cells = dict(_cells(self.entry[key], names, "count" if key == "counts" else "share"))
        shares = cells if key == "cells" else self._from_counts(cells)
        spelt = [dict(zip(set_, levels(name, set_), strict=True)) for name, set_ in
                 ((name, list(dict.fromkeys(cell[i] for cell in cells))) for i, name in enumerate(names))]
        known = tuple(name for i, name in enumerate(names) if all(cell[i] is not None for cell in cells))
        found: list[Figure] = []
        for cell, share in scaled(shares, " × ".join(names)).items():
            where = Where(tuple(spelt[i][level] for i, level in enumerate(cell)))
            found.append(Share(a_share(share, where.text), self.within, known, where=where))
        return found

    @staticmethod
    def _from_counts(counts: Mapping[Any, Any]) -> dict[Any, float]:
        """Counts as shares of their own sum."""
        numbers = {key: a_number(count, f"{key}") for key, count in counts.items()}
        whole = math.fsum(numbers.values())
        if min(numbers.values(), default=0) < 0 or not whole > 0:
            raise UserError("Counts are 0 or more, and not all of them 0.")
        return {key: number / whole for key, number in numbers.items()}


def _cells(told: Any, names: Sequence[str], value: str) -> Iterable[tuple[tuple[Any, ...], Any]]:
    """Yield cells as (levels, value), of nested mappings or a list of entries."""
    if isinstance(told, Mapping):
        yield from _nested(told, names, ())
        return
    if not isinstance(told, Sequence) or isinstance(told, str) or not told:
        raise UserError(f"The cells are {told!r}, but {{level: {{level: {value}}}}} or a list of cells is expected.")
    for cell in told:
        keys = set(cell) if isinstance(cell, Mapping) else set()
        if keys == {"values", value} and isinstance(cell["values"], Sequence) and len(cell["values"]) == len(names):
            found = tuple(cell["values"])
        elif keys == {*names, value}:
            found = tuple(cell[name] for name in names)
        else:
            raise UserError(f"The cell {cell!r} was not understood. Write it as {{{', '.join(names)}, {value}}}, or as "
                            f"{{values: [{', '.join(names)}], {value}}}.")
        if any(isinstance(level, list | dict) for level in found):
            raise UserError(f"The cell {cell!r} names a list where one level is expected.")
        yield found, cell[value]


def _nested(told: Any, names: Sequence[str], path: tuple[Any, ...]) -> Iterable[tuple[tuple[Any, ...], Any]]:
    if len(path) == len(names):
        yield path, told
        return
    if not isinstance(told, Mapping):
        raise UserError(f"The cells say {told!r} of {path!r}, but levels of {names[len(path)]!r} are expected there.")
    for level, inside in told.items():
        yield from _nested(inside, names, (*path, level))


def _shares(name: Any, wish: Mapping[Any, Any], columns: Sequence[str], within: Where) -> list[Figure]:
    """Read the shares of some of a column's levels: of rows with a value, unless missing is one of them."""
    _column(name, columns)
    known = () if None in wish else (name,)
    spelt = dict(zip(wish, levels(name, list(wish)), strict=True))
    return [Share(a_share(share, spelt[level].text), within, known, where=Where((spelt[level],)))
            for level, share in scaled(wish, repr(name)).items()]


def _condition(told: Any, columns: Sequence[str]) -> Condition:
    if not isinstance(told, str | Mapping):
        raise UserError(f"{told!r} is no condition. Write one such as \"smoker == 'yes'\", in quotes.")
    return parse(told, columns)


def _column(name: Any, columns: Sequence[str]) -> str:
    if name not in columns:
        raise UserError(f"There is no column {name!r}. {did_you_mean(str(name), columns)}")
    return str(name)
