"""How a long fit runs: within a budget of time, kept part by part so that it can go on, stopped at once when asked."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol, Self

from verisyn.errors import UserError, whole_number

_UNITS = {"h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0, "": 1.0}
_TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(h|min|m|s|)\s*(?:(?<=[a-z\s])|$)")


class Budget:
    """Wall-clock time for learning, dealt out to the parts as they begin, each by its weight.

    Time that a part leaves over goes to those after it.

    Parameters
    ----------
    seconds : float
        From now on.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._lock = Lock()
        self._weights = 0.0
        self._jobs = 1

    @classmethod
    def read(cls, value: str | float | None) -> Self | None:
        """Read ``"90s"``, ``"2min"``, ``"1h 30min"`` or a number of seconds; None stays None.

        Raises
        ------
        UserError
            If it is no such time, or none at all.

        Examples
        --------
        >>> [Budget.read(text).seconds for text in (90, "90", "2min", "1h30min", "1.5 h")]
        [90.0, 90.0, 120.0, 5400.0, 5400.0]
        """
        if value is None:
            return None
        text, seconds, at = str(value), 0.0, 0
        while at < len(text) and (found := _TIME.match(text, at)):
            seconds, at = seconds + float(found[1]) * _UNITS[found[2]], found.end()
        if at < len(text) or not seconds:
            raise UserError(f"The budget is {value!r}; a time was expected, such as '90s', '2min' or '1h30min'.")
        return cls(seconds)

    def deal_among(self, weights: float, jobs: int) -> None:
        """Say how much is to be learnt in all, and by how many threads."""
        self._weights, self._jobs = weights, jobs

    def share(self, weight: float) -> float:
        """Return the seconds of a part that begins now; 0 or less when the time is over."""
        with self._lock:
            left = self._end - time.monotonic()
            part = self._jobs * weight / self._weights if self._weights > 0 else 1.0
            self._weights -= weight
        return left * min(part, 1.0)


def threads(jobs: int | None) -> int:
    """Return how many threads to use: `jobs`, or as many as there are cores.

    Raises
    ------
    UserError
        If it is no number of threads.
    """
    return (os.cpu_count() or 1) if jobs is None else whole_number("jobs", jobs, 1)


class Kept(Protocol):
    """Where parts that were learnt are kept, by name."""

    def get(self, name: str) -> dict[str, Any] | None:
        """Return what was kept, or None."""

    def put(self, name: str, state: dict[str, Any]) -> None:
        """Keep JSON values and arrays."""


@dataclass
class Run:
    """What a fit is given besides its data and settings.

    Without a budget nothing of it changes the result.

    Parameters
    ----------
    budget : Budget, optional
        Time to learn in; what is not learnt by then is left coarse.
    kept : Kept, optional
        Parts learnt before, and where to keep more.
    cut : dict
        How many questions of a part were cut short by the budget, by the part's number; filled by the fit.
    """

    budget: Budget | None = None
    kept: Kept | None = None
    cut: dict[int, int] = field(default_factory=dict)

    def notes(self, names: Sequence[str]) -> tuple[str, ...]:
        """Say what the budget cut short; `names` are those of the parts."""
        if not self.cut or not self.budget:
            return ()
        told = [names[j] for j in sorted(self.cut)]
        more = f" and {len(told) - 5} more" if len(told) > 5 else ""
        return (f"The budget of {self.budget.seconds:g} s ended the learning of {sum(self.cut.values()):,} questions "
                f"early, in {', '.join(map(repr, told[:5]))}{more}; the model is coarser for it, and depends on the "
                "speed of the machine. Give more time, or none to learn in full.",)
