"""Schema → Table → Column, Constraint, Bias, Cause: frozen, found by describe(), round-trips through YAML."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verisyn.errors import UserError, did_you_mean

FORMAT = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Frozen):
    """One column: what it is, and what makes us think so.

    Parameters
    ----------
    name : str
        The column's name in the data.
    kind : str
        A name on the `kinds` shelf.
    dtype : str
        The polars data type of the column as it was read, for example ``Int64``.
    settings : dict
        What the kind wants to know beyond its name (for example the text format of a date). A user may edit it.
    missing : float
        Share of rows without a value, 0 to 1.
    sensitive : bool
        Whether fairness and attribute-inference questions should be asked of it.
    evidence : str
        Why this kind was chosen, in one sentence.
    """

    name: str
    kind: str
    dtype: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    missing: float = 0.0
    sensitive: bool = False
    evidence: str = ""


class Constraint(_Frozen):
    """What must hold between columns of a row, or of the whole table.

    Parameters
    ----------
    kind : str
        A name on the `constraints` shelf.
    columns : tuple of str
        The columns it speaks of, in the order its kind asks for.
    settings : dict
        What the kind wants to know beyond the columns. A user may edit it.
    evidence : str
        How many rows of the data it rests on, in one sentence.
    """

    kind: str
    columns: tuple[str, ...] = Field(min_length=1)
    settings: dict[str, Any] = Field(default_factory=dict)
    evidence: str = ""


class Bias(_Frozen):
    """A bias that the real data have, found by describe(); it is told, and changes nothing in what is learnt.

    Parameters
    ----------
    kind : str
        ``"representation"`` (a group has few rows), ``"outcome"`` (a group's target differs from all others'),
        ``"proxy"`` (another column tells much of a sensitive one) or ``"missing"`` (a column is missing more often, or
        more rarely, in a group).
    columns : tuple of str
        The sensitive column first.
    figure : float
        The group's share of the rows; its gap to all others (shares, or standard deviations of a number); the strength
        of the association, 0 to 1; the gap between shares of missing values.
    interval : (float, float), optional
        The figure's 95 % interval.
    evidence : str
        What was seen, in one sentence.
    """

    kind: str
    columns: tuple[str, ...] = Field(min_length=1)
    figure: float
    interval: tuple[float, float] | None = None
    evidence: str = ""


class Cause(_Frozen):
    """One column is a cause of another, as far as is known; ``do`` follows the arrows.

    Parameters
    ----------
    cause, effect : str
        The two columns.
    direction : str
        Who says which way the arrow points: ``"told"`` (a person), ``"background"`` (what comes first and last in
        time), ``"data"`` (the data tell it, as far as they name every common cause), ``"open"`` (not told by the
        data: the other way fits as well), ``"recomputed"`` (a constraint computes the effect from the cause).
    strength : float, optional
        How strongly the two go together given the effect's other causes, 0 to 1: a partial correlation for two numbers.
    gain : float, optional
        By how much the arrow raises the score (BIC, in nats) of the whole.
    evidence : str
        What was seen, in one sentence.
    """

    cause: str
    effect: str
    direction: str = "told"
    strength: float | None = None
    gain: float | None = None
    evidence: str = ""


class Link(_Frozen):
    """A foreign key: rows of one table point to rows of another, or of the same.

    Parameters
    ----------
    table : str
        The table that points (the child).
    columns : tuple of str
        Its columns that do.
    parent : str
        The table that is pointed to.
    key : tuple of str
        Its columns that are pointed to, in the order of `columns`; unique in it.
    optional : bool
        Whether a row may point nowhere (all of `columns` missing).
    orphans : float
        Share of the rows that point, 0 to 1, whose key no parent row has; synthetic rows keep that share.
    owner : bool
        Whether rows of the child are drawn as the children of this parent: how many there are, and each given the
        parent's row and its siblings. A table has one owner at most; its other links are drawn with its rows.
    where : dict
        For a column that points to one table or another: the child's rows it holds for, by the values that its other
        columns have there (``{"owner_type": "customer"}``).
    constraints : tuple of Constraint
        What must hold between rows of the child and the row of the parent that they point to; the child's columns are
        named first, the parent's last.
    evidence : str
        Why this is a foreign key, in one sentence.
    """

    table: str
    columns: tuple[str, ...] = Field(min_length=1)
    parent: str
    key: tuple[str, ...] = Field(min_length=1)
    optional: bool = False
    orphans: float = 0.0
    owner: bool = False
    where: dict[str, Any] = Field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    evidence: str = ""

    @property
    def name(self) -> str:
        """What to call it: ``orders.customer_id``; with the parent where the columns alone do not tell."""
        own = f"{self.table}.{'+'.join(self.columns)}"
        return f"{own} ({self.parent})" if self.where else own


class Table(_Frozen):
    """One table: its columns in order, what holds between them, how it is biased, what causes what, rows, target.

    Parameters
    ----------
    key : tuple of str
        The columns that tell its rows apart (the primary key), where there are some; they are made anew.
    public : bool
        Whether it is a reference table that is public anyhow: its rows are kept word for word.
    entity : tuple of str
        Where rows are events or measurements in time: the columns that say whose they are (a customer, an engine).
        With `time` and without `entity`, all rows are one long series.
    time : str, optional
        The column that orders the rows of an entity: moments, dates, or whole numbers that count steps.
    """

    name: str
    columns: tuple[Column, ...]
    rows: int = 0
    target: str | None = None
    key: tuple[str, ...] = ()
    public: bool = False
    entity: tuple[str, ...] = ()
    time: str | None = None
    constraints: tuple[Constraint, ...] = ()
    biases: tuple[Bias, ...] = ()
    causes: tuple[Cause, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called `name`.

        Raises
        ------
        UserError
            If there is no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise UserError(f"Table {self.name!r} has no column {name!r}. {did_you_mean(name, self.names)}")

    @property
    def names(self) -> list[str]:
        """The column names, in order."""
        return [c.name for c in self.columns]

    def of(self, names: Collection[str]) -> Table:
        """Return the table with these of its columns alone, and what is known of them; the others are left out."""
        told = {n for constraint in self.constraints for n in constraint.columns}  # may name what is no column here
        if {*self.names, *told} <= set(names):
            return self
        kept = tuple(c for c in self.columns if c.name in names)
        known: dict[str, Any] = {part: tuple(x for x in getattr(self, part) if set(x.columns) <= set(names))
                                 for part in ("constraints", "biases")}
        known["causes"] = tuple(c for c in self.causes if {c.cause, c.effect} <= set(names))
        known |= {part: getattr(self, part) if set(getattr(self, part)) <= set(names) else ()
                  for part in ("key", "entity")}
        known |= {part: None for part in ("target", "time") if getattr(self, part) not in names}
        return self.model_copy(update={"columns": kept, **known})


class Schema(_Frozen):
    """What is known about a data set before anything is learnt from it.

    Examples
    --------
    >>> schema = Schema(tables=(Table(name="people", columns=(Column(name="age", kind="number"),)),))
    >>> Schema.from_yaml(schema.to_yaml()) == schema
    True
    """

    format: int = FORMAT
    tables: tuple[Table, ...]
    links: tuple[Link, ...] = ()

    @property
    def table(self) -> Table:
        """The only table of a one-table schema."""
        return self.tables[0]

    def of(self, name: str) -> Table:
        """Return the table called `name`.

        Raises
        ------
        UserError
            If there is no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise UserError(f"There is no table {name!r}. {did_you_mean(name, [t.name for t in self.tables])}")

    def called(self, name: str) -> Schema:
        """Return the schema of one table with that table under another name, in its links too."""
        old = self.table.name
        links = tuple(link.model_copy(update={end: name for end in ("table", "parent") if getattr(link, end) == old})
                      for link in self.links)
        return self.model_copy(update={"tables": (self.table.model_copy(update={"name": name}),), "links": links})

    def with_public(self, names: Collection[str]) -> Schema:
        """Return the schema with these tables marked as public, besides those that are.

        Raises
        ------
        UserError
            If there is no such table.
        """
        for name in names:
            self.of(name)
        tables = tuple(t.model_copy(update={"public": t.public or t.name in names}) for t in self.tables)
        return self.model_copy(update={"tables": tables}) if names else self

    def links_from(self, table: str) -> tuple[Link, ...]:
        """The links of a table to its parents."""
        return tuple(link for link in self.links if link.table == table)

    def links_to(self, table: str) -> tuple[Link, ...]:
        """The links to a table from its children."""
        return tuple(link for link in self.links if link.parent == table)

    def to_yaml(self) -> str:
        """Return the schema as YAML that a person can edit."""
        content = self.model_dump(mode="json")
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
        if yaml.safe_load(text) == content:
            return text
        return yaml.safe_dump(content, sort_keys=False, width=120)  # odd line separators only survive escaped

    @classmethod
    def from_yaml(cls, text: str, where: str = "the schema") -> Schema:
        """Read a schema from YAML.

        Raises
        ------
        UserError
            If the text is not YAML or not a schema; the message names the place.
        """
        try:
            content = yaml.safe_load(text)
            if not isinstance(content, dict):
                raise UserError(f"{where} is not a schema: it should begin with 'format:' and 'tables:'. Write one "
                                "with 'verisyn describe'.")
            return cls.model_validate(content)
        except yaml.YAMLError as e:
            raise UserError(f"{where} is not valid YAML: {e}") from None
        except ValidationError as e:
            first = e.errors()[0]
            place = ".".join(map(str, first["loc"])) or "top level"
            raise UserError(f"{where} has a mistake at {place}: {first['msg']}. Correct it, or write a fresh one "
                            "with 'verisyn describe'.") from None

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema file."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UserError(f"There is no schema file {str(path)!r}. Write one with 'verisyn describe'.") from None
        except (OSError, UnicodeDecodeError) as e:
            raise UserError(f"The schema file {str(path)!r} could not be read: {e}") from None
        schema = cls.from_yaml(text, f"The schema file {str(path)!r}")
        if schema.format > FORMAT:
            raise UserError(f"The schema file {str(path)!r} has format {schema.format}, newer than this version of "
                            f"verisyn knows ({FORMAT}). Upgrade verisyn.")
        return schema
