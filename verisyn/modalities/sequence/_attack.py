"""What a model file tells of the entities that it was learnt from: the likelihood attack, entity by entity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from verisyn.data import Dataset
from verisyn.findings import Finding, Measure
from verisyn.memory import NAME, not_answered
from verisyn.modalities.sequence._model import SequenceModel
from verisyn.modalities.sequence._split import LEAST, split

TITLE = "Can whoever holds the model file tell whose histories were learnt from?"
LEAST_ENTITIES = 20
"""Members, and strangers, that a measurement takes."""
_MOST = 2_000
_HALF = 0x3E40


def audit(model: SequenceModel, train: Dataset, unseen: Dataset | None, asked: bool | None,
          learnt: Callable[[Dataset, int], SequenceModel]) -> Finding | None:
    """Attack a model with its own likelihood: an entity counts as learnt from where the model finds its rows likely.

    Parameters
    ----------
    train, unseen : Dataset
        Entities that were learnt from, and entities that were not; without these a second model is learnt from half
        the entities, where that is `asked` for.
    asked : bool, optional
        None for "where it takes no second fit".
    learnt : callable
        Learns a second model from a data set, with a seed.

    Notes
    -----
    The loss attack of Yeom, Giacomelli, Fredrikson and Jha (CSF 2018) on whole histories: the score is the mean
    log-probability of an entity's rows.
    """
    if asked is False or (asked is None and unseen is None):
        return None
    if unseen is not None:
        return _attacked(model, train, unseen)
    half, others = split(train, model.schema, 0.5, _HALF)
    if others is None or model.entities < 2 * LEAST_ENTITIES:
        return _few(model.entities // 2)
    found = _attacked(learnt(half, model.info.seed), half, others)
    return replace(found, reason=f"{found.reason} This was measured on a second model of the same settings, learnt "
                                 "from half the entities; one learnt from more tends to tell less of each.")


def _attacked(model: SequenceModel, train: Dataset, unseen: Dataset) -> Finding:
    members, strangers = (model.layout.part(d.frame) for d in (train, unseen))
    if min(members.entities.count, strangers.entities.count) < LEAST_ENTITIES or members.entities.count < LEAST:
        return _few(min(members.entities.count, strangers.entities.count))
    rng = np.random.default_rng(np.random.SeedSequence([model.info.seed, _HALF]))
    scores = []
    for parts in (members, strangers):
        some = np.sort(rng.permutation(parts.entities.count)[:_MOST])
        rows = parts.rows.take(some)
        score = model.fitted.log_prob(parts.entities.take(some), rows)
        if score is None:
            return _named(not_answered("this generator knows no likelihood, so there is none to attack it with"))
        scores.append(score / np.maximum(rows.counts, 1))
    from verisyn.metrics._attack import rates
    from verisyn.metrics._stats import auc
    from verisyn.metrics.privacy import membership

    both = np.concatenate(scores)
    truth = np.arange(len(both)) < len(scores[0])
    found, caught = auc(truth, both), rates(truth, both)
    low, high = found.interval()
    measure = Measure(round(found.value, 6), (round(low, 6), round(high, 6)), caught)
    verdict, reason, _ = membership.judge(measure, None, None)
    details = {"members": len(scores[0]), "strangers": len(scores[1]), "learnt_from": model.entities, **caught}
    return Finding(NAME, TITLE, verdict, reason, membership.rule, measure.value, measure.interval,
                   details={key: value for key, value in details.items() if not key.startswith("_")})


def _few(entities: int) -> Finding:
    return _named(not_answered(f"it takes {LEAST_ENTITIES} entities that were learnt from and as many that were not, "
                               f"and there are {entities}"))


def _named(finding: Finding) -> Finding:
    return replace(finding, title=TITLE)
