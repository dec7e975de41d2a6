"""Names in a source: choosing one table of several, making column names unique, quoting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from verisyn.errors import UserError, did_you_mean

_SHOWN = 12
_NOTES = 5


def choose(names: Sequence[str], wanted: str | None, source: str | Path, thing: str = "table") -> str:
    """Return the wanted table, or the only one.

    Raises
    ------
    UserError
        If there is no such table, or none at all, or several of which none was wanted.

    Examples
    --------
    >>> choose(["people"], None, "data.sqlite")
    'people'
    """
    if wanted is not None:
        if wanted not in names:
            raise UserError(f"{str(source)!r} has no {thing} {wanted!r}. {did_you_mean(wanted, names)}")
        return wanted
    if not names:
        raise UserError(f"{str(source)!r} has no {thing}s.")
    if len(names) > 1:
        listed = ", ".join(map(repr, names[:_SHOWN])) + (f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))
        raise UserError(f"{str(source)!r} has {len(names)} {thing}s: {listed}. Name one with --table.")
    return names[0]


def unique_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Return names of which none is blank and none occurs twice, and notes about those that were changed.

    Examples
    --------
    >>> unique_names(["a", "", "a"])[0]
    ['a', 'column_2', 'a_2']
    """
    out: list[str] = []
    taken = {name.strip() for name in names}
    notes = []
    for i, name in enumerate(name.strip() for name in names):
        new, n = name or f"column_{i + 1}", 2
        while new in out or (new != name and new in taken):
            new, n = f"{name or 'column'}_{n}", n + 1
        if new != name:
            was = f"The second column called {name!r}" if name else "A blank column name"
            notes.append(f"{was} became {new!r}.")
        out.append(new)
    if len(notes) > _NOTES:
        notes = [*notes[:_NOTES], f"So did {len(notes) - _NOTES} more blank or repeated column names, in the same way."]
    return out, notes


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
