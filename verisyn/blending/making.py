"""From what was given to a blend: measure the gaps, find the proportion, put the rows together, say what was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from verisyn.blending.criteria import Criterion, Prediction
from verisyn.blending.gap import Gap, gap_of
from verisyn.blending.likelihood import Likelihood
from verisyn.blending.mixture import SOME, Mixture, mixed, native, shares
from verisyn.blending.plan import Plan, nested, validated
from verisyn.blending.result import Blend
from verisyn.blending.search import Bench, searched
from verisyn.blending.seen import Seen
from verisyn.blending.sources import LEAST, Given, Part, Stock
from verisyn.blending.taking import NONE, Mix, Taken, mixes_of, taken, weights_of
from verisyn.blending.told import gap_finding, mixture_finding, weights_finding
from verisyn.blending.verdict import Found, proportion_finding
from verisyn.errors import UserError
from verisyn.findings import Assessment
from verisyn.metrics import Effort, Side
from verisyn.metrics._models import affordable
from verisyn.progress import Progress

_REPEATS = {"quick": ((0, 1),), "standard": ((600, 3), (2_500, 2), (0, 1)), "thorough": ((600, 10), (2_500, 6), (0, 3))}
"""Up to so many rows (0: any number), so many repetitions of the folds."""
_FOLDS = {"quick": 4, "standard": 5, "thorough": 5}
_LIKELIHOOD = 0.4
"""The share of rows that is affordable where a whole generator is fitted for each score."""


def made(stock: Stock, given: Given, tried: Sequence[float], fixed: bool, effort: Effort, progress: Progress) -> Blend:
    """Measure, find, mix and tell; see :func:`verisyn.blending.blend`."""
    import sklearn.ensemble  # noqa: F401  (only threads of libraries that are loaded can be limited)
    from threadpoolctl import threadpool_limits

    # One thread: the same figures on every machine, and no CPU burnt by threads that wait for each other.
    with threadpool_limits(1):
        return _made(stock, given, tried, fixed, effort, progress)


def _made(stock: Stock, given: Given, tried: Sequence[float], fixed: bool, effort: Effort, progress: Progress) -> Blend:
    seen = Seen.of(stock.real, stock.table, given.target, given.seed)
    bench = _bench(stock, seen, given)
    plan, rows = _plan(stock, bench.criterion, given, tried, effort)
    gaps = _gaps(stock, seen, effort, given.seed, progress)
    mixes = _mixes(len(stock.parts), tried, fixed)
    leaky = [i for i, p in enumerate(stock.parts) if p.source.kind == "synthetic" and not p.recipe]
    leaky = [] if stock.validation is not None else leaky
    sound = np.array([not set(leaky) & set(m.sources) for m in mixes])
    with progress.stage("find the proportion", total=len(plan.learn)) as tick:
        search = searched(bench, plan, mixes, sound, tick)
    if fixed:
        search = search.of_one(1)
    chosen = mixes[1] if fixed else mixes[search.best] if search.nested.sure else NONE
    found = Found(search, chosen, fixed, bench.criterion.name, tuple(stock.parts[i].name for i in leaky), rows)
    drawn = _drawn(bench, stock, chosen)
    mixture = mixed(stock, drawn)
    findings = (gap_finding(gaps), weights_finding(gaps), proportion_finding(found, stock.parts),
                mixture_finding(mixture))
    notes = [*stock.notes, *_notes(found, stock, plan, given)]
    _say(notes, found, mixture, progress)
    about = {"source": stock.data.name, "target": given.target, "effort": effort.name, "seed": given.seed,
             "proportion": chosen.proportion, "rows": {s.name: s.rows for s in mixture.provenance.sources},
             "provenance": mixture.provenance.to_dict(), "notes": notes}
    return Blend(native(mixture.frame, stock.data.origin), mixture.weights, chosen.proportion,
                 shares(stock.parts, drawn, stock.real.height), Assessment(findings, about), mixture.provenance,
                 mixture.frame, stock.data)


def _gaps(stock: Stock, seen: Seen, effort: Effort, seed: int, progress: Progress) -> list[Gap]:
    most, found = min(effort.rows, affordable(len(seen.kept), effort.learnt)), []
    with progress.stage("measure the gap", total=len(stock.parts)) as tick:
        for i, part in enumerate(stock.parts):
            found.append(gap_of(part, seen, most, np.random.default_rng([seed, i, 0x6A9])))
            tick(1)
    return found


def _mixes(parts: int, tried: Sequence[float], fixed: bool) -> tuple[Mix, ...]:
    """All of one proportion that was given are taken together; else each source alone is tried too."""
    return (NONE, Mix(tuple(range(parts)), tried[-1])) if fixed else mixes_of(parts, tried)


def _bench(stock: Stock, seen: Seen, given: Given) -> Bench:
    whole = stock.real if stock.validation is None else pl.concat([stock.real, stock.validation])
    tested = seen.side(whole)
    criterion: Criterion = (Likelihood(seen, tested, given.jobs or 1) if given.target is None
                            else Prediction(seen, given.target, tested))
    columns = list(seen.coder.columns)

    def refit(part: Part, learn: np.ndarray) -> Side:
        assert part.recipe is not None
        rows = max(1, round(max(1.0, given.most) * len(learn)))
        made = part.recipe.learn(stock.real[learn]).sample_frame(rows, seed=given.seed, jobs=given.jobs,
                                                                 progress=Progress())
        return seen.side(made.select(columns))

    return Bench(seen, criterion, tested, stock.parts, [seen.side(p.frame) for p in stock.parts], refit, given.seed)


def _plan(stock: Stock, criterion: Criterion, given: Given, tried: Sequence[float], effort: Effort) -> tuple[Plan, int]:
    """Return the folds, and how many real rows they use."""
    rng, real = np.random.default_rng([given.seed, 0xF01D]), stock.real.height
    if stock.validation is not None:
        strata = criterion.strata[real:]
        rows = real + np.flatnonzero(strata >= 0)
        folds = _folds_of(criterion, strata[strata >= 0])
        plan = validated(strata[strata >= 0], real, folds, rng)
        return plan.among(np.concatenate([np.arange(real), rows])), real
    usable = np.flatnonzero(criterion.strata >= 0)
    if len(usable) < LEAST:
        raise UserError(f"Only {len(usable)} real rows have a value of the target {given.target!r}; it takes at least "
                        f"{LEAST}. Give more, or name another target.")
    share = _LIKELIHOOD if given.target is None else 1.0
    most = max(500, round(share * affordable(stock.real.width, effort.learnt) / (1 + max(tried))))
    usable = np.sort(rng.permutation(usable)[:most])
    repeats = next(n for rows, n in _REPEATS[effort.name] if len(usable) <= rows or not rows)
    return nested(criterion.strata[usable], _FOLDS[effort.name], repeats, rng).among(usable), len(usable)


def _folds_of(criterion: Criterion, strata: np.ndarray) -> int:
    """Return into how many folds the validation rows go: each is to hold each class that is asked for."""
    asked = criterion.task.asked if isinstance(criterion, Prediction) and criterion.task.classes else ()
    classes = (0, 1) if len(asked) == 1 else asked
    fewest = min([int((strata == c).sum()) for c in classes] or [len(strata)])
    if fewest < 2 or len(strata) < LEAST:
        raise UserError(f"The validation rows hold too little to test on: {len(strata)} rows with a target, the rarest "
                        f"class {fewest} times. Give at least {LEAST} rows that hold every class twice, or none.")
    return min(10, fewest)


def _drawn(bench: Bench, stock: Stock, chosen: Mix) -> list[Taken]:
    """Take the rows of the mix that was chosen, by weights that are learnt from all real rows."""
    if chosen == NONE:
        return []
    rng = np.random.default_rng([bench.seed, 0xB1E4D, 1])
    real = bench.seen.real.some(affordable(len(bench.seen.kept)), rng)
    weights = [weights_of(bench.seen, real, side, part, rng)
               for part, side in zip(bench.parts, bench.sides, strict=True)]
    return taken(chosen, weights, stock.real.height, rng.integers(0, 2**32, len(weights)).tolist())


def _notes(found: Found, stock: Stock, plan: Plan, given: Given) -> list[str]:
    notes = []
    if given.target is None:
        notes.append("No target was named: proportions were judged by how likely unseen real rows are to a generator "
                     "learnt from the blend. Name a target (--target) where models shall predict one.")
    if plan.refit and any(p.recipe for p in stock.parts):
        notes.append(f"The generator was fitted {len(plan.learn)} times, each time without the rows that then tested "
                     "what it made.")
    if found.rows < stock.real.height:
        notes.append(f"The proportion was found on {found.rows:,} of {stock.real.height:,} real rows; with more real "
                     "rows, added ones are worth less.")
    return notes


def _say(notes: Sequence[str], found: Found, mixture: Mixture, progress: Progress) -> None:
    """Hand on what is to be said; what makes a figure too good, or a blend dangerous, is an alarm."""
    for note in notes:
        progress.note(note)
    if found.inflated:
        progress.note(found.inflated, alarm=True)
    share = mixture.provenance.synthetic_share
    if share > SOME:
        progress.note(f"{share:.0%} of the blend is synthetic. What is learnt from it is mostly what a generator "
                      "believes; a policy may refuse it.", alarm=True)
