"""Reads every table of a source that has several, and puts what its catalogue tells beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from verisyn.errors import listed
from verisyn.formats import Content, Contents, NoRows
from verisyn.schema import Link


def gather(names: Sequence[str], read: Callable[[str], Content], *, keys: Mapping[str, tuple[str, ...]] | None = None,
           links: Sequence[Link] = (), views: Sequence[str] = ()) -> Contents:
    """Read tables by name; say which have no rows, and which views are left out.

    Raises
    ------
    UserError
        If none has rows.
    """
    contents: dict[str, Content] = {}
    empty = []
    for name in names:
        try:
            contents[name] = read(name)
        except NoRows:
            empty.append(name)
    if not contents:
        many = len(empty) > 1
        raise NoRows(f"The table{'s' * many} {listed(empty)} {'have' if many else 'has'} no rows. At least one was "
                     "expected.")
    notes = [f"Left out, for {'they follow' if len(views) > 1 else 'it follows'} from tables: the view"
             f"{'s' * (len(views) > 1)} {listed(list(views))}. --table reads one."] if views else []
    if empty:
        notes.append(without_rows(empty))
    whole = {n: key for n, key in (keys or {}).items() if n in contents and set(key) <= set(contents[n].frame.columns)}
    return Contents(contents, whole, tuple(link for link in links if _both(link, contents)), tuple(notes))


def without_rows(names: Sequence[str]) -> str:
    """Return the note that names the tables without rows."""
    return f"{listed(names)} {'have' if len(names) > 1 else 'has'} no rows, and stayed out."


def link_of(table: str, columns: Sequence[str], parent: str, key: Sequence[str],
            names: Mapping[str, Sequence[str]], keys: Mapping[str, tuple[str, ...]]) -> Link | None:
    """Return a declared link as the tables spell its names; None where it leads out of them.

    Databases take names in any case, and a link that names no columns of its parent means the primary key.

    Parameters
    ----------
    table, columns, parent, key
        As declared.
    names : mapping
        The columns of every table.
    keys : mapping
        The primary keys.

    Examples
    --------
    >>> link_of("pets", ["OWNER"], "People", [], {"pets": ["owner"], "people": ["id"]}, {"people": ("id",)}).key
    ('id',)
    """
    tables = {n.lower(): n for n in names}
    child, found = tables.get(table.lower()), tables.get(parent.lower())
    if child is None or found is None:
        return None
    key = [k for k in key if k] or keys.get(found, ())
    sides = [({c.lower(): c for c in names[t]}, said) for t, said in ((child, columns), (found, key))]
    if len(key) != len(columns) or not all(c.lower() in known for known, said in sides for c in said):
        return None
    own, its = (tuple(known[c.lower()] for c in said) for known, said in sides)
    return Link(table=child, columns=own, parent=found, key=its)


def left_out(binary: Sequence[str]) -> tuple[str, ...]:
    """Return the note that names columns of binary data, if there are any."""
    if not binary:
        return ()
    many = len(binary) > 1
    return (f"The column{'s' if many else ''} {listed(list(binary))} hold{'' if many else 's'} binary data, which "
            f"cannot be modelled in a table; {'they were' if many else 'it was'} left out.",)


def _both(link: Link, contents: Mapping[str, Content]) -> bool:
    sides = ((link.table, link.columns), (link.parent, link.key))
    return all(table in contents and set(columns) <= set(contents[table].frame.columns) for table, columns in sides)
