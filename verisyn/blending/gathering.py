"""Everything that was given is read, described and aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from verisyn.blending.aligning import align, without_copies
from verisyn.blending.sources import LEAST, Given, Part, Stock, called
from verisyn.data import Dataset, read
from verisyn.description import resolve_schema
from verisyn.errors import UserError, did_you_mean
from verisyn.frames import some
from verisyn.memory import Recipe
from verisyn.progress import Progress
from verisyn.provenance import Source
from verisyn.schema import Table

_COPIED, _FEWEST = 0.25, 20
_POOL, _LEAST_POOL = 4, 2_000
"""Of a source so many times as many rows are weighed as could be taken at most."""


def stock_of(given: Given, progress: Progress) -> Stock:
    """Read, describe and align everything.

    Raises
    ------
    UserError
        If something cannot be read or aligned, there are fewer than 50 real rows, or nothing to blend them with.
    """
    with progress.stage("read"):
        data = read(given.real, seed=given.seed)
        others = [(kind, name, read(source, seed=given.seed)) for kind, sources in
                  (("synthetic", given.synthetic), ("open", given.open)) for name, source in _listed(sources)]
        unseen = None if given.validation is None else read(given.validation, seed=given.seed)
    _check(given, data, [kind for kind, _, _ in others])
    schema = resolve_schema(given.model.schema if given.model else None, data, target=given.target, progress=progress)
    makes = bool(given.model or given.generator) and not any(kind == "synthetic" for kind, _, _ in others)
    names = _names([_name("real", None, data), *(_name(*told) for told in others), *(["synthetic"] if makes else [])])
    _check_licences(given.licences, names)
    source, notes = _source(data, "real", names[0], given.licences)
    notes, parts = [*data.notes, *notes], []
    for (kind, _, other), name in zip(others, names[1:], strict=False):
        part, more = _part(other, kind, name, data, schema.table, given)
        parts.append(part)
        notes += more
    validation, more = _validation(unseen, data, schema.table, parts, given.target)
    stock = Stock(data, schema, source, tuple(parts), validation, (*notes, *more))
    return _with_model(stock, given, names[-1], progress)


def _listed(sources: Any) -> list[tuple[str | None, Any]]:
    """Sources with the names that they were given, if any."""
    if sources is None:
        return []
    if isinstance(sources, Mapping):
        return [(str(name), source) for name, source in sources.items()]
    return [(None, source) for source in (sources if isinstance(sources, list | tuple) else [sources])]


def _check(given: Given, data: Dataset, kinds: Sequence[str]) -> None:
    if data.frame.height < LEAST:
        raise UserError(f"There are only {data.frame.height} real rows; blending takes at least {LEAST}, so that some "
                        "can be held out to test on. Give more rows, or leave the real rows as they are.")
    if data.provenance and data.provenance.synthetic_share > 0:
        raise UserError(f"{data.provenance.synthetic_share:.0%} of the rows given as real are synthetic, as their "
                        "provenance says. Give the real rows alone, and the others as synthetic.")
    if given.model is not None and given.generator is not None:
        raise UserError("A model and a generator were both given. Give the model; it knows its generator.")
    made = kinds.count("synthetic")
    if (given.model or given.generator) and made > 1:
        raise UserError(f"A model or generator was given with {made} synthetic sources, and only one of them can be "
                        "its. Blend them one at a time, or leave it out.")
    if not kinds and not (given.model or given.generator):
        raise UserError("There is nothing to blend the real rows with. Give synthetic rows, open rows, a model or the "
                        "name of a generator.")


def _name(kind: str, name: str | None, data: Dataset) -> str:
    return name or (data.name if data.name != "data" else kind)


def _names(wanted: Sequence[str]) -> list[str]:
    """The names, each once: a number is added where one comes again."""
    taken: list[str] = []
    for name in wanted:
        number, free = 2, name
        while free in taken:
            free, number = f"{name} {number}", number + 1
        taken.append(free)
    return taken


def _check_licences(given: Mapping[str, str] | None, names: Sequence[str]) -> None:
    for name in given or {}:
        if name not in names:
            raise UserError(f"A licence was given for {name!r}, which is no source. {did_you_mean(name, names)}")


def _source(data: Dataset, kind: str, name: str, licences: Mapping[str, str] | None) -> tuple[Source, list[str]]:
    """What is known of a source, and what should be said of it."""
    told, notes = data.provenance, []
    licence = (licences or {}).get(name, told.licence if told else "")
    if kind == "open" and not licence:
        notes.append(f"The licence of {called(kind, name)} is not known. Find out whether its rows may be used, and "
                     f"name it: licences={{{name!r}: ...}}, or --licence {name}=...")
    if told is None:
        return Source(name, kind, data.frame.height, generation=int(kind == "synthetic"), licence=licence), notes
    if kind == "open" and told.synthetic_share > 0:
        notes.append(f"{told.synthetic_share:.0%} of the rows of {called(kind, name)} are synthetic, as their "
                     "provenance says; all of them are counted as synthetic.")
        kind = "synthetic"
    generators = dict.fromkeys(s.generator for s in told.sources if s.generator)
    generation = max(told.generation, int(kind == "synthetic"))
    made = f"{' and '.join(generators)}{' among others' if generators and told.share('synthetic') < 1 else ''}"
    return Source(name, kind, data.frame.height, made, generation, licence), notes


def _part(other: Dataset, kind: str, name: str, data: Dataset, table: Table, given: Given) -> tuple[Part, list[str]]:
    what = called(kind, name)
    source, notes = _source(other, kind, name, given.licences)
    found = without_copies(align(other.frame, data.frame, table, what, given.target), data.frame, what)
    if found.frame.height < _FEWEST:
        raise UserError(f"There are only {found.frame.height} rows of {what}; it takes at least {_FEWEST} to compare "
                        "them with the real data. Give more, or leave it out.")
    most = max(_LEAST_POOL, round(_POOL * given.most * data.frame.height))
    frame = some(found.frame, most, np.random.default_rng([given.seed, 0xB1E4D]))
    notes = [*(f"{what[0].upper()}{what[1:]}: {note}" for note in other.notes), *found.notes, *notes]
    if frame.height < found.frame.height:
        notes.append(f"Of {found.frame.height:,} rows of {what}, {frame.height:,}, drawn by the seed, were weighed.")
    return Part(replace(source, rows=frame.height), frame, found.shared), notes


def _validation(unseen: Dataset | None, data: Dataset, table: Table, parts: Sequence[Part],
                target: str | None) -> tuple[pl.DataFrame | None, list[str]]:
    if unseen is None:
        return None, []
    if unseen.provenance and unseen.provenance.synthetic_share > 0:
        raise UserError(f"{unseen.provenance.synthetic_share:.0%} of the validation rows are synthetic, as their "
                        "provenance says. Give real rows that no generator saw.")
    found = align(unseen.frame, data.frame, table, "the validation data", target)
    keys, real = (f.hash_rows(seed=0) for f in (found.frame, data.frame))
    doubles = float(real.is_duplicated().mean())  # type: ignore[arg-type]
    for what, other in (("the real data", real), *((p.what, p.frame.hash_rows(seed=0)) for p in parts)):
        if (same := float(keys.is_in(other.implode()).mean())) > doubles + _COPIED:  # type: ignore[arg-type]
            raise UserError(f"{same:.0%} of the validation rows are also among {what}, so they are no validation data. "
                            "Give real rows that are in none of the others and that no generator saw.")
    if found.frame.height < LEAST:
        raise UserError(f"There are only {found.frame.height} validation rows; it takes at least {LEAST}. Give more, "
                        "or none.")
    return found.frame, list(found.notes)


def _with_model(stock: Stock, given: Given, name: str, progress: Progress) -> Stock:
    """Add what a model makes, or say of the synthetic rows how they can be made again."""
    if given.model is None and given.generator is None:
        return _remade(stock, given)
    recipe = _recipe(stock, given)
    parts = list(stock.parts)
    for i, part in enumerate(parts):
        if part.source.kind == "synthetic":
            parts[i] = replace(part, recipe=recipe, source=replace(part.source, generator=recipe.generator))
            return replace(stock, parts=tuple(parts))
    model = given.model
    if model is None:
        with progress.stage("fit the generator"):
            model = recipe.learn(stock.real)
    rows = max(1, round(max(1.0, given.most) * stock.real.height))
    frame = model.sample_frame(rows, seed=given.seed + 1, jobs=given.jobs, progress=Progress())
    found = align(frame, stock.real, stock.table, "what the model makes", given.target)
    source = Source(name, "synthetic", rows, recipe.generator, stock.source.generation + 1,
                    (given.licences or {}).get(name, stock.source.licence))
    return replace(stock, parts=(Part(source, found.frame, found.shared, recipe), *stock.parts),
                   notes=(*stock.notes, *found.notes))


def _remade(stock: Stock, given: Given) -> Stock:
    """Fit anew what made a synthetic source, where its provenance names a generator that is known."""
    from verisyn import shelves

    parts, notes = list(stock.parts), list(stock.notes)
    for i, part in enumerate(parts):
        if part.source.kind == "synthetic" and part.source.generator in shelves.generators.names():
            parts[i] = replace(part, recipe=Recipe(stock.schema, part.source.generator, {}, given.seed, given.jobs))
            notes.append(f"The provenance of {part.what} names the generator {part.source.generator!r}; it is fitted "
                         "anew, with its defaults, for each test. Give the model where it had other settings.")
    return replace(stock, parts=tuple(parts), notes=tuple(notes))


def _recipe(stock: Stock, given: Given) -> Recipe:
    if given.model is not None:
        info = given.model.info
        return Recipe(given.model.schema, info.generator, info.settings, given.seed, given.jobs)
    from verisyn import shelves

    return Recipe(stock.schema, shelves.generators.full_name(str(given.generator)), {}, given.seed, given.jobs)
