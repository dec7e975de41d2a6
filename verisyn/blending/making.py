"""From what was given to a blend: measure the gaps, find the proportion, put the rows together, say what was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verisyn.blending.gap import Gap, gap_of
from verisyn.blending.mixture import SOME, Mixture, mixed, native, shares
from verisyn.blending.plan import Plan
from verisyn.blending.result import Blend
from verisyn.blending.search import Bench, searched
from verisyn.blending.seen import Seen
from verisyn.blending.setting import set_up
from verisyn.blending.sources import Given, Stock
from verisyn.blending.taking import NONE, Mix, Taken, mixes_of, taken, weights_of
from verisyn.blending.told import gap_finding, mixture_finding, weights_finding
from verisyn.blending.verdict import Found, proportion_finding
from verisyn.findings import Assessment
from verisyn.metrics import Effort
from verisyn.metrics._models import affordable
from verisyn.progress import Progress


def made(stock: Stock, given: Given, tried: Sequence[float], fixed: bool, effort: Effort, progress: Progress) -> Blend:
    """Measure, find, mix and tell; see :func:`verisyn.blending.blend`."""
    import sklearn.ensemble  # noqa: F401  (only threads of libraries that are loaded can be limited)
    from threadpoolctl import threadpool_limits

    # One thread: the same figures on every machine, and no CPU burnt by threads that wait for each other.
    with threadpool_limits(1):
        return _made(stock, given, tried, fixed, effort, progress)


def _made(stock: Stock, given: Given, tried: Sequence[float], fixed: bool, effort: Effort, progress: Progress) -> Blend:
    seen = Seen.of(stock.real, stock.table, given.target, given.seed)
    bench, plan = set_up(stock, seen, given, effort)
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
    found = Found(search, chosen, fixed, bench.criterion.name, tuple(stock.parts[i].name for i in leaky),
                  bench.rows)
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


def _drawn(bench: Bench, stock: Stock, chosen: Mix) -> list[Taken]:
    """Take the rows of the mix that was chosen, by weights that are learnt from all real rows."""
    if chosen == NONE:
        return []
    rng, seen = np.random.default_rng([bench.seed, 0xB1E4D, 1]), bench.seen
    real = seen.real.some(affordable(len(seen.kept)), rng)
    weights = [weights_of(seen, real, seen.side(part.frame), part, rng) for part in stock.parts]
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
