"""What a model file tells of the rows it was learnt from: attacks by likelihood, plain and compared, measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from verisyn.findings import Finding, Measure
from verisyn.frames import some

if TYPE_CHECKING:
    from verisyn.model import Model
    from verisyn.schema import Schema

NAME = "model.memory"
TITLE = "Can whoever holds the model file tell whose rows were learnt from?"
COIN = 0.5
LEAST_ROWS = 100
"""Members, and strangers, that a measurement takes."""
MOST_ROWS = 10_000
"""More of either are sampled. The interval is then about 0.008 to each side."""
RIVAL_ROWS = 5_000
"""The compared attack learns from as many other rows of the source at most."""
MOST_COLUMNS = 200
"""A wider table is not fitted a second time unless asked for: it would cost minutes."""
_SPLIT = 0x3E40


@dataclass(frozen=True)
class Recipe:
    """A fit that can be done again, on other rows or with another setting."""

    schema: Schema
    generator: str
    settings: Mapping[str, Any]
    seed: int
    jobs: int | None

    def learn(self, rows: pl.DataFrame, **changed: Any) -> Model:
        """Fit on `rows`, with `changed` settings, and measure nothing."""
        from verisyn.model import fit_table

        return fit_table(rows, self.schema, generator=self.generator, seed=self.seed, jobs=self.jobs, audit=False,
                   **{**self.settings, **changed})


def attacked(model: Model, members: pl.DataFrame, strangers: pl.DataFrame, rival: Recipe | None = None) -> Finding:
    """Attack a model with its own likelihood: a row counts as learnt from where the model finds it likely.

    Parameters
    ----------
    model : Model
        Its ``log_prob`` is the attack's score.
    members : polars.DataFrame
        Rows that the model was learnt from; at most 10 000, drawn by the model's seed, are used.
    strangers : polars.DataFrame
        Rows of the same source that it never saw; likewise.
    rival : Recipe, optional
        How an attacker who holds one half of the strangers, at most 5 000, would learn a model of those to compare
        with; the other half are the strangers of this second, stronger attack. Without it there is only the first.

    Returns
    -------
    Finding
        The AUC of the attack, members against strangers, with DeLong's 95 % interval; its best is 0.5. The details
        hold the shares of members ``caught`` at one false alarm in a hundred, and in a thousand (``caught_of_1000``),
        with the intervals of ``privacy.membership``, and the same figures of the attack by comparison (``compared``,
        …); the verdict is that of the stronger attack. With fewer than 100 rows of either kind the question is not
        answered.

    Notes
    -----
    The first is the loss attack of Yeom, Giacomelli, Fredrikson and Jha (CSF 2018). The second takes a row for a member
    where this model finds it likelier than one that never saw it, which takes out how usual the row is (a calibration
    by one reference model; Watson, Guo, Cormode and Sablayrolles, ICLR 2022). More reference models make it stronger
    still (Carlini et al., IEEE S&P 2022): the figures are no bound on that.

    Examples
    --------
    >>> from verisyn import fit
    >>> rng = np.random.default_rng(0)
    >>> people = pl.DataFrame({"kg": rng.normal(70, 9, 3000).round(), "smoker": rng.choice(["yes", "no"], 3000)})
    >>> found = attacked(fit(people[:1500], audit=False), people[:1500], people[1500:])
    >>> found.value < 0.55, found.details["members"]
    (True, 1500)
    """
    for rows, what in ((members, "rows learnt from"), (strangers, "rows that the model never saw")):
        if rows.height < LEAST_ROWS:
            return not_answered(f"there are only {rows.height:,} {what}, and it takes {LEAST_ROWS}")
    from verisyn.metrics.privacy import membership

    rngs = map(np.random.default_rng, np.random.SeedSequence([model.info.seed, _SPLIT]).spawn(2))
    members, strangers = (some(rows, MOST_ROWS, rng) for rows, rng in zip((members, strangers), rngs, strict=True))
    measure = _measured(model.log_prob(members), model.log_prob(strangers))
    verdict, reason, _ = membership.judge(measure, None, None)
    details = {"members": members.height, "strangers": strangers.height, "learnt_from": model.info.rows_train,
               **measure.details}
    if rival is not None and strangers.height >= 2 * LEAST_ROWS:
        compared = _compared(model, members, strangers, rival)
        (low, high), rows = compared.interval, compared.details["rows"]
        verdict = max(verdict, membership.judge(compared, None, None)[0], key=("good", "fair", "poor").index)
        details |= {"compared": compared.value, "compared_interval": [low, high], "compared_with_rows": rows,
                    **{f"compared_{key}": value for key, value in compared.details.items() if key.startswith("caught")}}
        reason += (f" An attacker who also holds {rows:,} other rows of the source, and compares with a model of "
                   f"those, is right in {compared.value:.1%} of cases [{low:.1%} to {high:.1%}].")
    return Finding(NAME, TITLE, verdict, reason, membership.rule, measure.value, measure.interval,
                   details={key: value for key, value in details.items() if not key.startswith("_")})


def _compared(model: Model, members: pl.DataFrame, strangers: pl.DataFrame, rival: Recipe) -> Measure:
    """Attack by how much likelier a row is under the model than under another that never saw it."""
    held, others = halves(strangers, RIVAL_ROWS, model.info.seed)
    other = rival.learn(held)
    measure = _measured(*(model.log_prob(rows) - other.log_prob(rows) for rows in (members, others)))
    return replace(measure, details={**measure.details, "rows": held.height})


def _measured(members: np.ndarray, strangers: np.ndarray) -> Measure:
    """Measure how well a score tells members from strangers."""
    from verisyn.metrics._attack import rates
    from verisyn.metrics._stats import auc

    score = np.concatenate([members, strangers])
    truth = np.arange(len(score)) < len(members)
    found = auc(truth, score)
    low, high = found.interval()
    return Measure(round(found.value, 6), (round(low, 6), round(high, 6)), rates(truth, score))


def cross_fitted(recipe: Recipe, frame: pl.DataFrame, most: int = MOST_ROWS, *, rival: bool = False) -> Finding:
    """Attack a second model, learnt from one half of the rows, with the other half as strangers.

    Each half is of at most `most` rows. A model learnt from fewer rows holds on to each of them more, so the figure
    leans to the careful side; the reason says from how many rows it was learnt.
    """
    members, strangers = halves(frame, most, recipe.seed)
    if members.height < LEAST_ROWS:
        return not_answered(f"there are only {frame.height:,} rows, and no holdout; it takes {2 * LEAST_ROWS} to learn "
                            "from half of them")
    found = attacked(recipe.learn(members), members, strangers, recipe if rival else None)
    return replace(found, reason=f"{found.reason} This was measured on a second model of the same settings, learnt "
                                 f"from {members.height:,} rows; one learnt from more tends to tell less of each.")


def audit(model: Model, recipe: Recipe, train: pl.DataFrame, unseen: pl.DataFrame | None, *, asked: bool | None = None,
          known: Finding | None = None) -> Finding | None:
    """Attack a model; `asked` is None for "where it takes no minutes".

    `known` is a finding that there is already, told where nothing more is asked.
    """
    if asked is False:
        return known
    wide = asked is None and len(model.coder.columns) > MOST_COLUMNS
    if unseen is not None:
        return attacked(model, train, unseen, None if wide else recipe)
    if wide:
        return known or not_answered(f"learning {len(model.coder.columns):,} columns a second time would take long, "
                                     "and there is no holdout; ask with audit=True, or set rows aside")
    return cross_fitted(recipe, train, rival=True)


def halves(frame: pl.DataFrame, most: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return two disjoint samples of rows, each of half the rows or of `most`."""
    each = min(frame.height // 2, most)
    order = np.random.default_rng(np.random.SeedSequence([seed, _SPLIT])).permutation(frame.height)
    return frame[np.sort(order[:each])], frame[np.sort(order[each:2 * each])]


def not_answered(reason: str) -> Finding:
    """Return the finding that says why there is no figure."""
    return Finding(NAME, TITLE, "not answered", f"Not answered, because {reason}.")
