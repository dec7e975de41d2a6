"""Which kinds of record an attack finds most easily: groups by one or two conditions, described without any record.

A condition is a level, a band with round edges, or that a value is missing; a kind is one condition or two. Within
each kind the attack tells members from strangers of the same kind. Kinds are ranked by how far their AUC lies above
that of the attack on all rows, in units of its error by chance (the rank-sum test's), at a false discovery rate of 5 %
over all kinds there could be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import norm

from verisyn.metrics import Side, Sides
from verisyn.metrics._attack import Attack, attack
from verisyn.metrics._groups import groups_of
from verisyn.metrics._stats import adjusted, auc

FEWEST = 10
"""Members, and strangers, of a kind; a kind of fewer rows could describe a single person."""
SHOWN = 10
_BANDS, _LEVELS, _PAIRED, _ALIKE = 5, 10, 120, 0.5
_FALSE = 0.05
_NONE = "No kind of record is more exposed than the rest."
_SURE, _CHANCE = "more exposed than the rest", "no more than chance gives one of so many kinds"


def most_exposed(sides: Sides, poor: float) -> dict[str, Any]:
    """Return the kinds of record that the membership attack finds most easily.

    Parameters
    ----------
    poor : float
        The AUC beyond which a kind is exposed, whatever the rest is.

    Returns
    -------
    dict
        `exposed`: at most ten of {kind, rows, strangers, auc, interval, note}, the most surely exposed first, where
        `rows` are the training rows attacked; `_exposed_say`: one sentence; `possible_kinds`: how many there could be;
        `auc_on_all_rows`: the AUC on all rows; `_kinds_p`: the chance of so exposed a kind if none lay above `poor`.
    """
    made = attack(sides)
    score = made.ratio + 1e-9 * sides.rng("kinds of record").random(len(made.ratio))  # ties fall at random
    overall = auc(made.truth, made.ratio).value
    border = max(0.5, overall)
    names, of, flags = _conditions(sides.train, made)
    if not names:
        return {"exposed": [], "_exposed_say": "No kinds of record can be named.", "possible_kinds": 0,
                "auc_on_all_rows": round(overall, 6), "_kinds_p": 1.0}
    kinds, values, counts = _kinds(of, flags, made.truth, score, border)
    error = _error(counts)
    possible = len(names) + sum(int((of[:i] != of[i]).sum()) for i in range(len(of)))
    beyond, far = (_of_all(norm.sf((values - limit) / error), possible) for limit in (border, poor))
    order = np.argsort((border - values) / error, kind="stable")
    told = [_told(kinds[i], beyond[i], names, flags, made) for i in order[_unlike([kinds[i] for i in order], flags)]]
    sure = [f"{t['kind']} (AUC {t['auc']:.2f})" for t in told if t["note"] == _SURE]
    say = f"More exposed than the rest: {', '.join(sure[:3])}." if sure else _NONE
    return {"exposed": told, "_exposed_say": say, "possible_kinds": possible, "auc_on_all_rows": round(overall, 6),
            "_kinds_p": float(far.min())}


def _error(counts: np.ndarray) -> np.ndarray:
    """Standard error of the AUC of each kind by chance alone, from its numbers of members and strangers."""
    return np.sqrt((counts.sum(axis=1) + 1) / (12 * counts.prod(axis=1)))


def _conditions(train: Side, made: Attack) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of all conditions, the column of each, and which members and strangers meet it, bool (rows, conditions)."""
    names, of, flags = [], [], []
    columns = {f.name: f for f in train.features}
    for i, (inside, outside) in enumerate(zip(made.members.features, made.strangers.features, strict=True)):
        groups = groups_of(columns[inside.name], least=FEWEST, bands=_BANDS, levels=_LEVELS)
        if len(groups.names) < 2:
            continue
        code = np.concatenate([groups.of(inside), groups.of(outside)])
        for g, name in enumerate(groups.names):
            met = code == g
            if min(met[made.truth].sum(), met[~made.truth].sum()) >= FEWEST:
                names.append(name)
                of.append(i)
                flags.append(met)
    return names, np.array(of, int), np.array(flags, bool).T.reshape(len(made.truth), len(names))


def _kinds(of: np.ndarray, flags: np.ndarray, truth: np.ndarray, score: np.ndarray, border: float
           ) -> tuple[list[tuple[int, ...]], np.ndarray, np.ndarray]:
    """All single conditions, and pairs of the most exposed: each with its AUC and counts of members and strangers."""
    order = np.argsort(score, kind="stable")
    met, member = flags[order], truth[order]
    values, counts = _within(met, member)
    kinds: list[tuple[int, ...]] = [(i,) for i in range(len(of))]
    paired = np.sort(np.argsort((border - values) / _error(counts), kind="stable")[:_PAIRED])
    found, held = [values], [counts]
    for at, a in enumerate(paired):
        others = paired[at + 1:][of[paired[at + 1:]] != of[a]]
        rows = met[:, a]
        inner, inner_counts = _within(met[rows][:, others], member[rows])
        enough = inner_counts.min(axis=1) >= FEWEST
        kinds += [(int(a), int(b)) for b in others[enough]]
        found.append(inner[enough])
        held.append(inner_counts[enough])
    return kinds, np.concatenate(found), np.vstack(held)


def _within(met: np.ndarray, member: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The AUC within each column of `met` (rows in ascending order of score), and counts of members and strangers."""
    inside, outside = met & member[:, None], met & ~member[:, None]
    below = np.cumsum(outside, axis=0, dtype=np.int32)
    counts = np.column_stack([inside.sum(axis=0), outside.sum(axis=0)])
    return (below * inside).sum(axis=0, dtype=np.int64) / np.maximum(1, counts.prod(axis=1)), counts


def _of_all(p: np.ndarray, possible: int) -> np.ndarray:
    """Adjust p-values as if all kinds there could be had been tried, those left out in vain."""
    return adjusted(np.concatenate([p, np.ones(max(0, possible - len(p)))]))[:len(p)]


def _unlike(kinds: Sequence[tuple[int, ...]], flags: np.ndarray) -> list[int]:
    """Return the first ten kinds of which no two share more than half of their rows."""
    shown: list[int] = []
    rows: list[np.ndarray] = []
    for i, kind in enumerate(kinds):
        here = np.asarray(flags[:, list(kind)].all(axis=1))
        if all((here & other).sum() <= _ALIKE * (here | other).sum() for other in rows):
            shown.append(i)
            rows.append(here)
            if len(shown) == SHOWN:
                break
    return shown


def _told(kind: tuple[int, ...], p: float, names: list[str], flags: np.ndarray, made: Attack) -> dict[str, Any]:
    here = np.asarray(flags[:, list(kind)].all(axis=1))
    found = auc(made.truth[here], made.ratio[here])
    return {"kind": " and ".join(names[c] for c in kind), "rows": int((here & made.truth).sum()),
            "strangers": int((here & ~made.truth).sum()), "auc": round(found.value, 6),
            "interval": [round(x, 6) for x in found.interval()], "note": _SURE if p <= _FALSE else _CHANCE}
