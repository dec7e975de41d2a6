"""Databases and histories as the benchmarks split them: half of the subjects to learn from, the other half to score against.

A prepared set is a folder: ``train/TABLE.parquet``, ``hold/TABLE.parquet`` and ``schema.json``. A database's schema has its tables'
keys and its links, as the set's ``meta.json`` tells them; a set of histories is one table, and its schema has entity, time and
statics (columns that are constant within an entity). Tables that belong to no subject are the same in both halves.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

SEED = 7


@dataclass(frozen=True)
class Base:
    """A database: its subject table, whose children belong to whom, which tables are taken (all), and what must hold in it."""

    subject: str
    owners: dict[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Course:
    """Histories: the file of the rows, entity and time, and the file that has the entities' statics."""

    rows: str = "data"
    entity: str | None = None
    time: str | None = None
    statics: str | None = None
    key: str | None = None
    drop: tuple[str, ...] = ()
    source: str = ""


# the sets named _core are the parts that SDV's open tier takes: at most five tables, one level of children
DATABASES = {
    "northwind": Base("customers", {"orders": "customers", "order_details": "orders", "products": "suppliers"}),
    "northwind_core": Base("customers", {"orders": "customers"}, ("customers", "orders", "employees", "shippers"), "northwind"),
    "chinook": Base("Customer", {"Invoice": "Customer", "InvoiceLine": "Invoice", "Track": "Album", "PlaylistTrack": "Playlist"}),
    "chinook_core": Base("Invoice", {"InvoiceLine": "Invoice"}, ("Invoice", "InvoiceLine", "Track"), "chinook"),
    "nycflights": Base("planes", {"flights": "planes", "weather": "airports"}),
    "baseball": Base("players", {"batting": "players", "fielding": "players"}),
    "cdnow": Base("users", {"purchases": "users"}),
    "grocery_orders": Base("users", {"orders": "users"}),
}
SEQUENCES = {
    "baseball_fielding": Course("fielding", "players_id", "year", "players", "id", source="baseball"),
    "baseball_batting": Course("batting", "players_id", "year", "players", "id", source="baseball"),
    "cmapss_fd001": Course("train_fd001", "unit", "cycle"),
    "fcc_mba": Course("data", "series", "step", "series", "series"),
    "basic_motions": Course("data", "series", "step", "series", "series", ("split", "length")),
    "nab": Course("data", "series", "timestamp"),
    "google_stock": Course(),
    "sml2010_smart_home": Course(time="timestamp"),
    "ecg_mitbih_100": Course("signal"),
}


def home(name: str) -> Path:
    """Return the folder of a set's source."""
    return Path(os.environ["VERISYN_DATA"]) / ({**DATABASES, **SEQUENCES}[name].source or name)


def prepare(name: str, into: Path) -> Path:
    """Write both halves of a set and its schema, where they are not yet; return the folder."""
    folder = into / name
    if not (folder / "schema.json").exists():
        halves, schema = database(name) if name in DATABASES else histories(name)
        for half, tables in halves.items():
            (folder / half).mkdir(parents=True, exist_ok=True)
            for table, frame in tables.items():
                frame.write_parquet(folder / half / f"{table}.parquet")
        (folder / "schema.json").write_text(json.dumps(schema, indent=1))
    return folder


def read(folder: Path) -> dict[str, pl.DataFrame]:
    """Return a folder's tables by name."""
    return {p.stem: pl.read_parquet(p) for p in sorted(folder.glob("*.parquet"))}


def database(name: str) -> tuple[dict[str, dict[str, pl.DataFrame]], dict]:
    """Split a database's subjects and what belongs to them."""
    base, source = DATABASES[name], home(name)
    meta = json.loads((source / "meta.json").read_text())
    taken = base.tables or tuple(meta["tables"])
    frames = {t: pl.read_parquet(source / f"{t}.parquet") for t in taken}
    links = [{"child": k["child"], "columns": k["child_columns"], "parent": k["parent"], "key": k["parent_columns"],
              "owner": base.owners.get(k["child"]) == k["parent"] and k["child"] != k["parent"]}
             for k in meta["foreign_keys"] if k["child"] in taken and k["parent"] in taken]
    for k in meta["foreign_keys"]:  # keys of tables that are not taken tell of nothing
        if k["child"] in taken and k["parent"] not in taken:
            frames[k["child"]] = frames[k["child"]].drop(k["child_columns"], strict=False)
    halves: dict[str, dict[str, pl.DataFrame]] = {"train": {}, "hold": {}}
    owned = subjects(base, frames, links)
    for half, first in (("train", True), ("hold", False)):
        for t, frame in frames.items():
            halves[half][t] = frame.filter(pl.Series(owned[t] == first)) if t in owned else frame
    keys = {t: [k] if isinstance(k := meta["tables"][t]["primary_key"], str) else k for t in taken}
    return halves, {"tables": {t: {"key": keys[t]} for t in taken}, "links": links, "subject": base.subject}


def subjects(base: Base, frames: dict[str, pl.DataFrame], links: list[dict]) -> dict[str, np.ndarray]:
    """Tell of each row of the subject's table and of its descendants whether it is in the first half."""
    own = next(k for k in links if k["owner"] and k["parent"] == base.subject)
    keys = pl.concat([frames[base.subject][own["key"][0]], frames[own["child"]][own["columns"][0]]]).unique().sort()
    first = keys.gather(np.random.default_rng(SEED).permutation(len(keys))[: len(keys) // 2])
    inside = {base.subject: frames[base.subject][own["key"][0]].is_in(first.implode()).to_numpy()}
    while True:
        more = [k for k in links if k["owner"] and k["parent"] in inside and k["child"] not in inside]
        if not more:
            return inside
        for k in more:
            child, parent = frames[k["child"]][k["columns"][0]], frames[k["parent"]][k["key"][0]]
            known = first if k["parent"] == base.subject else parent.filter(pl.Series(inside[k["parent"]]))
            inside[k["child"]] = child.is_in(known.implode()).to_numpy()


def histories(name: str) -> tuple[dict[str, dict[str, pl.DataFrame]], dict]:
    """Split histories by entity, and one long series in the middle."""
    course, source = SEQUENCES[name], home(name)
    frame = pl.read_parquet(source / f"{course.rows}.parquet")
    statics: list[str] = []
    if course.statics:
        known = pl.read_parquet(source / f"{course.statics}.parquet").drop(course.drop).rename({course.key: course.entity})
        statics = [c for c in known.columns if c != course.entity]
        frame = frame.join(known, on=course.entity, how="left", maintain_order="left")
    time = course.time
    if time is None:
        time, frame = "step", frame.with_row_index("step").with_columns(pl.col("step").cast(pl.Int64))
    schema = {"entity": course.entity, "time": time, "statics": statics}
    frame = frame.select(*filter(None, [course.entity]), time, *statics,
                         pl.exclude([c for c in (course.entity, time, *statics) if c]))
    if course.entity is None:
        middle = frame.height // 2
        return {"train": {"data": frame[:middle]}, "hold": {"data": frame[middle:]}}, schema
    frame = frame.sort(course.entity, time, maintain_order=True)
    keys = frame[course.entity].unique().sort()
    first = keys.gather(np.random.default_rng(SEED).permutation(len(keys))[: len(keys) // 2])
    inside = pl.col(course.entity).is_in(first.implode())
    return {"train": {"data": frame.filter(inside)}, "hold": {"data": frame.filter(~inside)}}, schema


def shuffled_links(tables: dict[str, pl.DataFrame], schema: dict, seed: int) -> dict[str, pl.DataFrame]:
    """The floor of a database: its tables as they are, every child given to a random child's parent."""
    rng, made = np.random.default_rng(seed), dict(tables)
    for k in schema["links"]:
        child = made[k["child"]]
        other = child.select(k["columns"])[rng.permutation(child.height)]
        made[k["child"]] = child.with_columns(other[c] for c in k["columns"])
    return made


def shuffled_rows(frame: pl.DataFrame, schema: dict, seed: int) -> pl.DataFrame:
    """The floor of histories: the rows' values shuffled over all entities and times."""
    kept = [c for c in (schema["entity"], schema["time"], *schema["statics"]) if c]
    other = frame.select(pl.exclude(kept))[np.random.default_rng(seed).permutation(frame.height)]
    return pl.concat([frame.select(kept), other], how="horizontal").select(frame.columns)
