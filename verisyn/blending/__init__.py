"""blend(): real, synthetic and open rows together, in the proportion that held-out real rows ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verisyn.blending.result import Blend
from verisyn.errors import UserError, whole_number
from verisyn.progress import Progress, WarningProgress

if TYPE_CHECKING:
    from verisyn.model import Model

__all__ = ["PROPORTIONS", "Blend", "blend"]

PROPORTIONS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
_MOST = 100.0


def blend(real: Any, synthetic: Any = None, open: Any = None, *, target: str | None = None, validation: Any = None,
          model: Model | str | Path | None = None, generator: str | None = None,
          proportions: float | Sequence[float] = PROPORTIONS, licences: Mapping[str, str] | None = None, seed: int = 0,
          effort: str = "standard", jobs: int | None = None, progress: Progress | None = None) -> Blend:
    """Blend real rows with synthetic and open ones, in a proportion that is found, or not at all.

    Sources are aligned with the real data by name and type; their distance to it is measured and closed, as far as it
    can be, by importance weights; the proportion is found by nested cross-validation on real rows. The answer is "use
    no synthetic rows" unless the gain over real rows alone lies above 0 with its whole interval.

    Parameters
    ----------
    real : Dataset, dataframe, path or URL
        At least 50 rows of what is to be known about.
    synthetic, open : Dataset, dataframe, path or URL; a list or a mapping from names to such, optional
        Rows that a generator made; real rows from elsewhere.
    target : str, optional
        The column that models will be asked to predict: a proportion is then as good as the AUC (or R²) that it gives
        on unseen real rows. Without it, it is as good as it makes unseen real rows likely to a generator.
    validation : Dataset, dataframe, path or URL, optional
        Real rows that no generator saw, at least 50: proportions are then judged by these alone.
    model : Model or path, optional
        What made the synthetic rows, or shall make them. A generator like it is fitted anew within each fold, so that
        no row tests what was made from it. That costs 15 fits or more.
    generator : str, optional
        Instead of a model, the name of its generator (``verisyn list generators``), with its defaults.
    proportions : sequence of float, or float, default (0, 0.1, 0.25, 0.5, 1, 2)
        Masses of added rows for each real one that are tried. A single number is taken as it is, whatever it is worth;
        what it is worth is said.
    licences : mapping, optional
        The licence of each source, by its name.
    seed : int, default 0
        The same data, options, seed and version give the same blend.
    effort : {"standard", "quick", "thorough"}
        How many folds and rows the search may use: below a minute of CPU, a few seconds, several minutes.
    jobs : int, optional
        Threads for generators; all cores by default. The result does not depend on it.
    progress : Progress, optional
        Shows and records the stages; what is to be said is in its ``notes``. Without it, what needs attention becomes
        a Python warning.

    Returns
    -------
    Blend

    Raises
    ------
    UserError
        If something cannot be read or aligned, there are too few real rows, or the target cannot be predicted.

    Notes
    -----
    Nested cross-validation with the corrected t interval of Nadeau and Bengio (2003); importance weights by a density
    ratio (Sugiyama, Suzuki and Kanamori 2012); a validated amount of synthetic rows as in arXiv 2601.16120.
    ``docs/blend.md`` tells more.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> def homes(n, rent=0.0):
    ...     size = rng.uniform(20, 120, n).round()
    ...     return pl.DataFrame({"size": size, "rent": (8 * size + rent + rng.normal(0, 60, n)).round()})
    >>> found = blend(homes(60), open={"next door": homes(90)}, target="rent", effort="quick", proportions=0.5,
    ...               licences={"next door": "CC-BY-4.0"})
    >>> found.data.shape, found.data.columns[:3], found.assessment["mixture"].verdict
    ((90, 7), ['size', 'rent', 'verisyn_source'], 'good')
    """
    from verisyn.blending.gathering import stock_of
    from verisyn.blending.making import made
    from verisyn.blending.sources import Given
    from verisyn.metrics import effort_of
    from verisyn.running import threads

    whole_number("seed", seed, 0)
    if isinstance(model, str | Path):
        from verisyn.model import Model

        model = Model.load(model)
    asked, jobs, fixed = effort_of(effort), threads(jobs), not isinstance(proportions, Sequence | np.ndarray)
    tried = _proportions(proportions)
    progress = progress or WarningProgress()
    given = Given(real, synthetic, open, validation, model, generator, target, licences, max(tried), seed, jobs)
    return made(stock_of(given, progress), given, tried, fixed, asked, progress)


def _proportions(wanted: Any) -> tuple[float, ...]:
    values = list(wanted) if isinstance(wanted, Sequence | np.ndarray) and not isinstance(wanted, str) else [wanted]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not (
                math.isfinite(value) and 0 <= value <= _MOST):
            raise UserError(f"The proportion {value!r} is none: a number from 0 to {_MOST:g} was expected, the mass of "
                            "added rows for each real one.")
    found = tuple(sorted({float(v) for v in values}))
    if not found or found == (0.0,):
        raise UserError("No proportion above 0 is to be tried, so there is nothing to find. Give some, such as 0.25, "
                        "0.5 and 1.")
    return found
