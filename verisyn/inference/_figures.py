"""From rows and predictions to figures; and, for contrast, what counting synthetic rows as real ones would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from verisyn.errors import UserError
from verisyn.inference import _powered
from verisyn.inference._asked import Asked
from verisyn.inference._coefficients import check_rank, coefficients
from verisyn.inference._formula import Design
from verisyn.inference._powered import Figure, Guesses
from verisyn.inference._predictors import Target
from verisyn.inference._rows import Rows


def target_of(asked: Asked, rows: Rows) -> tuple[Target, float | None]:
    """Return what is predicted of a row; for a quantile, whether it is at most the labelled rows' own, and that cut.

    The cut is one number taken from the labelled rows, as the weight of the predictions is: the predictor itself
    learns from none of them.
    """
    if asked.kind != "quantile":
        return asked.outcome, None
    cut = _powered.cut_of(asked.outcome(rows.labelled), asked.level)
    return lambda frame: (asked.outcome(frame) <= cut).astype(float), cut


def design_of(asked: Asked, rows: Rows) -> Design | None:
    """Learn how a regression's columns become numbers; None where no regression is asked.

    Raises
    ------
    UserError
        If an outcome is infinite, a coefficient cannot be told from the labelled rows, or the unlabelled rows hold a
        level that no labelled row holds.
    """
    infinite = int((~np.isfinite(asked.outcome(rows.labelled))).sum())
    if infinite:
        raise UserError(f"The column {asked.columns[0]!r} holds {infinite:,} infinite values. Replace or remove them.")
    if asked.formula is None:
        return None
    design = Design.learn(asked.formula, rows.labelled)
    check_rank(design.names, design.matrix(rows.labelled))
    if rows.unlabelled.height and (strange := design.unseen(rows.unlabelled)):
        name, level, count = strange
        raise UserError(f"The level {level!r} of {name!r} occurs in {count:,} rows without the outcome, but in none "
                        "with it, so that nothing can be said of it. Merge levels, or leave such rows out with within.")
    return design


def estimated(asked: Asked, rows: Rows, design: Design | None, guesses: Guesses | None,
              alpha: float) -> tuple[Figure, ...]:
    """Return the figures that were asked for: one, or one a coefficient.

    Raises
    ------
    UserError
        If the rows do not tell what is asked.
    """
    y = asked.outcome(rows.labelled)
    if design is None:
        figures = [_one(asked, y, guesses, alpha)]
    else:
        x, other = design.matrix(rows.labelled), design.matrix(rows.unlabelled) if rows.unlabelled.height else None
        figures = coefficients(design.names, x, y, x[:0] if other is None else other, guesses, binary=asked.binary,
                               alpha=alpha)
    naive = _naive(asked, rows, design, guesses, alpha)
    if naive is None:
        return tuple(figures)
    return tuple(replace(f, naive=n.classical, naive_interval=n.classical_interval)
                 for f, n in zip(figures, naive, strict=True))


def _one(asked: Asked, y: np.ndarray, guesses: Guesses | None, alpha: float) -> Figure:
    if asked.kind == "quantile":
        return _powered.quantile(asked.words, y, asked.level, guesses, alpha)
    make: Callable[..., Figure] = _powered.mean if asked.kind == "mean" else _powered.share
    return make(asked.words, y, guesses, alpha)


def _naive(asked: Asked, rows: Rows, design: Design | None, guesses: Guesses | None,
           alpha: float) -> list[Figure] | None:
    """Count synthetic rows, or else the predictions for unlabelled rows, as if they were real outcomes."""
    fake = rows.pooled
    if fake is not None and set(asked.columns) | set(asked.needed) <= set(fake.columns):
        fake = fake.filter(asked.known(fake))
        more, extra = fake, asked.outcome(fake)
    elif rows.synthetic is None and guesses is not None and asked.kind != "quantile":
        more, extra = rows.unlabelled, guesses.unlabelled
    else:
        return None
    y = np.concatenate([asked.outcome(rows.labelled), extra])
    if design is None:
        return [_one(asked, y, None, alpha)] if np.isfinite(y).all() else None
    x = np.vstack([design.matrix(frame) for frame in (rows.labelled, more) if frame.height])
    whole = np.isfinite(x).all(axis=1) & np.isfinite(y)
    try:
        return coefficients(design.names, x[whole], y[whole], x[:0], None, binary=asked.binary, alpha=alpha)
    except UserError:  # a contrast that cannot be had is no reason to give no answer
        return None
