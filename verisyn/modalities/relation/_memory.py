"""What a model of a database tells of the subjects that it was learnt from: the likelihood attack by subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from verisyn import memory
from verisyn._runs import starts_of
from verisyn.findings import Finding
from verisyn.frames import some
from verisyn.linking.pointing import pointed
from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._growing import Growing
from verisyn.modalities.relation._learn import Learnt
from verisyn.modalities.relation._rows import Rows
from verisyn.modalities.relation._training import Training
from verisyn.modalities.sequence._history import Rows as Histories

MOST_SUBJECTS = 5_000


def attacked(learnt: Learnt, training: Training, subject: str, unseen: Mapping[str, pl.DataFrame], seed: int
             ) -> Finding:
    """Attack a model with its own likelihood: a subject counts as learnt from where the model finds its rows likely.

    The score is the mean log-probability of a row, over the subject's own and all that belong to it, as in
    :func:`verisyn.memory.attacked`.
    """
    sides = {"subjects learnt from": training.frames, "subjects that the model never saw": unseen}
    for what, frames in sides.items():
        if (rows := frames[subject].height) < memory.LEAST_ROWS:
            return memory.not_answered(f"there are only {rows:,} {what}, and it takes {memory.LEAST_ROWS}")
    from verisyn.metrics.privacy import membership

    asking = _Asking(learnt, training, subject)
    rngs = map(np.random.default_rng, np.random.SeedSequence([seed, 0x3E40]).spawn(2))
    scores = [asking.log_prob(frames, rng) for frames, rng in zip(sides.values(), rngs, strict=True)]
    measure = memory._measured(*scores)
    verdict, reason, _ = membership.judge(measure, None, None)
    details = {"members": len(scores[0]), "strangers": len(scores[1]), "subject": subject,
               **{k: v for k, v in measure.details.items() if not k.startswith("_")}}
    found = Finding(memory.NAME, memory.TITLE, verdict, reason, membership.rule, measure.value, measure.interval,
                    details=details)
    return replace(found, reason=f"{found.reason} A member here is a row of {subject!r} with all that belongs to it.")


class _Asking:
    """Asks a model for the likelihood of real subjects."""

    def __init__(self, learnt: Learnt, training: Training, subject: str):
        self.learnt, self.training, self.subject = learnt, training, subject
        self.structure = learnt.structure
        held = {t.name: training.rows(t.name) for t in training.structure.schema.tables}
        self.growing = Growing(learnt, self.structure, 1, Rows(self.structure, held))
        self.tree = [subject, *self.growing.under(subject)]

    def log_prob(self, frames: Mapping[str, pl.DataFrame], rng: np.random.Generator) -> np.ndarray:
        """Return the mean log p of a row of each subject."""
        rows = self._rows(frames, rng)
        home = self.learnt.tables[self.subject]
        told = [self.growing.codes(self.subject, rows.frames[self.subject].height, rows.at)] if home.links else []
        total = home.log_prob(rows.frames[self.subject], *told)
        count = np.ones(len(total))
        of = {self.subject: np.arange(len(total))}
        for name in self.tree[1:]:
            link = self.structure.owner[name]
            at, parents = rows.at[link.name], rows.frames[link.parent].height
            home, frame = self.learnt.tables[name], rows.frames[name]
            starts = starts_of(np.bincount(at, minlength=parents))
            told = [self.growing.codes(name, frame.height, rows.at)] if home.links else []
            for ratio in home.first.ratios if home.first else ():
                parent = next(k.parent for k in self.growing.links(name) if k.name == ratio.link)
                frame = ratio.ahead(frame, self.growing.drawn.frames[parent], rows.at[ratio.link])
            p = home.log_prob(Histories(frame, starts, frame[home.time] if home.time else None),
                              self.growing.context(rows, name), *told)
            of[name] = of[link.parent][at]
            total += np.bincount(of[link.parent], p, len(total))
            count += np.bincount(of[name], minlength=len(total))
        return total / count

    def _rows(self, frames: Mapping[str, pl.DataFrame], rng: np.random.Generator) -> Rows:
        """Return real rows as the model sees them: some subjects, what belongs to them, in the order of their time."""
        numbered = frames[self.subject].with_row_index(_hidden.ROW)
        picked = some(numbered, MOST_SUBJECTS, rng)[_hidden.ROW].to_numpy()
        rows = Rows(self.structure, {n: self._seen(n, frames) for n in self.tree})
        for name in self.tree:  # the rows of other tables are the same on both sides
            for link in self.growing.links(name):
                rows.at[link.name] = pointed(frames[name], self.training.frames[link.parent], link).at
        for name in self.tree[1:]:
            link, time = self.structure.owner[name], self.learnt.tables[name].time
            rows.at[link.name] = pointed(frames[name], frames[link.parent], link).at
            frame = rows.frames[name]
            if time:
                rows.take(name, np.argsort(frame[time].to_physical().to_numpy(), kind="stable"))
        rows.take(self.subject, picked)
        for name in self.tree[1:]:
            rows.take(name, np.argsort(rows.at[self.structure.owner[name].name], kind="stable"))
        return rows

    def _seen(self, name: str, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Return real rows with their hidden columns; what others' rows tell of them is left open, on both sides."""
        frame, columns = frames[name], {}
        if _hidden.CLASS in self.training.hidden[name].columns:
            columns[_hidden.CLASS] = pl.Series(["0"] * frame.height, dtype=pl.String)
        for link in self.structure.matched:
            if link.parent == name:
                columns[_hidden.kind(link)] = pl.Series(["0"] * frame.height, dtype=pl.String)
            if link.table == name and link.parent not in self.tree:
                at = pointed(frame, self.training.frames[link.parent], link).at
                of = self.training.roles[link.name].read(self.training.hidden[link.parent][_hidden.kind(link)])
                columns[_hidden.says(link)] = self.training.roles[link.name].said(at, of)
            elif link.table == name:
                columns[_hidden.says(link)] = pl.Series(["0"] * frame.height, dtype=pl.String)
        for link in self.structure.loops:
            if link.table == name:
                columns |= {_hidden.says(link): pl.Series(["1"] * frame.height, dtype=pl.String),
                            _hidden.kind(link): pl.Series(["0"] * frame.height, dtype=pl.String)}
        for column in self.training.columns[name]:
            columns.setdefault(column.name, pl.Series([None] * frame.height, dtype=pl.Float64))
        hidden = _hidden.numbered(pl.DataFrame(columns), frame.height)
        return pl.concat([hidden, frame], how="horizontal") if frame.width else hidden
