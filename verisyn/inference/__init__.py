"""infer(): valid statistics from real rows, sharpened by what synthetic or open rows teach of the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verisyn.answers import EVERY_ROW
from verisyn.data import Dataset, read
from verisyn.errors import UserError, whole_number
from verisyn.inference import _asked
from verisyn.inference._checks import heavy
from verisyn.inference._estimate import Estimate
from verisyn.inference._figures import design_of, estimated
from verisyn.inference._powered import Figure
from verisyn.inference._rows import Rows, check_within, unevenly_missing
from verisyn.inference._study import TRUST, Makers, studied

if TYPE_CHECKING:
    from verisyn.model import Model

__all__ = ["Estimate", "Figure", "infer"]


def infer(real: Any, synthetic: Any = None, *, mean: str | None = None, share: str | None = None, quantile: Any = None,
          regression: str | None = None, within: str | None = None, unlabelled: Any = None, model: Model | None = None,
          predicted: str | None = None, predictor_saw_labels: bool | None = None, alpha: float = 0.05,
          seed: int = 0) -> Estimate:
    """Estimate a mean, a share, a quantile or a regression, with an interval that is valid.

    Synthetic rows are never counted as real: they teach a predictor of the outcome, whose errors are measured on the
    real rows that hold the outcome, and whose predictions for the real rows that lack it then sharpen the estimate
    (prediction-powered inference). Where no real row lacks the outcome, synthetic rows cannot narrow an interval, and
    the answer is that of the real rows alone.

    Parameters
    ----------
    real : Dataset, dataframe, path or URL
        Real rows. Those with the outcome are taken to be a random sample of all; rows in which it is missing are the
        unlabelled ones.
    synthetic : Dataset, dataframe, path or URL, optional
        Synthetic or open rows that hold the outcome, made without the labelled rows: a predictor is learnt from them.
        Without them (and without `model` and `predicted`) it is cross-fitted on the labelled rows.
    mean : str, optional
        A column of numbers. Exactly one of `mean`, `share`, `quantile` and `regression` is asked.
    share : str, optional
        A condition, such as ``"income == '>50K'"``.
    quantile : (str, float) or str, optional
        A column and a level: ``("income", 0.5)`` or ``"income:0.5"``.
    regression : str, optional
        A formula, such as ``"income ~ age + sex"``: linear where the outcome is a number, logistic where it is a
        boolean, a column of two levels, or a condition, such as ``"income == '>50K' ~ age*sex"``.
    within : str, optional
        A condition on columns that every row holds: only rows that meet it are asked of.
    unlabelled : Dataset, dataframe, path or URL, optional
        More real rows, without the outcome.
    model : Model, optional
        A verisyn model that was not fitted to the labelled rows; it predicts by draws of the outcome.
    predicted : str, optional
        A column, in all real rows, of predictions made without these outcomes: values, or chances for a condition.
    predictor_saw_labels : bool, optional
        Whether the generator (of `synthetic`, or `model`) saw the labelled rows' outcomes. If so, it is set aside and a
        predictor is cross-fitted. Without it this is looked for: labelled rows that stand among the synthetic ones, or
        a model of data of the same name and as many rows (in all, or with the outcome).
    alpha : float, default 0.05
        One minus the level of the intervals.
    seed : int, default 0
        The same data, seed and version give the same figures.

    Returns
    -------
    Estimate

    Raises
    ------
    UserError
        If data or question cannot be read, too few real rows hold the outcome, or `real` holds synthetic rows.

    Notes
    -----
    Angelopoulos et al. (2023, *Science* 382), Angelopoulos, Duchi and Zrnic (2023), Zrnic and Candès (2024) for
    cross-fitting, Chen and Chen (2000) for coefficients. ``docs/infer.md`` tells what is assumed.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> age = rng.uniform(20, 60, 3000).round()
    >>> cost = 10 * age + rng.normal(0, 40, 3000)
    >>> lab = pl.DataFrame({"age": age, "cost": [c if i < 150 else None for i, c in enumerate(cost)]})
    >>> found = infer(lab, mean="cost")
    >>> found.labelled, found.unlabelled, found.gain > 2
    (150, 2850, True)
    """
    whole_number("seed", seed, 0)
    if not isinstance(alpha, int | float) or not 0 < alpha < 0.5:
        raise UserError(f"alpha is {alpha!r}; a number between 0 and 0.5 was expected: 0.05 gives intervals of 95 %.")
    data = _real(real, "the real data")
    asked = _asked.read(data.frame, mean=mean, share=share, quantile=quantile, regression=regression)
    more = None if unlabelled is None else _real(unlabelled, "the unlabelled data").frame
    rows = Rows.of(data.frame, more, None if synthetic is None else read(synthetic, seed=seed).frame, asked)
    if within is not None:
        check_within(within, data.frame, asked)
        rows = rows.within(within)
    whole = rows.complete(asked.needed)
    design = design_of(asked, whole)
    makers = Makers(model, predicted, predictor_saw_labels, sum(data.rows_total.values()), data.name)
    study = studied(whole, asked, makers, seed)
    figures = estimated(asked, study.rows, design, study.guesses, alpha)
    gone = rows.labelled.height + rows.unlabelled.height - whole.labelled.height - whole.unlabelled.height
    notes = (f"Only rows with {within} are asked of." if within else "",
             f"{gone:,} real rows lack a column of the regression and were left out." if gone else "",
             f"Coefficients are log odds of {asked.condition.text}." if design and asked.condition else "",
             design.references if design else "", *study.notes)
    odd = ", ".join(map(repr, unevenly_missing(rows, asked.needed)))
    cautions = (study.shifted, _UNEVEN.format(odd) if odd else "",
                _HEAVY if asked.kind == "mean" and heavy(asked.outcome(whole.labelled)) else "")
    used = any(f.weight for f in figures)
    trusted = [note for note in notes if note and (used or note != TRUST)]
    return Estimate(
        asked.words + (f", within {within}" if within else ""), asked.kind, figures, whole.labelled.height,
        study.rows.unlabelled.height, alpha, predictor=study.words if used else "",
        why="" if used else study.why or _UNWEIGHED, cautions=tuple(filter(None, cautions)),
        broken=bool(study.shifted), notes=tuple(trusted), source=data.name)


_HEAVY = ("The outcome is so skewed that, at this many rows, every interval of its mean is likely to be too narrow "
          "(Cochran's rule): a quantile is the safer question.")
_UNEVEN = ("Rows that lack {} were left out, and clearly more on one side of labelled and unlabelled rows: the rest "
           "may be no random sample of all.")
_UNWEIGHED = ("There are too few rows that hold the outcome (or too few on one side of what is asked) to weigh "
              "predictions by, or all predictions are the same, so these were left out.")


def _real(source: Any, what: str) -> Dataset:
    """Read rows that are to be counted as real; refuse those that are known not to be."""
    data = read(source, fit_rows=EVERY_ROW)
    if data.provenance is not None and (share := data.provenance.synthetic_share):
        raise UserError(f"{share:.0%} of the rows of {what} are synthetic or derived, by their provenance. Only real "
                        "rows can be counted as such: give those alone, and the others as synthetic.")
    return data
