"""augment(): rows derived from single real rows (noise, SMOTE, mixup, missingness); that is not synthesis."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn._manifest import attach
from verisyn.answers import EVERY_ROW
from verisyn.augmentations import BaseMethod, Made, Wanted
from verisyn.augmentations._real import Real
from verisyn.data import Dataset, read
from verisyn.description import left_out, modelled, resolve_schema
from verisyn.errors import UserError, did_you_mean, whole_number
from verisyn.progress import Progress, WarningProgress
from verisyn.provenance import Provenance, Source, with_columns
from verisyn.schema import Schema, Table


def augment(data: Any, method: str = "smote", *, target: str | None = None, rows: int | None = None,
            shares: Mapping[Any, float] | None = None, amount: float | Mapping[str, float] | None = None,
            seed: int = 0, schema: Schema | str | Path | None = None, provenance: bool = False, mask: bool = False,
            progress: Progress | None = None, **settings: Any) -> Any:
    """Derive rows from real rows.

    **This is not synthesis.** Each row is made from one or two real rows, and is as confidential as they are; no model
    of all rows stands between. Ids, personal data and free text are made anew (except by ``"missing"``, which hands
    the rows back), the schema's constraints are kept, and the real rows are not among the new ones.

    Parameters
    ----------
    data : Dataset, dataframe, path or URL
        What :func:`verisyn.read` takes.
    method : {"smote", "noise", "mixup", "missing"}
        A name on the shelf of augmentations (``verisyn list augmentations``).
    target : str, optional
        The label. ``smote`` derives rows of its smaller classes and within a class; ``noise`` and ``missing`` leave it
        as it is.
    rows : int, optional
        New rows. By default as many as there are real ones; with ``smote`` and a target, or with `shares`, as few as
        bring the classes to their shares.
    shares : mapping, optional
        ``smote``, ``noise``: the share of some levels of the target among real and new rows together, such as
        ``{"yes": 0.5}``; others keep to their proportions. By default ``smote`` makes all classes equal.
    amount : float, optional
        How strong: how far towards the neighbour (``smote``, 1), standard deviation of the jitter as a share of the
        column's (``noise``, 0.1), the parameter of the Beta distribution (``mixup``, 0.2), or the share of the values
        that are taken out (``missing``, 0.1; or a mapping from columns to shares).
    seed : int, default 0
        The same data, options, seed and version give the same bytes.
    schema : Schema or path, optional
        Without it the data is described first.
    provenance : bool, default False
        Whether to add the columns ``verisyn_source``, ``verisyn_kind`` (``"derived"``), … to each row.
    mask : bool, default False
        ``missing``: whether to return, besides, a dataframe of booleans that says what was taken out.
    progress : Progress, optional
        Shows and records the stages; what is to be said of the rows is in its ``notes``.
    **settings
        Further fields of the method's dataclass: ``neighbours`` (smote), ``swap`` (noise), ``soft`` (mixup),
        ``mechanism``, ``columns``, ``by``, ``strength`` (missing).

    Returns
    -------
    dataframe, or a pair of them with `mask`
        Of the kind and with the data types that came in.

    Raises
    ------
    UserError
        If the data cannot be read, a name or setting is unknown, or what is asked for cannot be made.

    References
    ----------
    Chawla, Bowyer, Hall and Kegelmeyer, JAIR 16, 2002 (SMOTE, SMOTE-NC); Zhang et al., ICLR 2018 (mixup); Rubin,
    Biometrika 63, 1976 (missing completely at random, at random, not at random).

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [31, 47, 30, 52, 28, 60] * 8, "ill": ["no"] * 40 + ["yes"] * 8})
    >>> new = augment(frame, "smote", target="ill")
    >>> new["ill"].value_counts().row(0), new["age"].is_between(28, 60).all()
    (('yes', 32), True)
    """
    asked = {"amount": amount, **settings}
    dataset = read(data, fit_rows=EVERY_ROW)
    found = derived(dataset, method, target=target, wanted=Wanted(rows, shares), seed=seed, schema=schema,
                    progress=progress or WarningProgress(), **{k: v for k, v in asked.items() if v is not None})
    frame = found.frame
    if provenance:
        frame = with_columns(frame, found.source)
    given_back = attach(dataset.give_back(frame), found.provenance)
    if found.mask is not None and dataset.origin.native == "pandas" and hasattr(data, "index"):
        given_back.index = data.index  # a row that lost a value is the row that came in
    if not mask:
        return given_back
    if found.mask is None:
        raise UserError(f"A mask of what was taken out is asked for, but the method {method!r} takes nothing out.")
    flags = like(found.mask, dataset.origin.native)
    if dataset.origin.native == "pandas" and hasattr(data, "index"):
        flags.index = data.index
    return given_back, flags


@dataclass(frozen=True)
class Derived(Made):
    """What a method made, and where it comes from."""

    source: Source = dataclasses.field(default=Source("data", "derived", 0))

    @property
    def provenance(self) -> Provenance:
        """Where the rows come from."""
        return Provenance((self.source,))


def derived(dataset: Dataset, method: str, *, target: str | None, wanted: Wanted, seed: int,
            schema: Schema | str | Path | None, progress: Progress, **settings: Any) -> Derived:
    """Derive rows as polars frames, with all that is to be said of them; see :func:`augment`."""
    whole_number("seed", seed, 0)
    name, maker = shelves.augmentations.full_name(method), method_of(method, settings)
    if target is not None and target not in dataset.frame.columns:
        raise UserError(f"There is no column {target!r}. {did_you_mean(target, dataset.frame.columns)}")
    schema = resolve_schema(schema, dataset, target=target, progress=progress)
    learn_seed, make_seed = np.random.SeedSequence(seed).spawn(2)
    with progress.stage("learn columns"):
        real = Real.learn(dataset.frame, _labelled(schema.table, target), target, learn_seed)
    with progress.stage("derive rows"):
        made = maker.make(real, wanted, make_seed)
    notes = (*dataset.notes, *left_out(schema.table, dataset), *made.notes)
    for note in notes:
        progress.note(note)
    of = dataset.provenance
    source = Source(dataset.name, "derived", made.frame.height, name, of.generation if of else 0,
                    of.licence if of else "")
    return Derived(made.frame, notes, made.mask, made.copies, source)


def _labelled(table: Table, target: str | None) -> Table:
    """A column that is named as the label is one, be its texts as few and as different as they are."""
    columns = tuple(c.model_copy(update={"kind": "category", "settings": {}})
                    if c.name == target and not modelled(c) else c for c in table.columns)
    return table.model_copy(update={"columns": columns})


def method_of(name: str, settings: Mapping[str, Any]) -> BaseMethod:
    """Return a method of the shelf with its settings.

    Raises
    ------
    UserError
        If there is no such method, or it has no such setting.
    """
    maker = shelves.augmentations.take(name).Method
    known = [f.name for f in dataclasses.fields(maker)]
    for key in settings:
        if key not in known:
            raise UserError(f"The method {name!r} has no setting {key!r}. {did_you_mean(key, known)}")
    return maker(**settings)


def read_settings(given: Sequence[str]) -> dict[str, Any]:
    """Read settings written as ``NAME=VALUE``, where VALUE is YAML.

    Raises
    ------
    UserError
        If one is written otherwise.

    Examples
    --------
    >>> read_settings(["neighbours=7", "columns=[age, income]"])
    {'neighbours': 7, 'columns': ['age', 'income']}
    """
    import yaml

    out = {}
    for text in given:
        name, sign, value = text.partition("=")
        try:
            out[name.strip()] = yaml.safe_load(value) if sign else None
        except yaml.YAMLError:
            sign = ""
        if not sign or not name.strip():
            raise UserError(f"The setting {text!r} could not be read. Write it like: neighbours=7")
    return out


def read_shares(text: str) -> dict[str, float]:
    """Read shares of levels written as a YAML mapping; levels are texts, so that ``yes`` is not true.

    Raises
    ------
    UserError
        If it is something else.

    Examples
    --------
    >>> read_shares("{yes: 0.5}")
    {'yes': 0.5}
    """
    import yaml

    try:
        return {level: float(value) for level, value in yaml.load(text, Loader=yaml.BaseLoader).items()}
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        raise UserError(f"The shares {text!r} could not be read. Write them like: {{yes: 0.5}}") from None


def like(frame: pl.DataFrame, native: str) -> Any:
    """Return a frame that goes with the data as the same kind of dataframe; its data types are its own."""
    if native == "pandas":
        import pandas as pd

        return pd.DataFrame({c: frame[c].to_numpy() for c in frame.columns})
    return frame.to_arrow() if native == "pyarrow" else frame
