"""assess(): ask every metric on the shelf; say what could not be asked, and why."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

import numpy as np
import polars as pl

from verisyn import modalities, shelves
from verisyn._disclosed import by_provenance
from verisyn.description import modelled, resolve_schema
from verisyn.errors import UserError, did_you_mean
from verisyn.findings import Assessment, Finding, Judged, Measure, NotAnswered
from verisyn.metrics import EFFORTS, Effort, Side, Sides, able, effort_of
from verisyn.metrics._conform import conform
from verisyn.metrics._stats import adjusted
from verisyn.modalities.table._views import TableCoder, scales_of
from verisyn.progress import Progress
from verisyn.schema import Schema, Table

if TYPE_CHECKING:
    from pathlib import Path

    from verisyn.data import Dataset
    from verisyn.modalities._made import BaseModel
    from verisyn.model import Model

MOST_CELLS = 10_000_000
"""Every side is judged on at most so many cells, and on the rows that the effort allows, drawn by the seed."""
FALSE_ALARMS = 0.05
"""The share of wrong ones among alarms: the false discovery rate over all questions of one assessment."""
_INNER_HOLDOUT = 0.2
_OVERLAP = 0.25
NO_HOLDOUT = ("There is no holdout: fidelity and utility were measured against real rows that the generator may have "
              "seen, and privacy could not be measured.")


def assess(synthetic: Any, real: Any, holdout: Any = None, *, schema: Schema | str | Path | None = None,
           model: Model | BaseModel | None = None, target: str | None = None,
           sensitive: str | Sequence[str] | None = None, entity: str | Sequence[str] = (), time: str | None = None,
           effort: str = "standard", seed: int = 0, progress: Progress | None = None) -> Assessment:
    """Assess synthetic data, whoever made it, against real data.

    Parameters
    ----------
    synthetic, real : Dataset, dataframe, dict of dataframes, path or URL
        What :func:`verisyn.read` takes. Tables and columns are matched by name and brought to the real columns' types.
    holdout : Dataset, dataframe, path or URL, optional
        Real rows that the generator has not seen. Privacy can be measured only against such rows.
    schema : Schema or path, optional
        Without it the real data is described first.
    model : Model, optional
        The model that made the data; where it set rows aside, `real` is split as it was then.
    target : str, optional
        The column that models are asked to predict when utility is measured; the schema's by default.
    sensitive : str or sequence of str, optional
        The columns that fairness and attribute inference are asked of; those the schema marks by default.
    entity, time : str, or sequence of str, optional
        Where rows are events or measurements in time: whose they are, and what orders them; see :func:`verisyn.fit`.
    effort : {"standard", "quick", "thorough"}
        How much it may cost: about a minute of CPU, a few seconds, or many minutes with shadow attacks.
    seed : int, default 0
        The same data, seed and version give the same findings.
    progress : Progress, optional
        Shows and records the stage.

    Returns
    -------
    Assessment

    Raises
    ------
    UserError
        If data cannot be read, the synthetic data or the holdout lacks a column, or a name is unknown.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def people(n):
    ...     height = rng.normal(1.7, 0.1, n).round(2)
    ...     return pl.DataFrame({"height": height, "weight": (30 * height + rng.normal(20, 5, n)).round(1)})
    >>> found = assess(people(500), people(500), people(500))
    >>> found["fidelity.marginals"].verdict
    'good'
    """
    from verisyn.data import read
    from verisyn.model import only_table

    asked, progress = effort_of(effort), progress or Progress()
    with progress.stage("read"):
        timed: dict[str, Any] = {"entity": entity, "time": time}
        data, made = read(real, seed=seed, **timed), read(synthetic, seed=seed, **timed)
        other = None if holdout is None else read(holdout, seed=seed, **timed)
    if schema is None and model is not None:
        schema = model.schema
    described = resolve_schema(schema, data, target=target, progress=progress, **timed)
    modality = modalities.of(described)
    if hasattr(modality, "home"):
        described = _with_sensitive(described, sensitive)
        return _assess_tables(modality.home(), (made, data, other), described, model, asked, seed, progress)
    model = only_table(model) if model else None
    table = with_sensitive(described.table, sensitive)
    notes = [*data.notes, *(f"The synthetic data: {note}" for note in made.notes)]
    fake, more = conform(made.frame, data.frame, table.names, "the synthetic data")
    notes += more
    if schema is None and target is None and table.target is not None:
        notes.append(f"The target {table.target!r} was guessed; name it (--target) where models shall predict another.")
    made_keys, real_keys = _keys(fake), _keys(data.frame.select(table.names))
    if (same := _shared(made_keys, real_keys)) > 0.5:
        notes.append(f"{same:.0%} of the synthetic rows are rows of the real data, cell by cell.")
    train, unseen = data.frame, None
    if other is not None:
        unseen, more = conform(other.frame, data.frame, table.names, "the holdout")
        _check_unseen(_keys(unseen), real_keys, made_keys)
        notes += more
    elif model is not None and model.info.holdout > 0:
        seen, apart = data.split(model.info.holdout, model.info.seed)
        train, unseen = seen.frame, apart.frame
    learnt = data.provenance.to_dict() if data.provenance else model.info.provenance if model else None
    about = {"source": data.name, "seed": seed, "notes": notes, **({"provenance": learnt} if learnt else {})}
    found = assess_frames(fake, train, unseen, table, coder=model.coder if model else None, effort=asked, seed=seed,
                          progress=progress, about=about)
    disclosed = by_provenance(made.provenance)
    return replace(found, findings=(*found.findings, *([disclosed] if disclosed else [])))


def _assess_tables(home: ModuleType, sides: tuple[Dataset, Dataset, Dataset | None], schema: Schema,
                   model: Any, effort: Effort, seed: int, progress: Progress) -> Assessment:
    """Assess several tables, or rows in time: synthetic ones, real ones, and held-out ones where there are some."""
    made, data, other = sides
    notes = [*data.notes, *(f"The synthetic data: {note}" for note in made.notes)]

    def like_real(side: Dataset, what: str) -> dict[str, pl.DataFrame]:
        frames = {}
        single = len(schema.tables) == 1
        for table in schema.tables:
            name = side.table_name if single else table.name
            if name not in side.tables:
                raise UserError(f"{what[0].upper()}{what[1:]} has no table {name!r}, which the real data has. "
                                f"{did_you_mean(name, side.tables)} Add it, or take it out of both.")
            where = what if single else f"table {name!r} of {what}"
            real = data.frame if single else data.tables[table.name]
            frames[table.name], more = conform(side.tables[name], real, table.names, where)
            notes.extend(more)
        return frames

    fake, train, unseen = like_real(made, "the synthetic data"), data, None
    if other is not None:
        unseen = like_real(other, "the holdout")
    elif model is not None and model.info.holdout > 0:
        train, apart = home.split(data, schema, model.info.holdout, model.info.seed)
        unseen = None if apart is None else like_real(apart, "the holdout")
        notes.extend(train.notes)
    learnt = data.provenance.to_dict() if data.provenance else model.info.provenance if model else None
    about = {"source": data.name, "seed": seed, "notes": list(dict.fromkeys(notes)),
             **({"provenance": learnt} if learnt else {})}
    found: Assessment = home.assess(fake, like_real(train, "the real data"), unseen, schema, about, effort=effort,
                                    seed=seed, progress=progress)
    disclosed = by_provenance(made.provenance)
    return replace(found, findings=(*found.findings, *([disclosed] if disclosed else [])))


def _with_sensitive(schema: Schema, sensitive: str | Sequence[str] | None) -> Schema:
    """Return `schema` with these columns marked, in every table that has them, and no others; as it is for None."""
    if sensitive is None:
        return schema
    wanted = [sensitive] if isinstance(sensitive, str) else [*sensitive]
    for name in wanted:
        if not any(name in table.names for table in schema.tables):
            every = [n for table in schema.tables for n in table.names]
            raise UserError(f"No table has a column {name!r}. {did_you_mean(name, every)}")
    tables = tuple(with_sensitive(t, [n for n in wanted if n in t.names]) for t in schema.tables)
    return schema.model_copy(update={"tables": tables})


def with_sensitive(table: Table, sensitive: str | Sequence[str] | None) -> Table:
    """Return `table` with these columns marked as sensitive and no others; as it is for None.

    Raises
    ------
    UserError
        If one of them is no column.
    """
    if sensitive is None:
        return table
    sensitive = [sensitive] if isinstance(sensitive, str) else sensitive
    for name in sensitive:
        table.column(name)
    columns = tuple(c.model_copy(update={"sensitive": c.name in sensitive}) for c in table.columns)
    return table.model_copy(update={"columns": columns})


def _check_unseen(holdout: pl.Series, real: pl.Series, fake: pl.Series) -> None:
    """Refuse a holdout many of whose rows are real or synthetic rows, far more than real rows have a double.

    All are keys of rows.
    """
    doubles = float(real.is_duplicated().mean())  # type: ignore[arg-type]
    usual = f"(of the real data's own rows {doubles:.0%} occur twice)"
    if (shared := _shared(holdout, real)) > doubles + _OVERLAP:
        raise UserError(f"{shared:.0%} of the holdout's rows are also among the real data {usual}, so it is no "
                        "holdout: the generator has seen it. Give as the real data only the rows that the generator "
                        "learnt from, and as the holdout none of them.")
    if (shared := _shared(holdout, fake)) > doubles + _OVERLAP:
        raise UserError(f"{shared:.0%} of the holdout's rows are also among the synthetic data {usual}, so one of the "
                        "two is not what it should be. Give as the holdout real rows that the generator never saw.")


def _keys(frame: pl.DataFrame) -> pl.Series:
    return frame.select(sorted(frame.columns)).hash_rows(seed=0)


def _shared(keys: pl.Series, others: pl.Series) -> float:
    """The share of rows that are among others; 0 of fewer than two, which prove nothing."""
    return float(keys.is_in(others.implode()).mean()) if len(keys) > 1 else 0.0  # type: ignore[arg-type]


def assess_frames(fake: pl.DataFrame, train: pl.DataFrame, holdout: pl.DataFrame | None, table: Table, *,
                  coder: TableCoder | None = None, effort: Effort = EFFORTS["standard"], seed: int = 0,
                  progress: Progress | None = None, about: dict[str, Any] | None = None,
                  metrics: Sequence[str] | None = None) -> Assessment:
    """Ask every metric on the shelf about frames that share the columns and types of `table`.

    Parameters
    ----------
    fake, train, holdout : polars.DataFrame
        Synthetic rows; real rows that the generator saw; real rows it never saw, if there are any.
    coder : TableCoder, optional
        Learnt on `train`; learnt afresh where it is not given.
    effort : Effort
        How much it may cost.
    about : dict, optional
        JSON values to say of the assessment; rows and notes are added.
    metrics : sequence of str, optional
        Names on the metrics' shelf; all of them by default.

    Returns
    -------
    Assessment
    """
    from threadpoolctl import threadpool_limits

    progress, names = progress or Progress(), [*map(shelves.metrics.full_name, metrics or able(Sides.views))]
    notes = [*(about or {}).get("notes", [])]
    rows = {"synthetic": fake.height, "train": train.height, "holdout": holdout.height if holdout is not None else 0}
    # One thread: the same figures on every machine, and a third less CPU than threads that wait for each other.
    with progress.stage("assess", total=len(names) + 1) as tick, threadpool_limits(1, user_api="blas"):
        sides = _sides((fake, train, holdout), table, coder, effort, seed)
        tick(1)
        findings = []
        for name in names:
            findings.append(ask(name, sides, seed))
            tick(1)
    if holdout is None:
        notes.append(NO_HOLDOUT)
    judged, sampled = sides.judged, sides.sampled
    if sampled:
        counts = ", ".join(f"{count:,} {side}" for side, count in judged.items())
        notes.append(f"Judged by a sample drawn by the seed, as many synthetic as training rows at most: {counts}.")
    about = {**(about or {}), "rows": rows, "judged": judged, "sampled": sampled, "target": table.target,
             "effort": effort.name, "sensitive": list(sides.truth.sensitive), "notes": notes}
    return Assessment(settled(in_place(findings)), about)


def in_place(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings of metrics in the order in which they are told."""
    place = {f.name: getattr(shelves.metrics.take(f.name), "place", 0) for f in findings}
    return sorted(findings, key=lambda f: (f.question, f.sanity, place[f.name]))


def settled(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Let poor verdicts stand only where they are no noise: at a false discovery rate of 5 % over all questions.

    The p-values of all findings are adjusted by Benjamini and Hochberg (1995), which holds where questions depend on
    each other in one direction (Benjamini and Yekutieli 2001): rows that are bad in one way are bad in others. A poor
    verdict that is not among the discoveries becomes fair, and says so. A verdict without
    a p-value stands as it is.

    Examples
    --------
    >>> noise = [Finding(f"fidelity.{i}", "?", "good", "Fine.", p=0.5) for i in range(30)]
    >>> [f.verdict for f in settled([*noise, Finding("privacy.x", "?", "poor", "Found.", p=0.02)])][-1]
    'fair'
    """
    tested = [i for i, f in enumerate(findings) if f.p is not None]
    sure = dict(zip(tested, adjusted(np.array([findings[i].p for i in tested])), strict=True))

    def settle(i: int, finding: Finding) -> Finding:
        if finding.verdict != "poor" or sure.get(i, 0.0) <= FALSE_ALARMS:
            return finding
        return replace(finding, verdict="fair", reason=f"{finding.reason} Among {len(tested)} questions asked, chance "
                       "could have carried one so far over the border of poor; more rows would tell.")

    return tuple(settle(i, f) for i, f in enumerate(findings))


class Asked(Protocol):
    """What metrics of some views are asked about: the sides as they are, and with stand-ins for the synthetic data."""

    @property
    def truth(self) -> Any:
        """The sides as they are."""

    @property
    def floor(self) -> Any:
        """The sides with the least that a generator must beat in the place of the synthetic data."""

    def ceiling(self, stand_in: str | None) -> Any:
        """The sides with real data in its place, ``"train"`` or ``"holdout"`` as a metric says; None for None."""


@dataclass(frozen=True)
class _Tables:
    """The sides as they are, and with stand-ins for the synthetic rows: columns drawn alone, real rows."""

    truth: Sides
    floor: Sides
    train_stands_in: Sides
    holdout_stands_in: Sides

    @property
    def judged(self) -> dict[str, int]:
        """Rows of each side that are judged."""
        return {name: getattr(self.truth, side).rows
                for name, side in (("synthetic", "fake"), ("train", "train"), ("holdout", "holdout"))}

    @property
    def sampled(self) -> bool:
        """Whether fewer rows are judged than there are."""
        sides = (self.truth.fake, self.truth.train, self.truth.holdout)
        return any(side.whole is not None and side.rows < side.whole.height for side in sides)

    def ceiling(self, stand_in: str | None) -> Sides | None:
        return {"train": self.train_stands_in, "holdout": self.holdout_stands_in, None: None}[stand_in]


def _sides(frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame | None], table: Table, coder: TableCoder | None,
           effort: Effort, seed: int) -> _Tables:
    fake, train, holdout = frames
    *seeds, coder_seed = np.random.SeedSequence(seed).spawn(6)
    rngs = [np.random.default_rng(s) for s in seeds]
    coder = coder or TableCoder.learn(train, table, coder_seed)
    unseen = holdout is not None
    if holdout is None:
        train, holdout = _parted(train, _INNER_HOLDOUT, rngs[0])
    most = min(effort.rows, max(1_000, MOST_CELLS // max(1, train.width)))
    wholes = (train, holdout, fake)
    # In random order: intervals come from leaving out every twentieth row, and files may be sorted or periodic.
    train, holdout = _drawn(train, most, rngs[1]), _drawn(holdout, most, rngs[2])
    fake = _drawn(fake, min(most, train.height), rngs[3])
    scales = scales_of(coder.features(train))
    seen, other, made, alone = (Side.of(f, coder, scales) for f in
                                (train, holdout, fake, drawn_alone(train, coder, fake.height, rngs[4])))
    seen, other, made = (replace(side, whole=whole) for side, whole in zip((seen, other, made), wholes, strict=True))
    regenerated = tuple(c.name for c in table.columns if not modelled(c))
    sensitive = tuple(c.name for c in table.columns if c.sensitive and modelled(c))
    truth = Sides(made, seen, other, table.target, unseen, regenerated, sensitive, table, coder, effort, seed)
    order = rngs[0].permutation(other.rows)
    halves = [other.take(np.sort(half)) for half in np.array_split(order, 2)]
    plain = replace(truth, pictured=False)
    return _Tables(truth, replace(plain, fake=alone), replace(plain, fake=seen.some(made.rows, rngs[0])),
                  replace(plain, fake=halves[0], holdout=halves[1]))


def drawn_alone(frame: pl.DataFrame, coder: TableCoder, rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return rows whose columns are drawn from `frame` each alone (columns that belong together, together).

    This is what the `independent` generator makes, short of its coding: the floor that any generator must beat.
    """
    if frame.height == 0:
        return frame
    drawn = [frame.select(c.columns)[rng.integers(0, frame.height, rows)] for c in coder.coders]
    return pl.concat(drawn, how="horizontal").select(coder.columns) if drawn else frame


def _drawn(frame: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return at most `most` rows, in random order."""
    return frame[rng.permutation(frame.height)[:most]]


def _parted(frame: pl.DataFrame, share: float, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    order = rng.permutation(frame.height)
    cut = round(share * frame.height)
    return frame[np.sort(order[cut:])], frame[np.sort(order[:cut])]


def ask(name: str, asked: Asked, seed: int) -> Finding:
    """Ask one metric about the synthetic data, the floor and the ceiling, all with the same randomness."""
    metric = shelves.metrics.take(name)
    least = getattr(metric, "effort", "quick")
    if [*EFFORTS].index(least) > [*EFFORTS].index(asked.truth.effort.name):
        return _not_answered(name, metric, f"it is asked at the effort {least!r} and above only")

    def answer(sides: Any) -> Measure | NotAnswered | None:
        if sides is None:
            return None
        try:
            return metric.measure(sides, np.random.default_rng([seed, crc32(name.encode())]))
        except NotAnswered as reason:
            return reason

    measure = answer(asked.truth)
    if not isinstance(measure, Measure):
        return _not_answered(name, metric, str(measure))
    low = _value(answer(asked.floor)) if getattr(metric, "floor", True) else measure.details.get("floor")
    stand_in = asked.ceiling(metric.stand_in)
    high = measure.details.get("ceiling") if stand_in is None else _value(answer(stand_in))
    try:
        judged = Judged(*metric.judge(measure, low, high))
    except NotAnswered as why:
        return _not_answered(name, metric, str(why))
    says = getattr(asked.truth, "says", {})  # what floor and ceiling are, where they are not a table's
    details = {**says, **{k: v for k, v in measure.details.items() if not k.startswith("_")}}
    return Finding(name, metric.title, judged.verdict, judged.reason, metric.rule, round(measure.value, 6),
                   (round(measure.interval[0], 6), round(measure.interval[1], 6)), _rounded(low), _rounded(high),
                   details, judged.p, **_told(metric))


def _value(answer: Measure | NotAnswered | None) -> float | None:
    return answer.value if isinstance(answer, Measure) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _told(metric: ModuleType) -> dict[str, Any]:
    """What a metric says of itself, whatever it measures."""
    return {"best": metric.best, "worst": metric.worst, "definition": inspect.cleandoc(metric.__doc__ or ""),
            "references": tuple(getattr(metric, "references", ())), "sanity": getattr(metric, "sanity", False)}


def _not_answered(name: str, metric: ModuleType, reason: str) -> Finding:
    return Finding(name, metric.title, "not answered", f"Not answered, because {reason}.", metric.rule, **_told(metric))
