"""One table: its views (``_views``) and its generators, one file each.

A generator is one file. It holds a docstring whose first line says what it is, and a frozen dataclass ``Generator``
whose fields are its settings. `Generator.fit` learns from codes and returns a :class:`Fitted`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

from verisyn.errors import UserError
from verisyn.kinds import Part
from verisyn.running import Run

if TYPE_CHECKING:
    from verisyn.schema import Schema

flagship = "table.trees"


def claims(_schema: Schema) -> bool:
    """Whatever no other modality claims is taken as rows of one table."""
    return True


class Carry(NamedTuple):
    """Where part `says` has the code `yes`, part `own` is what part `before`, of the context, is.

    Where a row says so, that is all there is to learn of it; were its code learnt too, a row that says "not as before"
    would be drawn as before all the same.
    """

    says: int
    yes: int
    own: int
    before: int

    def carried(self, codes: np.ndarray, size: int) -> np.ndarray:
        """Return which rows of `codes` take over the code before; from `size` on it says that there is none."""
        return np.flatnonzero((codes[:, self.says] == self.yes) & (codes[:, self.before] < size))


@dataclass(frozen=True)
class Codes:
    """The codes view of a table: int32 of shape (rows, parts), Fortran order, with the parts' sizes and names.

    The first `told` parts are context: what is known before a row is drawn (a parent's row, the rows before). They are
    not learnt; all others are learnt given them. Where there are more parts than a part is told of, it is told of
    those that are `kept` all the same. `carries` name parts that another part may say are as in the row before.
    """

    values: np.ndarray
    parts: tuple[Part, ...]
    names: tuple[str, ...]
    told: int = 0
    kept: tuple[int, ...] = ()
    carries: tuple[Carry, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.values.shape[0]


Allowed = dict[int, np.ndarray]
"""A condition on codes: for some parts (by index), a boolean mask over the part's codes."""

Tick = Callable[[int], None]
"""Told of work done since the last call, in units of which `Fitted`/`Generator` says the total."""


class Fitted(ABC):
    """What a generator learnt. It holds no training row.

    `parts` are those of the codes that it was fitted on, the context first; `told` says how many of them are context.
    """

    parts: tuple[Part, ...]
    told: int = 0

    @abstractmethod
    def sample(self, rows: int, rng: np.random.Generator, allowed: Allowed | None = None,
               context: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows.

        Parameters
        ----------
        rows : int
        rng : Generator
        allowed : mapping, optional
            A condition.
        context : int32 array of shape (rows, told), optional
            The codes of the context; needed where there is one, and handed back in the first columns of `codes`.

        Returns
        -------
        codes : int32 array of shape (rows, parts)
        log_mass : float64 array of shape (rows,)
            Log of the probability, given the columns before, of the allowed codes of each restricted part, summed
            over parts (0 without a condition). A row accepted with probability ``exp(log_mass)`` is a draw from the
            model's conditional distribution. ``-inf`` marks a row that could not meet the condition.
        """

    @abstractmethod
    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return log p(code | codes before it), float64 of shape (rows, parts); 0 for the context."""

    @property
    def order(self) -> tuple[int, ...]:
        """The parts, in the order in which they are drawn."""
        return tuple(range(len(self.parts)))

    def complete(self, codes: np.ndarray, rng: np.random.Generator, allowed: Allowed | None = None
                 ) -> tuple[np.ndarray, np.ndarray]:
        """Draw the codes that are -1, each given the codes before it; a generator may do without this.

        Returns
        -------
        codes : int32 array of shape (rows, parts)
        log_p : float64 array of shape (rows, parts)
            For a code that was given, its log-probability given the codes before it; for one that was drawn, the log
            of the probability of the allowed codes (0 without a restriction).

        Raises
        ------
        UserError
            If the generator cannot draw a part of a row given the rest.
        """
        raise UserError("This model's generator cannot draw a part of a row given the rest. Fit with the generator "
                        "table.trees.")

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return JSON values and NumPy arrays (no object arrays)."""

    @classmethod
    @abstractmethod
    def restore(cls, parts: tuple[Part, ...], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""


class BaseGenerator(ABC):
    """Settings of a generator, as the fields of a frozen dataclass; `fitted` is the class that its fit returns."""

    fitted: ClassVar[type[Fitted]]

    @abstractmethod
    def fit(self, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1, tick: Tick = lambda done: None) -> Fitted:
        """Learn from codes; the result does not depend on `jobs`. `tick(1)` is called once for each part."""

    def fit_within(self, run: Run, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1,
                   tick: Tick = lambda done: None) -> Fitted:
        """Learn as `fit` does, within a budget and keeping parts to go on from; a quick generator may do without."""
        return self.fit(codes, seed, jobs, tick)


def told_of(state: dict[str, Any]) -> int:
    """Return how many parts of a fitted generator's state are context; models of earlier versions have none.

    Raises
    ------
    ValueError
        If it is no such number.
    """
    told = state.get("told", np.zeros(1, np.int32))
    if np.shape(told) != (1,) or told[0] < 0:
        raise ValueError("the number of parts that are context is missing")
    return int(told[0])
