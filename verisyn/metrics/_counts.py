"""Two counts beside each other: whether something is much rarer, or much more frequent, than in real rows.

Everything is exact: given how often something is seen in both tables together, the synthetic table's part of that is
binomial (the conditional test of two Poisson rates; Przyborowski and Wilenski 1940). So the error of the real count is
part of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from verisyn.findings import Verdict
from verisyn.metrics._stats import adjusted, clopper_pearson, newcombe, together
from verisyn.metrics._tables import BLOCKS

POOR_TIMES = 2.0
"""Poor: less than half as often as in real rows, or more than twice as often, or never, beyond doubt."""
FAIR_TIMES = 1.25
"""Fair: a quarter more, or a fifth less, where it is no chance."""
ALARM, HINT = 0.05, 0.01
"""False discovery rates within one metric: of what makes it poor, and of what makes it fair."""


@dataclass(frozen=True)
class Counts:
    """How often things are seen in synthetic and in real rows: names, counts, and the rows they are counted in."""

    names: Sequence[str]
    fake: np.ndarray
    fake_rows: np.ndarray
    real: np.ndarray
    real_rows: np.ndarray

    @classmethod
    def of(cls, entries: Sequence[tuple[str, int, int, int, int]]) -> Counts:
        """Collect entries of (name, synthetic count, synthetic rows, real count, real rows)."""
        columns = list(zip(*entries, strict=True)) if entries else [()] * 5
        return cls(columns[0], *(np.array(column, np.int64) for column in columns[1:]))

    @property
    def times(self) -> np.ndarray:
        """How many times as often as in real rows; infinite where no real row has it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.fake + self.real == 0, 1.0,
                            (self.fake / self.fake_rows) / (self.real / self.real_rows))

    def p(self, border: float) -> np.ndarray:
        """Return for each the chance of so few, or so many, if in truth it were `border` times as rare or frequent."""
        both = self.fake + self.real

        def part(times: float) -> np.ndarray:
            return self.fake_rows * times / (self.fake_rows * times + self.real_rows)

        fewer, more = binom.cdf(self.fake, both, part(1 / border)), binom.sf(self.fake - 1, both, part(border))
        return np.minimum(1.0, np.minimum(fewer, more) * (2 if border == 1 else 1))

    @property
    def p_poor(self) -> np.ndarray:
        """Return for each the chance of its count at the border of poor.

        Where there is none at all the question is whether it is lost: the chance if it were kept, a fifth rarer at
        most.
        """
        return np.where(self.fake == 0, self.p(FAIR_TIMES), self.p(POOR_TIMES))

    @property
    def off(self) -> np.ndarray:
        """Whether each is a quarter more frequent, or a fifth rarer, or further off."""
        with np.errstate(divide="ignore"):
            return np.abs(np.log(self.times)) > np.log(FAIR_TIMES)

    def told(self, i: int) -> str:
        """Say one entry: its name, and both shares."""
        return f"{self.names[i]}: {so_often(self.fake[i] / self.fake_rows[i], self.real[i] / self.real_rows[i])}"

    def items(self, most: int = 15) -> list[dict[str, Any]]:
        """Return the entries as the report lists them, the most telling first; shares with exact intervals."""
        order = np.lexsort((np.arange(len(self.names)), self.p(1.0), self.p_poor))[:most]
        return [{"name": self.names[i], "value": round(float(self.fake[i] / self.fake_rows[i]), 6),
                 "reference": round(float(self.real[i] / self.real_rows[i]), 6),
                 "interval": [round(end, 6) for end in clopper_pearson(int(self.fake[i]), int(self.fake_rows[i]))],
                 "note": f"{int(self.fake[i]):,} synthetic rows"} for i in order]


@dataclass(frozen=True)
class Settled:
    """What many tests say together: the verdict, one p-value, and which of them gave it, worst first."""

    verdict: Verdict
    p: float
    which: list[int]


def settle(poor: np.ndarray, mild: np.ndarray, off: np.ndarray) -> Settled:
    """Judge many tests at once, at a false discovery rate of 5 % for poor and of 1 % for fair.

    Parameters
    ----------
    poor, mild : float arrays of shape (tests,)
        The chance of as bad a figure if the truth lay at the border of poor, and if there were no difference at all.
    off : bool array of shape (tests,)
        Whether the difference is large enough to be called fair rather than good.
    """
    bad, slight = np.flatnonzero(adjusted(poor) <= ALARM), np.flatnonzero((adjusted(mild) <= HINT) & off)
    which = bad if len(bad) else slight
    order = np.lexsort((which, mild[which], poor[which]))
    return Settled("poor" if len(bad) else "fair" if len(slight) else "good", together(poor), which[order].tolist())


def named(told: Sequence[str], count: int | None = None, most: int = 3) -> str:
    """Join what is told, at most `most` of it; the rest of `count` is a number.

    Examples
    --------
    >>> named(["a", "b", "c", "d"], 9)
    'a; b; c; and 6 more'
    """
    count = len(told) if count is None else count
    return "; ".join([*told[:most], *([f"and {count - most} more"] if count > most else [])])


def agreement(fake: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return twice the smaller of two shares over their sum: 1 where they agree, also where both are 0.

    Examples
    --------
    >>> agreement(np.array([0.1, 0.0, 0.0]), np.array([0.2, 0.1, 0.0])).round(3).tolist()
    [0.667, 0.0, 1.0]
    """
    both = fake + real
    return np.where(both > 0, 2 * np.minimum(fake, real) / np.where(both > 0, both, 1.0), 1.0)


def mean_agreement(fake: np.ndarray, fake_known: np.ndarray, real: np.ndarray, real_known: np.ndarray
                   ) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the mean agreement of shares on all rows, and without each block of either table.

    Parameters
    ----------
    fake, fake_known, real, real_known : int arrays of shape (blocks, things)
        How often each thing is seen in a block of rows, and in how many rows it could have been.
    """
    def shares(hits: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole, of = hits.sum(axis=0), rows.sum(axis=0)
        return whole / np.maximum(of, 1), (whole - hits) / np.maximum(of - rows, 1)

    (a, a_without), (b, b_without) = shares(fake, fake_known), shares(real, real_known)
    return (float(agreement(a, b).mean()), agreement(a_without, b).mean(axis=1), agreement(a, b_without).mean(axis=1))


def blocks(flags: np.ndarray) -> np.ndarray:
    """Sum rows of flags, bool of shape (rows, things), in interleaved blocks: int of shape (20, things)."""
    return np.array([flags[i::BLOCKS].sum(axis=0) for i in range(BLOCKS)])


def excess(fake: np.ndarray, holdout: np.ndarray) -> dict[str, Any]:
    """Return how many synthetic rows are flagged, beside the holdout's: shares, difference, and its interval.

    Examples
    --------
    >>> excess(np.array([True, True, False, False]), np.array([True, False, False, False]))["excess"]
    0.25
    """
    hits, other = int(fake.sum()), int(holdout.sum())
    share, usual = hits / len(fake), other / len(holdout)
    return {"rows": hits, "share": round(share, 6), "holdout": round(usual, 6), "excess": round(share - usual, 6),
            "interval": [round(end, 6) for end in newcombe(hits, len(fake), other, len(holdout))]}


def so_often(fake: float, real: float) -> str:
    """Say two shares beside each other.

    Examples
    --------
    >>> so_often(0.0, 0.0051), so_often(0.2, 0.05)
    ('none in place of 0.51%', '20.0% in place of 5.0%')
    """
    def said(share: float) -> str:
        if share == 0:
            return "none"
        return f"{share:.1%}" if share >= 0.01 else f"{share:.2%}" if share >= 0.0005 else f"{share:.4%}"

    return f"{said(fake)} in place of {said(real)}"
