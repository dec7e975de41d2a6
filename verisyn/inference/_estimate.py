"""What infer() gives: figures with intervals, what they rest on, and how they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verisyn.errors import UserError, did_you_mean
from verisyn.inference._powered import Figure

if TYPE_CHECKING:
    import polars as pl

    from verisyn.findings import Assessment, Finding


@dataclass(frozen=True)
class Estimate:
    """An answer: one figure, or one a coefficient.

    Parameters
    ----------
    asked : str
        What was asked, in words.
    kind : str
        mean, share, quantile, linear or logistic.
    figures : tuple of Figure
    labelled, unlabelled : int
        Real rows that hold the outcome (n), and that lack it (N) and were predicted.
    alpha : float
        One minus the level of the intervals.
    predictor : str
        Who predicted the outcome, in words; empty where no predictions were used.
    why : str
        Why no predictions were used, as a sentence; else empty.
    cautions : tuple of str
        What speaks against an interval: a premise that the rows contradict, a heavy tail.
    broken : bool
        Whether one of the cautions is a premise that the rows contradict.
    notes : tuple of str
        What was decided on the way.
    source : str
        The name of the data.

    Examples
    --------
    >>> from verisyn.inference import infer
    >>> import polars as pl
    >>> found = infer(pl.DataFrame({"smoker": ["no", "yes", "no", "no"] * 10}), share="smoker == 'yes'")
    >>> found
    <the share of rows with smoker == 'yes': 0.25 [0.1419 to 0.4019], from 40 labelled rows alone>
    """

    asked: str
    kind: str
    figures: tuple[Figure, ...]
    labelled: int
    unlabelled: int
    alpha: float
    predictor: str = ""
    why: str = ""
    cautions: tuple[str, ...] = ()
    broken: bool = False
    notes: tuple[str, ...] = ()
    source: str = "data"

    def __repr__(self) -> str:
        from verisyn.inference._told import number, span

        rows = f"{self.labelled:,} labelled" + (f" and {self.unlabelled:,} unlabelled rows" if self.predictor else
                                                " rows alone")
        if len(self.figures) > 1:
            return f"<{self.asked}: {len(self.figures)} coefficients, from {rows}; .table tells them>"
        return f"<{self.asked}: {number(self.value)} [{span(self.interval)}], from {rows}>"

    def __getitem__(self, name: str) -> Figure:
        """Return a coefficient by its name.

        Raises
        ------
        KeyError
            If there is none, with the names that are near.
        """
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(f"There is no figure {name!r}. {did_you_mean(name, [f.name for f in self.figures])}")

    @property
    def _only(self) -> Figure:
        if len(self.figures) != 1:
            raise UserError(f"A regression has {len(self.figures)} coefficients. Take one by its name, such as "
                            f"estimate[{self.figures[-1].name!r}], or all of them from estimate.table.")
        return self.figures[0]

    @property
    def value(self) -> float:
        """The estimate; of a regression, see `table`."""
        return self._only.value

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the estimate."""
        return self._only.interval

    @property
    def classical(self) -> float:
        """The estimate from the labelled rows alone."""
        return self._only.classical

    @property
    def classical_interval(self) -> tuple[float, float]:
        """The interval from the labelled rows alone."""
        return self._only.classical_interval

    @property
    def weight(self) -> float:
        """How far the predictions are trusted (lambda)."""
        return self._only.weight

    @property
    def gain(self) -> float:
        """Classical variance over the variance reached."""
        return self._only.gain

    @property
    def effective_rows(self) -> float:
        """How many labelled rows alone would give the interval that was reached."""
        return self.labelled * self.gain

    @property
    def table(self) -> pl.DataFrame:
        """The figures as a polars frame, one row each."""
        import polars as pl

        def ends(interval: tuple[float, float] | None, prefix: str) -> dict[str, float | None]:
            low, high = interval or (None, None)
            return {f"{prefix}low": low, f"{prefix}high": high}

        return pl.DataFrame([{"name": f.name, "value": f.value, **ends(f.interval, ""), "classical": f.classical,
                              **ends(f.classical_interval, "classical_"), "weight": f.weight, "gain": f.gain}
                             for f in self.figures])

    @property
    def reason(self) -> str:
        """The answer in a few sentences."""
        from verisyn.inference._told import reason

        return reason(self)

    @property
    def finding(self) -> Finding:
        """The answer as a finding, ``inference.mean`` or the like."""
        from verisyn.inference._told import finding

        return finding(self)

    @property
    def assessment(self) -> Assessment:
        """The answer as a study of one finding, for a report."""
        from verisyn.inference._told import assessment

        return assessment(self)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        from verisyn.inference._told import as_dict

        return as_dict(self)
