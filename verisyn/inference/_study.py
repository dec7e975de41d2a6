"""Who predicts: which of the makers may be used, the predictions, and what the rows say against the premises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verisyn.inference import _checks, _predictors
from verisyn.inference._asked import Asked
from verisyn.inference._figures import target_of
from verisyn.inference._powered import FEWEST, Guesses
from verisyn.inference._predictors import Predictions
from verisyn.inference._rows import Rows, Seen, covariates

if TYPE_CHECKING:
    from verisyn.model import Model

NOTHING_TO_PREDICT = ("No real row lacks the outcome, so there is nothing that a prediction could add: synthetic rows "
                      "cannot narrow this interval.")
HARDLY_ANY = ("Only {} real row{} the outcome: too few for predictions to narrow this interval, so that they were left "
              "out.")
TRUST = "That whoever made the predictions never saw these outcomes is taken on trust."
TOO_FEW = "So few rows hold the outcome that predictions cannot be weighed by them"
NO_COLUMN = "No column is left to predict the outcome from"


@dataclass(frozen=True)
class Makers:
    """What may predict, beside the synthetic rows: a model, a column; whether the generator saw the labelled rows.

    A model that was fitted to data of the same name and as many rows, in all or with the outcome, is taken to have seen
    them.
    """

    model: Model | None
    predicted: str | None
    saw: bool | None
    rows: int
    name: str

    def seen_by(self, rows: Rows) -> str:
        """Return, as the first half of a sentence, why the generator is taken to have seen the labels; else nothing."""
        if self.saw is not None:
            return "The generator saw the labelled rows" if self.saw else ""
        same = _checks.overlap(rows)
        if same >= _checks.SAME:
            return f"{same:.0%} of the labelled rows stand among the synthetic rows, cell by cell"
        info = self.model.info if self.model else None
        if info and info.name == self.name and info.rows_source in (self.rows, rows.labelled.height):
            many = "as many as the real data has" if info.rows_source == self.rows else "as many as hold the outcome"
            return f"The model was fitted to {info.rows_source:,} rows, {many}"
        return ""


@dataclass(frozen=True)
class Study:
    """Predictions, or why there are none; what was decided; and a sentence where labelled rows are no random sample."""

    rows: Rows
    guesses: Guesses | None = None
    words: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()
    shifted: str = ""


def studied(rows: Rows, asked: Asked, makers: Makers, seed: int) -> Study:
    """Predict the outcome of the real rows, where that can sharpen anything, and look at what that rests on."""
    if not rows.unlabelled.height:
        return Study(rows, why=NOTHING_TO_PREDICT)
    if rows.unlabelled.height <= FEWEST:
        one = rows.unlabelled.height == 1
        return Study(rows, why=HARDLY_ANY.format(rows.unlabelled.height, " lacks" if one else "s lack"))
    saw = makers.seen_by(rows) if rows.synthetic is not None or makers.model is not None else ""
    by_fake = rows.synthetic is not None and not saw and makers.model is None and makers.predicted is None
    columns, odd = covariates(rows, asked, fake=by_fake)
    notes = [f"{saw}, so that it was set aside: a predictor was cross-fitted on the labelled rows instead. (Say "
             "predictor_saw_labels=False if that is wrong.)"] if saw and makers.predicted is None else []
    if odd:
        notes.append(f"{', '.join(map(repr, odd[:5]))}{', …' if len(odd) > 5 else ''} is missing more often on one "
                     "side of labelled and unlabelled rows, so no prediction rests on it.")
    seen = Seen.of(rows, columns, fake=by_fake) if columns else None
    shift = _checks.shift(seen, seed) if seen else None
    made, rows = _predictions(rows, columns, seen, asked, makers, saw=bool(saw), seed=seed)
    if made is None:
        few = rows.labelled.height <= FEWEST
        why = f"{TOO_FEW if few else NO_COLUMN}, so predictions could add nothing."
        return Study(rows, why=why, notes=tuple(notes), shifted=_said(shift))
    if makers.saw is None and not made.crossed:
        notes.append(TRUST)
    return Study(rows, made.guesses, made.words, "", tuple(notes), _said(shift))


def _predictions(rows: Rows, columns: list[str], seen: Seen | None, asked: Asked, makers: Makers, *, saw: bool,
                 seed: int) -> tuple[Predictions | None, Rows]:
    target, cut = target_of(asked, rows)
    if makers.predicted is not None:
        return _predictors.of_column(rows, makers.predicted, cut), rows
    if makers.model is not None and not saw:
        return _predictors.of_model(rows, columns, makers.model, asked, target, seed)
    if seen is None or not seen.names or rows.labelled.height <= FEWEST:
        return None, rows
    if seen.synthetic is not None and not saw:
        return _predictors.of_synthetic(rows, seen, asked, target, seed), rows
    return _predictors.crossed(rows, seen, target, seed), rows


def _said(shift: _checks.Shift | None) -> str:
    if shift is None or not shift.found:
        return ""
    by = f", most by {shift.column!r}" if shift.column else ""
    return (f"The rows that hold the outcome are no random sample of all: a judge tells them from those that lack it "
            f"(AUC {shift.auc:.2f}, {shift.low:.2f} to {shift.high:.2f}{by}). Every interval here, also that from the "
            "labelled rows alone, rests on their being one.")
