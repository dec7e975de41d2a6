"""Drawing several tables, or rows in time, from their model: what the command 'sample' does for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verisyn.cli._shared import say
from verisyn.errors import UserError, none_given


def draw_tables(model: Any, out: str, wishes: Mapping[str, Any], plain: Mapping[str, Any], *, seed: int,
                jobs: int | None, force: bool, progress: Any, as_json: bool) -> None:
    """Draw tables and write them to one place.

    Parameters
    ----------
    model : BaseModel
    out : str
        A file, a folder, or the URL of a database.
    wishes : mapping
        The command's options that models of this kind may know, by name; None for one that was not given.
    plain : mapping
        Those that only models of one table know.
    """
    from verisyn._manifest import check as check_output
    from verisyn._writing import check_target
    from verisyn.data import write, write_tables
    from verisyn.formats import of_path
    from verisyn.frames import Origin, with_dtypes

    none_given(_options(plain), f"it is for models of one table, and this is {model!r}.")
    several = len(model.schema.tables) > 1
    if several:
        check_target(out, force)
    else:
        of_path(check_output(Path(out), force))
    told = {name: value for name, value in _read(wishes, several=several).items() if value is not None}
    tables = model.sample_tables(seed=seed, jobs=jobs, progress=progress, **told)
    info = model.info
    typed = {name: with_dtypes(frame, Origin.from_dict(info.origins[name])) for name, frame in tables.items()}
    rows = {name: frame.height for name, frame in tables.items()}
    origin = model.provenance(sum(rows.values()))
    if several:
        write_tables(typed, out, settings=info.format_settings, schema=model.schema, provenance=origin, force=force)
    else:
        name, frame = next(iter(typed.items()))
        write(frame, Path(out), settings=info.format_settings, table_name=name, provenance=origin)
    counts = ", ".join(f"{name} {count:,}" for name, count in rows.items())
    said = f"Wrote {sum(rows.values()):,} rows to {out}{f' ({counts})' if several else ''}."
    say("\n".join([*progress.notes, said]), as_json,
        {"out": out, "rows": rows if several else sum(rows.values()), "notes": progress.notes})


def of_one_table(alone: Mapping[str, Any], given: list[str] | None) -> None:
    """See that nothing was asked of a model of one table that only the others know.

    Raises
    ------
    UserError
        Naming the first option that was.
    """
    none_given(_options(alone), "it is for models of several tables, or of rows in time, and this is one of a single "
               "table.")
    _check_once(given)


def _read(wishes: Mapping[str, Any], *, several: bool) -> dict[str, Any]:
    """Return the options under the names, and in the forms, that a model takes them in."""
    out, parents, given = dict(wishes), wishes["parents"], wishes["given"]
    del out["parents"], out["given"]
    if several:
        if out["rows"] is not None:
            raise UserError("--rows is for a single table; of several, say how many times the source's rows with "
                            "--scale.")
        return {**out, "given": _by_table(given, ":", "--given", "customers: country == 'Peru'"),
                "seed_tables": _files(_by_table(parents, "=", "--parents", "customers=ours.csv"))}
    _check_once(given)
    if parents:
        raise UserError("--parents is for several tables. To go on from first rows, give --prefix.")
    prefix = out["prefix"] and str(out["prefix"])
    return {**out, "given": given[0] if given else None, "prefix": prefix or None}


def _options(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {f"--{name}": value for name, value in asked.items()}


def _check_once(given: list[str] | None) -> None:
    if given and len(given) > 1:
        raise UserError("--given was given twice. Join the conditions with 'and'.")


def _by_table(asked: list[str] | None, mark: str, option: str, example: str) -> dict[str, str] | None:
    """Return "table MARK text" by table."""
    if not asked:
        return None
    out = {}
    for text in asked:
        table, found, rest = text.partition(mark)
        if not found or not rest.strip():
            raise UserError(f"{option} is {text!r}; a table and what is wished of it were expected: \"{example}\".")
        out[table.strip()] = rest.strip()
    return out


def _files(named: dict[str, str] | None) -> dict[str, Any] | None:
    from verisyn.data import read

    return named and {table: read(path).frame for table, path in named.items()}
