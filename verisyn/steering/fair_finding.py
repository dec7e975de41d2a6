"""Whether models trained on fair rows are fairer on real ones, and at what cost."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from verisyn.findings import Finding, NotAnswered, Verdict
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table
from verisyn.steering._fair_trial import BOOSTED, LINEAR, RULES
from verisyn.steering._fair_trials import FAIR, PLAIN, REAL, Tables, Trials
from verisyn.steering.fair import Fair

__all__ = ["Tables", "fairness_finding"]

NAME = "steering.fair"
TITLE = "Are models trained on these rows fairer, and at what cost?"
CUT, COST = 0.8, 0.02
RULE = (f"good: the gap is cut by {CUT:.0%} or more, for {100 * COST:.0f} points of AUC or less; poor: no cut is "
        "measured, for its interval reaches 0; fair: otherwise")
REFERENCES = ("https://arxiv.org/abs/2006.07286", "https://arxiv.org/abs/1907.12059", "https://arxiv.org/abs/1610.02413")
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_SURE = 0.05


def fairness_finding(tables: Tables, table: Table, wish: Fair | Mapping[str, Any], *, coder: TableCoder | None = None,
                     seed: int = 0, rows: int = 20_000) -> Finding:
    """Train models on real, on plain synthetic and on fair synthetic rows, and test all on unseen real rows.

    Boosted and logistic models, that see the sensitive columns and that do not, learn the outcome from equally many
    rows of each table. They decide about the holdout rows by the usual threshold (a chance above a half), and by saying
    yes to as large a share as has the outcome among the training rows. The gap is the widest difference between two
    groups' shares of yes: of all rows for demographic parity, of those that have the outcome for equal opportunity. A
    group has at least 30 holdout rows (20 that have the outcome). The cut is 1 less the gap after over the gap before,
    both summed over the two rules; the value is that of the boosted models that the wish was made for. The cost is in
    AUC against the real outcomes, which are no fairer than they were. Intervals hold the holdout rows, drawn again
    within groups 400 times, and what else could have been learnt, by how much models of two halves of the rows differ.

    Parameters
    ----------
    tables : Tables
    table : Table
        What the columns are.
    wish : Fair or mapping
        That by which the fair rows were drawn; see :class:`verisyn.steering.fair.Fair`.
    coder : TableCoder, optional
        Learnt on the training rows; learnt afresh where it is not given.
    seed : int, default 0
    rows : int, default 20_000
        That each model learns from, at most.

    Returns
    -------
    Finding
        Its verdict is "not answered" where models of plain rows have no gap beyond chance, or rows are too few.

    References
    ----------
    Chzhen et al. 2020; Jiang et al. 2020; Hardt, Price and Srebro 2016.
    """
    coder = coder or TableCoder.learn(tables.train, table, np.random.SeedSequence(seed))
    if not isinstance(wish, Fair):
        wish = Fair.read({key: value for key, value in wish.items() if key != "population"}, coder)
    fair = wish
    said: dict[str, Any] = {
        "definition": inspect.cleandoc(fairness_finding.__doc__ or "").split("Parameters")[0].strip(),
        "references": REFERENCES}
    try:
        trials = Trials.of(fair, tables, coder, seed, rows)
        _refuse_without_gap(fair, trials)
    except NotAnswered as e:
        return Finding(NAME, TITLE, "not answered", f"Not answered, because {e}.", RULE, **said)
    cut, (low, high) = trials.cut(BOOSTED, fair.aware)
    cost, _ = trials.cost(BOOSTED, fair.aware)
    verdict: Verdict = "poor" if low <= 0 else "good" if cut >= CUT and cost <= COST else "fair"
    return Finding(NAME, TITLE, verdict, _reason(fair, trials), RULE, round(cut, 6), (round(low, 6), round(high, 6)),
                   details=_details(fair, trials), best=1.0, worst=0.0, **said)


def _refuse_without_gap(fair: Fair, trials: Trials) -> None:
    """Raise where chance alone explains the gap that there was to cut (χ² of the groups' decisions)."""
    from scipy.stats import chi2_contingency

    p = []
    for plain in trials.each(BOOSTED, fair.aware, PLAIN):
        for decision in plain.judge.decisions(plain.score):
            counts = np.array([[decision[m].sum(), (1 - decision[m]).sum()] for m in plain.judge.members])
            p += [float(chi2_contingency(counts).pvalue)] if (counts.sum(axis=0) > 0).all() else [1.0]
    if min(p) * len(p) > _SURE:
        gap = trials.gap(BOOSTED, fair.aware, PLAIN)
        raise NotAnswered("models trained on plain synthetic rows have no gap to cut: on the unseen real rows it is "
                          f"{100 * gap[0]:.1f} points at the usual threshold, no more than chance gives")


def _reason(fair: Fair, trials: Trials) -> str:
    before, after = (100 * trials.gap(BOOSTED, fair.aware, who) for who in (PLAIN, FAIR))
    aucs = [trials.auc(BOOSTED, fair.aware, who) for who in (PLAIN, FAIR)]
    cost, (least, most) = trials.cost(BOOSTED, fair.aware)
    of = "yes" if fair.criterion == "demographic_parity" else "yes to those who have the outcome"
    return (f"On unseen real rows the gap in {of} between groups of {_names(fair)} is cut by "
            f"{_percent(*trials.cut(BOOSTED, fair.aware))} in models that {_sees(fair, fair.aware)}. Trained on plain "
            f"synthetic rows it is {before[0]:.1f} points at the usual threshold and {before[1]:.1f} where all models "
            f"say yes equally often; trained on fair ones, {after[0]:.1f} and {after[1]:.1f}. That costs "
            f"{100 * cost:.1f} points of AUC [{100 * least:.1f} to {100 * most:.1f}], from {aucs[0]:.3f} to "
            f"{aucs[1]:.3f}. In models that {_sees(fair, not fair.aware)} the gap is cut by "
            f"{_percent(*trials.cut(BOOSTED, not fair.aware))}.")


def _names(fair: Fair) -> str:
    return ", ".join(map(repr, fair.sensitive))


def _sees(fair: Fair, sees: bool) -> str:
    return f"{'see' if sees else 'do not see'} {_names(fair)}"


def _percent(cut: float, interval: tuple[float, float]) -> str:
    return f"{cut:.0%} [{interval[0]:.0%} to {interval[1]:.0%}]"


def _details(fair: Fair, trials: Trials) -> dict[str, Any]:
    items, models, cuts = [], [], []
    for kind, sees in ((k, s) for k in (BOOSTED, LINEAR) for s in (fair.aware, not fair.aware)):
        who = f"{kind} models that {_sees(fair, sees)}"
        items += _dots(who, kind, sees, trials)
        models += [{"models": who, "trained_on": on, **_told(trials, kind, sees, on)} for on in (REAL, PLAIN, FAIR)]
        (cut, (low, high)), (cost, (least, most)) = trials.cut(kind, sees), trials.cost(kind, sees)
        cuts.append({"models": who, "cut": round(cut, 4), "cut_low": round(low, 4), "cut_high": round(high, 4),
                     "AUC_cost": round(cost, 4), "cost_low": round(least, 4), "cost_high": round(most, 4)})
    say = {"value": "gap of models trained on fair rows", "reference": "gap of models trained on plain synthetic rows",
           "lead": "The models that the wish was made for come first."}
    judge = trials.each(BOOSTED, fair.aware, FAIR)[0].judge
    chance = judge.by_chance(judge.share, np.random.default_rng([trials.seed, 0xC8A]))
    return {"criterion": fair.criterion.replace("_", " "), "rows_learnt_from": trials.rows,
            "test_rows": len(judge.table.y), "gap_that_chance_alone_gives": round(chance, 6), "items": items,
            "items_say": say, "lines": [_line(fair, trials)], "cuts": cuts, "models": models,
            "outcome_by_group": trials.shares}


def _dots(who: str, kind: str, sees: bool, trials: Trials) -> list[dict[str, Any]]:
    rng = np.random.default_rng([trials.seed, 0xD07])
    again = np.mean([t.gaps_again(trials.unsteady(kind), rng) for t in trials.each(kind, sees, FAIR)], axis=0)
    before, now = (trials.gap(kind, sees, on) for on in (PLAIN, FAIR))
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    return [{"name": f"{who}, {rule}", "value": round(float(now[i]), 6), "reference": round(float(before[i]), 6),
             "interval": [round(float(min(low[i], now[i])), 6), round(float(max(high[i], now[i])), 6)], "note": ""}
            for i, rule in enumerate(RULES)]


def _told(trials: Trials, kind: str, sees: bool, on: str) -> dict[str, float]:
    gap, accuracy = trials.gap(kind, sees, on), np.mean([t.accuracy for t in trials.each(kind, sees, on)])
    return {"gap_at_usual_threshold": round(float(gap[0]), 6), "gap_at_equal_share": round(float(gap[1]), 6),
            "AUC": round(trials.auc(kind, sees, on), 6), "accuracy": round(float(accuracy), 6)}


def _line(fair: Fair, trials: Trials) -> dict[str, Any]:
    """The gap at every share of yes, of the models that the wish was made for."""
    series = []
    for on in (REAL, PLAIN, FAIR):
        points = []
        for share in _SHARES:
            each = [t.gap_at(share) for t in trials.each(BOOSTED, fair.aware, on)]
            gap, low, high = (float(x) for x in np.mean(each, axis=0))
            points.append({"x": share, "y": round(gap, 6), "low": round(min(low, gap), 6),
                           "high": round(max(high, gap), 6)})
        series.append({"name": f"trained on {on}", "points": points})
    return {"title": "The gap between groups, by the share of rows that get a yes", "x": "share of yes", "y": "gap",
            "series": series}
