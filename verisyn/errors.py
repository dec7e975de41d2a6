"""What went wrong, said to a person: what was seen, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from operator import index
from typing import Any


class VerisynError(Exception):
    """Base of every error that verisyn raises on purpose; the message is one or more plain sentences.

    `exit_code` is what the command line returns for it.
    """

    exit_code = 1


class UserError(VerisynError):
    """Something in the input or the options that the user can change."""

    exit_code = 2


class Refused(VerisynError):
    """A request that was understood and turned down, by a policy or a guard."""

    exit_code = 3


def whole_number(name: str, value: object, least: int) -> int:
    """Return an argument that must be a whole number of at least `least`.

    Raises
    ------
    UserError
        If it is something else.

    Examples
    --------
    >>> whole_number("rows", 10, least=1)
    10
    """
    try:
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise UserError(f"{name} is {value!r}; a whole number of at least {least} was expected.")
    return number


def none_given(asked: Mapping[str, Any], why: str) -> None:
    """See that none of some options was given: each is None, or an empty list.

    Parameters
    ----------
    asked : mapping
        Options by name.
    why : str
        What goes on after "'NAME' was given; ", up to "Leave it out.".

    Raises
    ------
    UserError
        Naming the first that was.

    Examples
    --------
    >>> none_given({"scale": None, "parents": []}, "it is for several tables.")
    """
    for name, value in asked.items():
        if not (value is None or (isinstance(value, list | tuple) and not value)):
            raise UserError(f"{name!r} was given; {why} Leave it out.")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a closing sentence that names the nearest known words, or lists the first few.

    Examples
    --------
    >>> did_you_mean("tres", ["trees", "independent"])
    "Did you mean 'trees'?"
    >>> did_you_mean("x", ["trees", "independent"])
    "Known: 'independent', 'trees'."
    """
    known = sorted(known)
    near = get_close_matches(str(word), known, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return f"Known: {', '.join(map(repr, known[:8]))}{more}."


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names for a sentence, the first `most` of them.

    Examples
    --------
    >>> listed(["age", "sex"]), listed("abc", most=2), listed([])
    ("'age', 'sex'", "'a', 'b' and 1 more", 'none')
    """
    shown = ", ".join(map(repr, names[:most]))
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown or "none"
