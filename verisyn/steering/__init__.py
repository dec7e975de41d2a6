"""What a user may wish of the rows: given, balance, shares, do, targets, fair, tails; each is met inside the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import Condition, Given, parse
from verisyn.constraints._rules import Ledger
from verisyn.data import Dataset
from verisyn.drawing import Drawing, child
from verisyn.errors import UserError, did_you_mean
from verisyn.modalities.table._views import TableCoder
from verisyn.steering import tails as lengthening
from verisyn.steering._yaml import load
from verisyn.steering.conditional import Rows
from verisyn.steering.fair import OWN_ROWS, Fair
from verisyn.steering.intervention import Do, Intervention
from verisyn.steering.partial import Partial
from verisyn.steering.refit import Refitter
from verisyn.steering.shares import Kinds, Shares
from verisyn.steering.tails import Tail, Tails
from verisyn.steering.targets import Targets, Tilt, Wanted

Say = Callable[[str, bool], None]
"""Told, in a sentence, what was done; and whether it needs attention."""

_APART = (("shares", ("do", "targets")), ("partial", ("given", "shares", "do", "targets", "fair")),
          ("fair", ("do",)))
"""Wishes that do not go together."""
_TAILS, _OWN, _FAIR = 2**30, 2**30 + 1, 2**30 + 2
"""Numbers of the child seeds of longer tails, of own rows to learn fairness from, and of making rows fair."""


@dataclass(frozen=True)
class Steered:
    """Rows that were drawn as wished, with all that tells how the wishes were met.

    Parameters
    ----------
    frame : DataFrame
    wishes : Wishes
    weights : float array of shape (rows,), optional
        Weighted by them, the rows are as those the model draws without shares and targets; their mean is 1.
    kinds : Kinds, optional
        Which of the kinds with shares each row is of.
    tails : list of Tail
    """

    frame: pl.DataFrame
    wishes: Wishes
    weights: np.ndarray | None = None
    kinds: Kinds | None = None
    tails: tuple[Tail, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What rows are to be like."""

    given: Condition | None = None
    partial: Partial | None = None
    shares: Shares | None = None
    do: Intervention | None = None
    targets: Targets | None = None
    fair: Fair | None = None
    tails: Tails | None = None
    weights: str | None = None

    @classmethod
    def read(cls, coder: TableCoder, *, given: Given | Any | None = None, balance: str | None = None,
             shares: Mapping[str, Any] | None = None, do: Do | None = None, targets: Wanted | None = None,
             fair: Mapping[str, Any] | None = None, tails: lengthening.Asked | None = None,
             weights: str | None = None) -> Wishes:
        """Check what was wished, and that it goes together."""
        if balance and shares:
            raise UserError("balance and shares were both given. Give one of them: balance is equal shares of all "
                            "levels of one column.")
        if balance and (do or targets):
            raise UserError("balance cannot be combined with do or targets. Give the shares of "
                            f"{balance!r} as targets instead.")
        just = Fair.read(fair, coder) if fair else None
        if just and (just.balance or just.shares):
            if balance or shares:
                raise UserError("fair has groups, and balance or shares were given as well. Leave one of them out.")
            balance, shares = just.balance, just.shares
        partial = not isinstance(given, str | Mapping) and (isinstance(given, Dataset) or hasattr(given, "columns"))
        read = cls(
            given=parse(given, coder.columns) if not partial and given is not None and given != {} else None,
            partial=Partial.read(given, coder) if partial else None,
            shares=Shares.balanced(balance, coder) if balance else Shares.read(shares, coder) if shares else None,
            do=Intervention.read(do, coder) if do else None,
            targets=Targets.read(targets, coder.columns) if targets else None, fair=just,
            tails=Tails.read(tails, coder) if tails else None, weights=weights)
        read._go_together(coder)
        return read

    @property
    def plain(self) -> bool:
        """Whether nothing was wished."""
        return all(getattr(self, f.name) is None for f in fields(self))

    @property
    def _fixed(self) -> frozenset[str]:
        """Columns that are set, or given row by row."""
        return self.do.columns if self.do else frozenset(self.partial.frame.columns if self.partial else ())

    def _go_together(self, coder: TableCoder) -> None:
        if self.fair:
            self.fair.go_with(self.given, self.shares)
        words = {"partial": "Rows to complete"}
        for one, others in _APART:
            for other in others:
                if getattr(self, one) and getattr(self, other):
                    raise UserError(f"{words.get(one, one)} cannot be combined with {other}. Leave one of them out.")
        for column in sorted(self.tails.columns & self._fixed) if self.tails else ():
            who = "do sets" if self.do else "The rows to complete hold"
            raise UserError(f"{who} {column!r}, which stays as it is, so its tail cannot be lengthened. Leave it "
                            "out of tails.")
        if self.weights is not None and not (isinstance(self.weights, str) and self.weights):
            raise UserError(f"weights is {self.weights!r}, but the name of a column to add was expected, such as 'w'.")
        if self.weights and not (self.shares or self.targets):
            raise UserError("weights tell how to undo shares, balance or targets, and none of them was given.")
        marks = [lengthening.MARK.format(column) for column in self.tails.columns] if self.tails else []
        if self.weights in (*coder.columns, *marks):
            raise UserError(f"The weights shall be called {self.weights!r}, but a column has that name already. Choose "
                            "another name.")

    def draw(self, rows: int, drawing: Drawing, refitter: Refitter, root: np.random.SeedSequence, *, tick: Any,
             say: Say) -> Steered:
        """Draw so many rows; say what was done, and what keeping the constraints cost."""
        drawn = self._drawn(rows, drawing, refitter, root, tick, say)
        if self.fair:
            apart = replace(drawing, ledger=Ledger())
            own = self._drawn(OWN_ROWS, apart, refitter, child(root, _OWN), _silent, _silent)
            fair = self.fair.applied(drawn.frame, own.frame, drawing, child(root, _FAIR), say, self.given)
            drawn = replace(drawn, frame=fair)
        if self.tails:
            tails = tuple(self.tails.learn(drawing, refitter.rows))
            rng = np.random.default_rng(child(root, _TAILS))
            frame, why = lengthening.lengthened(drawn.frame, tails, self._limits(drawing), rng)
            lengthening.tell(frame, tails, why, say)
            drawn = replace(drawn, frame=frame, tails=tails)
        for text, alarm in self.targets.notes(drawn.frame) if self.targets else ():
            say(text, alarm)
        if self.weights and drawn.kinds and drawn.kinds.lost:
            say(drawn.kinds.lost, True)
        if self.weights and drawn.weights is not None:
            drawn = replace(drawn, frame=drawn.frame.with_columns(pl.Series(self.weights, drawn.weights)))
        drawing.tell(say)
        return drawn

    def _drawn(self, rows: int, drawing: Drawing, refitter: Refitter, root: np.random.SeedSequence, tick: Any,
               say: Say) -> Steered:
        if self.partial:
            frame = self.partial.draw(rows, drawing, root, say)
            tick(rows)
            return Steered(drawing.finish(frame, root, self.partial.frame.columns), self)
        if not (self.given or self.shares or self.do or self.targets):
            return Steered(drawing.finish(drawing.blocks(rows, root, tick), root), self)
        if self.do and not (self.given or self.targets) and self.do.reach(drawing).causal:
            return Steered(self.do.sample(rows, drawing, root, tick, say), self)
        wished, tilt = Rows.of(drawing, refitter, self.given, self.do), None
        if self.shares:
            frame, kinds = self.shares.draw(rows, wished, root, tick)
            return Steered(self._met(drawing.finish(frame, root)), self, kinds.weights, kinds)
        if self.do:
            self.do.tell(drawing, say)
        if self.targets:
            tilt = Tilt.towards(self.targets, wished, rows, child(root, 0))
        frame = tilt.draw(rows, child(root, 1), tick) if tilt else wished.draw(rows, root, tick)[0]
        frame = self._met(drawing.finish(frame, root, self.do.columns if self.do else ()))
        if self.do:
            self.do.tell_overruled(frame, drawing, say)
        return Steered(frame, self, tilt.weights(frame) if tilt else None)

    def _limits(self, drawing: Drawing) -> lengthening.Limits:
        """What longer tails leave as it is: constraints, conditions, shares, and what do sets or was given."""
        shares = [c for s in self.shares.strata for c in s.conditions] if self.shares else []
        return lengthening.Limits(drawing.coder.rules, (*([self.given] if self.given else []), *shares),
                                  tuple(sorted(self._fixed)))

    def _met(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Refuse rows that were moved out of the condition because they may not repeat."""
        lost = int((~self.given.holds(frame)).sum()) if self.given else 0
        if self.given and lost:
            raise UserError(f"{frame.height:,} rows that meet the condition {self.given.text!r} and keep the "
                            f"constraints of the whole table could not be made: {lost:,} of them would have to repeat. "
                            "Ask for fewer rows, or take the constraint 'unique' out of the schema.")
        return frame


WISHES = ("given", "balance", "shares", "do", "targets", "fair", "tails", "weights")
"""The names of the wishes, as Python, the command line and a steering file spell them."""


_EXAMPLES = {"shares": "{fraud: {yes: 0.3}}", "fair": "{sensitive: sex, outcome: income}"}


def together(steer: str | Path | Mapping[str, Any] | None, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wishes of a steering file (or mapping) and those that were given one by one.

    Examples
    --------
    >>> together({"given": "age < 30"}, {"weights": "w", "do": None})
    {'given': 'age < 30', 'weights': 'w'}

    Raises
    ------
    UserError
        If the file cannot be read, there is no such wish, or one was given twice.
    """
    found = {name: wish for name, wish in wishes.items() if wish is not None}
    if steer is None:
        return found
    if not isinstance(steer, str | Path | Mapping):
        raise UserError(f"steer is {steer!r}, but a YAML file or a mapping of wishes is expected, such as "
                        "{'given': 'age < 30'}.")
    where = "steer" if isinstance(steer, Mapping) else f"The steering file {str(steer)!r}"
    read = steer if isinstance(steer, Mapping) else _loaded(Path(steer), where)
    for name in read:
        if name not in WISHES:
            raise UserError(f"{where} wishes for {name!r}, which is no wish. {did_you_mean(name, WISHES)}")
        if name in found:
            raise UserError(f"{name} was given twice: by itself, and in the steering file. Leave one of them out.")
    return {**read, **found}


def _silent(*_said: Any) -> None:
    """Say nothing."""


def from_yaml(name: str, text: str | None) -> Any:
    """Read a wish that the command line gives as YAML; None stays None.

    Examples
    --------
    >>> from_yaml("shares", "{fraud: {yes: 0.3}}")
    {'fraud': {'yes': 0.3}}

    Raises
    ------
    UserError
        If it is no YAML mapping.
    """
    import yaml

    try:
        read = load(text) if text is not None else None
    except yaml.YAMLError:
        read = text
    if text is not None and not isinstance(read, dict):
        raise UserError(f"--{name} {text!r} could not be read. Write it like: {_EXAMPLES[name]}.")
    return read


def _loaded(path: Path, where: str) -> dict[str, Any]:
    import yaml

    try:
        read = load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise UserError(f"{where} cannot be read: {getattr(e, 'strerror', None) or e}.") from None
    except yaml.YAMLError as e:
        raise UserError(f"{where} is not valid YAML: {' '.join(str(e).split())}.") from None
    if not isinstance(read, dict):
        raise UserError(f"{where} holds no wishes. Write it like: given: \"age < 30\", one wish a line; known are "
                        f"{', '.join(WISHES)}.")
    return {str(name): wish for name, wish in read.items()}
