"""p(columns | context): a table coder with a generator that was fitted to its codes, given codes that are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.kinds import Part
from verisyn.modalities.table import Allowed, BaseGenerator, Carry, Codes, Fitted, Tick
from verisyn.modalities.table._views import TableCoder
from verisyn.running import Run
from verisyn.schema import Table


def beside(*views: Codes) -> Codes:
    """Return codes of the same rows side by side; all but the last view are context."""
    values = np.empty((views[0].rows, sum(len(v.parts) for v in views)), np.int32, order="F")
    at = 0
    for view in views:
        values[:, at:at + len(view.parts)] = view.values
        at += len(view.parts)
    starts = np.cumsum([0, *(len(v.parts) for v in views)])
    kept = tuple(int(start) + j for start, v in zip(starts, views, strict=False) for j in v.kept)
    return Codes(values, tuple(p for v in views for p in v.parts), tuple(n for v in views for n in v.names),
                 at - len(views[-1].parts), kept)


def nothing(rows: int) -> Codes:
    """Return the context of rows of which nothing is known before they are drawn."""
    return Codes(np.empty((rows, 0), np.int32, order="F"), (), ())


class Conditional:
    """The distribution of a table's rows given a context.

    Parameters
    ----------
    coder : TableCoder
        Of the table's own columns.
    fitted : Fitted
        Its parts are those of the context, of the coder, and then `more` that the coder does not know: codes that stand
        for themselves, such as a level that is never shown.
    generator : str
        The full name of the generator that was fitted.
    """

    def __init__(self, coder: TableCoder, fitted: Fitted, generator: str):
        self.coder, self.fitted, self.generator = coder, fitted, generator

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table, context: Codes, maker: BaseGenerator,
              seed: np.random.SeedSequence, *, more: Codes | None = None, run: Run | None = None, jobs: int = 1,
              tick: Tick = lambda done: None) -> Self:
        """Learn the rows of `frame`, each given the same row of `context`; `more` are further codes to learn."""
        coder_seed, fit_seed = seed.spawn(2)
        coder = TableCoder.learn(frame, table, coder_seed)
        return cls.of_codes(coder, coder.encode(frame), context, maker, fit_seed, more=more, run=run, jobs=jobs,
                            tick=tick)

    @classmethod
    def of_codes(cls, coder: TableCoder, own: Codes, context: Codes, maker: BaseGenerator,
                 seed: np.random.SeedSequence, *, more: Codes | None = None, carries: Sequence[Carry] = (),
                 run: Run | None = None, jobs: int = 1, tick: Tick = lambda done: None) -> Self:
        """Learn codes that a coder has made already; `carries` count parts from the first one of the context."""
        whole = beside(own, more) if more else own
        codes = replace(beside(context, whole), carries=tuple(carries))
        return cls(coder, maker.fit_within(run or Run(), codes, seed, jobs, tick), type(maker).__module__.split(
            "verisyn.modalities.")[-1])

    @property
    def own(self) -> int:
        """Parts of the coder."""
        return len(self.coder.parts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that are drawn: the coder's, then those that it does not know."""
        return self.fitted.parts[self.fitted.told:]

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the coder's codes of rows, int32 (rows, own)."""
        return self.coder.encode(frame).values

    def draw(self, context: np.ndarray, rng: np.random.Generator, allowed: Allowed | None = None
             ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a row for each row of the context.

        Parameters
        ----------
        context : int32 array of shape (rows, told)
        allowed : mapping, optional
            For some of the parts that are drawn, by their number among these, a boolean mask over codes.

        Returns
        -------
        codes : int32 array of shape (rows, drawn parts)
        log_mass : float64 array of shape (rows,)
        """
        told = self.fitted.told
        masks = None if allowed is None else {told + j: mask for j, mask in allowed.items()}
        codes, log_mass = self.fitted.sample(len(context), rng, masks, context)
        return codes[:, told:], log_mass

    def complete(self, context: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the codes that are -1, each given the context and the codes before it."""
        out, _ = self.fitted.complete(np.hstack([context, codes]), rng)
        return out[:, self.fitted.told:]

    def decode(self, codes: np.ndarray, seed: np.random.SeedSequence, start: int = 0) -> pl.DataFrame:
        """Return the coder's columns."""
        return self.coder.decode(codes[:, :self.own], seed, start)

    def log_prob(self, context: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return log p(codes | context), float64 of shape (rows,)."""
        return self.log_probs(context, codes).sum(axis=1)

    def log_probs(self, context: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return log p of each code given the context and the codes before it, float64 of shape (rows, drawn parts)."""
        return self.fitted.log_prob(np.hstack([context, codes]))[:, self.fitted.told:]

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        told, drawn = self.fitted.parts[:self.fitted.told], self.parts[self.own:]
        return {"coder": self.coder.state(), "fitted": self.fitted.state(), "generator": self.generator,
                "context": packed(told), "more": packed(drawn)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        coder = TableCoder.restore(state["coder"])
        home = shelves.generators.take(state["generator"]).Generator
        parts = (*unpacked(state["context"]), *coder.parts, *unpacked(state["more"]))
        return cls(coder, home.fitted.restore(parts, state["fitted"]), state["generator"])


def packed(parts: Sequence[Part]) -> list[list[int]]:
    """Return parts as JSON values."""
    return [[part.size, int(part.ordered), part.missing] for part in parts]


def unpacked(state: Sequence[Sequence[int]]) -> tuple[Part, ...]:
    """Rebuild parts."""
    return tuple(Part(int(size), bool(ordered), int(missing)) for size, ordered, missing in state)
