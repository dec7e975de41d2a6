"""Targets that cannot be met: one that is outside the data, or a smallest set that contradicts itself, by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.steering._where import Level, atoms
from verisyn.steering.figures import Figure, Seen, Share, told

if TYPE_CHECKING:
    from verisyn.steering._solver import Solver
    from verisyn.steering.targets import Targets

Item = TypeVar("Item", bound=Hashable)
_SHOWN = 8


def smallest(items: Sequence[Item], possible: Callable[[Sequence[Item]], bool]) -> list[Item]:
    """Return a set of items that is impossible, and possible as soon as any one of them is left out.

    QuickXplain (Junker 2004): about ``2 k log2(n / k)`` questions for k of n items. All items together must be
    impossible.

    Examples
    --------
    >>> smallest(range(8), lambda some: not {2, 5} <= set(some))
    [2, 5]
    """

    def search(given: list[Item], added: bool, left: list[Item]) -> list[Item]:
        if added and not possible(given):
            return []
        if len(left) == 1:
            return left
        first, second = left[: len(left) // 2], left[len(left) // 2:]
        of_second = search(given + first, True, second)
        return search(given + of_second, bool(of_second), first) + of_second

    return search([], False, list(items))


def refuse_absent(targets: Targets, seen: Sequence[Seen], frame: pl.DataFrame) -> None:
    """Refuse a target that no row of the model is near, with how near they come.

    Raises
    ------
    UserError
        With the target, and what the rows have instead.
    """
    for figure, own in zip(targets.figures, seen, strict=True):
        if said := _absent(figure, own, frame):
            raise UserError(f"Target {figure.entry} cannot be met. {said}")


def _absent(figure: Figure, seen: Seen, frame: pl.DataFrame) -> str:
    rows = f"{len(seen.values):,} rows of the model"
    values = seen.values[seen.counted]
    if not len(values):
        return f"The {figure} cannot be {figure.wanted:g}: of {rows}, none counts for it.{_near(figure, frame)}"
    low, high = float(values.min()), float(values.max())
    slack = figure.tolerance or 0.0
    if low - slack <= figure.wanted <= high + slack:
        return ""
    if isinstance(figure, Share):
        which = "every one" if low else "none"
        there = " there" if figure.within else ""
        return (f"The {figure} cannot be {figure.wanted:g}: of {rows}{there}, {which} meets it."
                f"{'' if low else _near(figure, frame)}")
    return (f"The {figure} cannot be {figure.wanted:g}: among {rows}, not a value outside {low:g} to {high:g} is ever "
            "drawn.")


def _near(figure: Figure, frame: pl.DataFrame) -> str:
    """Name the levels there are, where a figure speaks of one that was never seen."""
    where = figure.within & figure.where if isinstance(figure, Share) else figure.within
    for level in atoms(where):
        if isinstance(level, Level) and level.level is not None and not level.band and not level.holds(frame).any():
            known = frame[level.column].drop_nulls().unique().cast(pl.String, strict=False).drop_nulls().to_list()
            return f" {level.column!r} never takes the value {level.level!r}. {did_you_mean(str(level.level), known)}"
    return ""


def unreachable(targets: Targets, solver: Solver) -> UserError:
    """Say which targets cannot be met together, and what is nearest."""

    def possible(which: Sequence[int]) -> bool:
        return solver.worst(solver.solved(which), which) <= 1

    culprits = smallest(range(len(targets.figures)), possible)
    nearest = solver.nearest(culprits)
    said = [f"{targets.figures[k]}: wanted {told(targets.figures[k].wanted)}, nearest "
            f"{told(targets.figures[k].got(solver.seen[k], nearest.weights))}" for k in culprits[:_SHOWN]]
    said += [f"and {len(culprits) - _SHOWN} more"] if len(culprits) > _SHOWN else []
    if len(culprits) == 1:
        return UserError(f"Target {targets.figures[culprits[0]].entry} cannot be met by rows that the model draws "
                         f"(at least one candidate in 500 must stay): {said[0]}. Ask for the nearest possible, or "
                         "less.")
    return UserError(f"{named([targets.figures[k] for k in culprits])} contradict one another: no rows that the model "
                     f"draws meet them together (at least one candidate in 500 must stay). Nearest possible: "
                     f"{'; '.join(said)}. Change one of them, or allow a wider tolerance.")


def named(figures: Sequence[Figure]) -> str:
    """Write the entries that figures come from.

    Examples
    --------
    >>> named([Share(0.1, entry=2), Share(0.2, entry=5), Share(0.3, entry=5)])
    'Targets 2 and 5'
    """
    entries = sorted({figure.entry for figure in figures})
    if len(entries) == 1:
        return f"The figures of target {entries[0]}"
    return f"Targets {', '.join(map(str, entries[:-1]))} and {entries[-1]}"


