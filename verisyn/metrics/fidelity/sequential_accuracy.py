"""How accurate a row and the next are together: 1 - total variation on ten bins, by mostlyai-qa's public definition.

Of each column, what a row holds together with what the next row of the same history holds, all consecutive rows in the
place of a pair drawn of each history; bins and accuracy are those of ``fidelity.accuracy``: at most ten of each column,
cut by all real rows, training and holdout together. The value is the mean over columns (the public definition calls it
coherence); in the details stand the accuracy of columns alone and of pairs of columns in one row, and the mean of the
three, which is what is published of sequential data. The interval is a delete-a-block jackknife over the histories
of both sides; the ceiling is the accuracy of training histories in the place of the synthetic ones, against
the holdout.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import apart, block_tables, chosen, compared, judged_gap, likeness, plain, rule_of_gap
from verisyn.metrics._tables import overlaps
from verisyn.metrics.fidelity.accuracy import binned
from verisyn.modalities.table._views import Coarse

title = "How accurate are a row and the next, by the public yardstick?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 6
references = ("https://github.com/mostly-ai/mostlyai-qa", "https://arxiv.org/abs/2501.12012")
GOOD, FAIR = 0.02, 0.06
"""Below what real histories reach, as for the accuracy of columns and pairs."""
rule = rule_of_gap(GOOD, FAIR)
_PAIRS, _LEAST = 200, 100


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare the synthetic histories' consecutive rows with those of real ones."""
    fake, real = compared(sides)
    held = sides.train.frame.columns
    names = [name for name in (sides.train.features[c].name for c in chosen(sides)) if name in held]
    if not names or min(len(apart(side.starts, 1)) for side in (fake, real)) < _LEAST:
        raise NotAnswered(f"it takes {_LEAST} rows that follow another, and a column that changes")
    sorts = (fake, sides.train, real)
    coded = binned([side.frame for side in sorts], names)
    tables = [_tables(side, coarse) for side, coarse in zip(sorts, coded, strict=True)]
    each, reals = (np.array([overlaps(a, b) for a, b in zip(tables[i], tables[2], strict=True)]) for i in (0, 1))
    if not sides.pictured:
        return plain(each)
    told = likeness(each, [*map(repr, names)], reals, "accuracy of a row and the next")
    alone = np.mean([_together(coded, (i,)) for i in range(len(names))])
    sets = [*combinations(range(len(names)), 2)]
    drawn = [sets[i] for i in rng.permutation(len(sets))[:_PAIRS]]
    pairs = float(np.mean([_together(coded, pair) for pair in drawn])) if drawn else float(alone)
    return Measure(told.value, told.interval, {
        **told.details, "univariate": round(float(alone), 6), "bivariate": round(pairs, 6),
        "coherence": round(told.value, 6), "mean_of_the_three": round((float(alone) + pairs + told.value) / 3, 6)})


def _tables(side: Histories, coarse: Coarse) -> list[np.ndarray]:
    """Counts of each column's bins in a row and the next, in blocks of histories."""
    rows = apart(side.starts, 1)
    return [block_tables(side, rows, code[rows] * size + code[rows + 1], size**2)
            for code, size in zip(coarse.values.T.astype(np.int64), coarse.sizes, strict=True)]


def _together(coded: list[Coarse], columns: tuple[int, ...]) -> float:
    """The accuracy of columns in one row."""
    shares = []
    for coarse in (coded[0], coded[2]):
        cells = np.zeros(len(coarse.values), np.int64)
        for i in columns:
            cells = cells * coarse.sizes[i] + coarse.values[:, i]
        size = int(np.prod([coarse.sizes[i] for i in columns]))
        shares.append(np.bincount(cells, minlength=size) / max(len(cells), 1))
    return 1 - float(np.abs(shares[0] - shares[1]).sum()) / 2


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real histories."""
    said = f"By the public yardstick a row and the next are accurate to {measure.value:.1%}"
    return judged_gap(measure, floor, ceiling, said, (GOOD, FAIR))
