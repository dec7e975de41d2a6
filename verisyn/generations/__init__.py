"""Generations: what becomes of a generator that learns from its own rows, measured on the user's data; a guard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from verisyn.findings import Assessment
    from verisyn.progress import Progress
    from verisyn.schema import Schema

LEAST_ROWS = 40
REGIMES = ("replace", "accumulate", "budget")


def collapse(data: Any, *, generations: int = 10, regimes: Sequence[str] = REGIMES, generator: str = "table.trees",
             rows: int | None = None, real_shares: Sequence[float] | None = None, repeats: int | None = None,
             schema: Schema | str | Path | None = None, target: str | None = None, effort: str = "standard",
             seed: int = 0, checkpoint: str | Path | None = None, jobs: int | None = None,
             progress: Progress | None = None, **settings: Any) -> Assessment:
    """Measure how fast a generator that learns from its own rows loses the real data, and which real share helps.

    Half of the real rows are learnt from, as many others judge. From the first generation on, each regime goes its own
    way: it learns a new generator, columns and all, and draws as many rows as there were real ones.

    Parameters
    ----------
    data : Dataset, dataframe, path or URL
        What :func:`verisyn.read` takes.
    generations : int, default 10
        Two or more; the first has learnt from real rows.
    regimes : sequence of {"replace", "accumulate", "budget"}
        What a generation learns from: the last generation's rows alone; the real rows and those of all generations;
        as many rows as there are real ones, drawn from these.
    generator : str, default "table.trees"
        A name on the generators' shelf.
    rows : int, optional
        Real rows to learn from at most; by the effort 2 000 (quick), 10 000 (standard) or all (thorough).
    real_shares : sequence of float, optional
        Shares of real rows, between 0 and 1, that are tried in each generation's mix with the last one's rows; by the
        effort three, four or five of them. ``()`` tries none.
    repeats : int, optional
        Independent repetitions, two or more; by the effort 3, 4 or 6. Every interval is over these.
    schema : Schema or path, optional
        Without it the data is described first.
    target : str, optional
        The column that models predict when utility is measured; the schema's by default.
    effort : {"standard", "quick", "thorough"}
        What it may cost: about ten minutes of CPU on a table of 15 columns, two, or hours.
    seed : int, default 0
        The same data, options, seed and version give the same findings.
    checkpoint : path, optional
        A folder that keeps what was measured, and no row. After an interruption the same call goes on from there. It is
        removed when all is done.
    jobs : int, optional
        Threads; the result does not depend on it.
    progress : Progress, optional
        Shows and records the stages.
    **settings
        Fields of the generator's dataclass.

    Returns
    -------
    Assessment
        The findings ``collapse.c2st``, ``.tails``, ``.diversity``, ``.utility``, ``.marginals`` and ``.share``.

    Raises
    ------
    UserError
        If there are fewer than 40 rows, a name or share is unknown, or the data cannot be read.

    Notes
    -----
    Shumailov et al. (Nature 631, 2024) and Alemohammad et al. (ICLR 2024) describe the loss under replacement,
    Gerstgrasser et al. (COLM 2024) that it stays bounded where real rows are kept, Kazdan et al. (2024) the fixed
    budget in between.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> rng = np.random.default_rng(0)
    >>> height = rng.normal(1.7, 0.1, 160).round(2)
    >>> frame = pl.DataFrame({"height": height, "weight": (30 * height + rng.normal(20, 5, 160)).round(1)})
    >>> found = collapse(frame, generations=2, regimes=("replace",), real_shares=(), repeats=2, effort="quick")
    >>> found["collapse.c2st"].reason
    'Not answered, because there are only 80 real rows, and it takes 100.'
    >>> found["collapse.marginals"].value < 0.05
    True
    """
    from verisyn.data import read
    from verisyn.description import resolve_schema
    from verisyn.errors import UserError, whole_number
    from verisyn.generations.chain import Recipe
    from verisyn.generations.experiment import Experiment
    from verisyn.generations.plan import scale_of, tracks
    from verisyn.progress import Progress

    scale, progress = scale_of(effort), progress or Progress()
    whole_number("generations", generations, 2)
    whole_number("seed", seed, 0)
    repeats = whole_number("repeats", scale.repeats if repeats is None else repeats, 2)
    rows = scale.rows if rows is None else whole_number("rows", rows, LEAST_ROWS // 2)
    tried = tracks(regimes, scale.shares if real_shares is None else real_shares)
    dataset = read(data, seed=seed)
    if dataset.frame.height < LEAST_ROWS:
        raise UserError(f"There are {dataset.frame.height} rows; at least {LEAST_ROWS} are needed, half of them to "
                        "learn from and half to judge by.")
    described = resolve_schema(schema, dataset, target=target, progress=progress)
    recipe = Recipe(described, generator, settings, rows, generations, effort, jobs)
    return Experiment(dataset, recipe, tried, repeats, seed).run(checkpoint, progress)
