"""what_if(): rows as they are and the same rows with columns set, and what that changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from verisyn.constraints._rules import Ledger
from verisyn.drawing import Drawing
from verisyn.errors import whole_number
from verisyn.findings import Assessment
from verisyn.frames import from_polars
from verisyn.modalities.table import Codes
from verisyn.progress import Progress, WarningProgress
from verisyn.running import threads
from verisyn.steering.intervention import Do, Intervention

if TYPE_CHECKING:
    from verisyn.model import Model

_MOST_ROWS = 50_000


@dataclass(frozen=True)
class WhatIf:
    """Rows before and after, of the kind of dataframe the model was fitted on, and what changes between them."""

    before: Any
    after: Any
    assessment: Assessment


def what_if(model: Model, do: Do, rows: int | None = None, *, seed: int = 0, refit: bool | None = None,
            jobs: int | None = None, progress: Progress | None = None) -> WhatIf:
    """Set columns, and see what their effects become.

    Parameters
    ----------
    model : Model
        Fitted with ``causes``, so that only effects respond. Without, all columns drawn after a set one do, and rows
        before and after are no pairs.
    do : mapping
        Columns with a value, None for missing, or a change: ``{"smoker": "no", "rate": "+1pp"}``.
    rows : int, optional
        How many; as many as the source had by default.
    seed : int, default 0
        ``before`` is what ``model.sample(rows, seed=seed)`` draws.
    refit : bool, optional
        Fit a second model to the first one's own rows, and widen intervals by what that shows to be smoothed away; it
        costs as much as the first fit. By default where causes are known and at most 50 000 rows were learnt from.
    jobs : int, optional
        Threads; all cores by default.
    progress : Progress, optional
        What needs attention becomes a Python warning without it.

    Returns
    -------
    WhatIf
        ``before``, ``after``, and ``assessment`` with the finding ``steering.do``: each figure that responds, before
        and after, with a 95 % interval of its change, and the share of rows in which the answer has support.

    Raises
    ------
    UserError
        If a column is unknown, or a value does not fit it.

    Notes
    -----
    Row by row only what stays is the same: what responds is drawn anew, so a pair tells nothing of one person.

    Examples
    --------
    >>> import polars as pl, verisyn as vs
    >>> rng = np.random.default_rng(0)
    >>> age = rng.integers(20, 80, 2000)
    >>> dose = (age / 10 + rng.normal(0, 1, 2000)).round(1)
    >>> relief = (2 * dose - age / 10 + rng.normal(0, 1, 2000)).round(1)
    >>> frame = pl.DataFrame({"age": age, "dose": dose, "relief": relief})
    >>> found = what_if(vs.fit(frame, causes="age -> dose -> relief"), {"dose": "+1"}, 2000)
    >>> bool((found.before["age"] == found.after["age"]).all())
    True
    >>> 1.8 < found.after["relief"].mean() - found.before["relief"].mean() < 2.2
    True
    """
    rows = model.info.rows_source if rows is None else whole_number("rows", rows, 1)
    whole_number("seed", seed, 0)
    progress, wish = progress or WarningProgress(), Intervention.read(do, model.coder)
    drawing = Drawing(model.schema.table, model.coder, model.fitted, model.info.seed, threads(jobs))
    root = np.random.SeedSequence(seed)
    with progress.stage("sample", total=rows) as tick:
        wish.tell(drawing, progress.note)
        if wish.reach(drawing).causal:
            before, after = wish.pair(rows, drawing, root, tick)
        else:
            before = model.sample_frame(rows, seed=seed, jobs=jobs, progress=Progress())
            after = model.sample_frame(rows, seed=seed, jobs=jobs, progress=Progress(), do=do)
        wish.tell_overruled(after, drawing, progress.note)
    if refit is None:
        refit = wish.reach(drawing).causal and model.info.rows_train <= _MOST_ROWS
    again = None
    if refit:
        with progress.stage("fit again to own rows"):
            again = wish.pair(rows, _refitted(model, drawing), root)
    found = wish.finding(before, after, learnt=model.info.rows_train, again=again)
    about = {"source": model.info.name, "generator": model.info.generator, "rows": rows, "seed": seed,
             "do": {column: str(value) for column, value in do.items()}}
    return WhatIf(from_polars(before, model.origin), from_polars(after, model.origin), Assessment((found,), about))


def _refitted(model: Model, drawing: Drawing) -> Drawing:
    """A model fitted to as many own rows as the first learnt from."""
    from verisyn import shelves

    draw, fit = np.random.SeedSequence([model.info.seed, 0x2EF2]).spawn(2)
    values, _ = drawing.fitted.sample(min(model.info.rows_train, _MOST_ROWS), np.random.default_rng(draw))
    maker = shelves.generators.take(model.info.generator).Generator(**model.info.settings)
    codes = Codes(np.asfortranarray(values), drawing.coder.parts, drawing.coder.names)
    return replace(drawing, fitted=maker.fit(codes, fit, jobs=drawing.jobs), ledger=Ledger())
