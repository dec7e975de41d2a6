"""What is told of constraints between tables: how they stand, and what keeping them cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from verisyn.schema import Constraint, Link

_TOLD = 4


@dataclass(frozen=True)
class Check:
    """How one constraint stands in some data.

    Parameters
    ----------
    link : Link
    constraint : Constraint
    table : str
        Whose rows tell: the child's, or the parent's.
    sentence : str
        What should hold.
    rows, broken : int
        Rows that can tell, and those of them that break it.
    allowed : float
        The share of rows that may, 0 to 1, as in the data that it was found in.
    """

    link: Link
    constraint: Constraint
    table: str
    sentence: str
    rows: int
    broken: int
    allowed: float = 0.0

    @property
    def share(self) -> float:
        """The share of rows that break it."""
        return self.broken / self.rows if self.rows else 0.0


@dataclass
class Ledger:
    """What keeping the constraints cost.

    Parameters
    ----------
    mended : dict of str to (str, int, int)
        By what holds now: the table, how many of its rows were mended, and how many it has.
    left : dict of str to (str, int, int)
        By what could not be kept: the table, the rows that break it, and how many can tell.
    """

    mended: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    left: dict[str, tuple[str, int, int]] = field(default_factory=dict)

    def add(self, sentence: str, table: str, rows: int, height: int) -> None:
        """Book mended rows."""
        before = self.mended.get(sentence, (table, 0, height))[1]
        self.mended[sentence] = (table, min(before + rows, height), height)

    def notes(self) -> list[str]:
        """Return a sentence for each constraint that had to be mended, the costliest first, and for what is left."""
        costly = sorted(self.mended.items(), key=lambda one: -one[1][1] / max(one[1][2], 1))
        told = [f"So that {sentence}, {rows:,} of {height:,} drawn rows of {table!r} were mended ({rows / height:.2%})."
                for sentence, (table, rows, height) in costly[:_TOLD]]
        if rest := costly[_TOLD:]:
            most = max(rows / height for _, (_, rows, height) in rest)
            told.append(f"So that {len(rest)} more constraints between tables hold, at most {most:.2%} of the drawn "
                        "rows were mended for each.")
        return told + [f"{rows:,} of {height:,} rows of {table!r} break what should hold ({sentence}): their bounds "
                       "contradict one another, or they were to stay as they are."
                       for sentence, (table, rows, height) in self.left.items()]
