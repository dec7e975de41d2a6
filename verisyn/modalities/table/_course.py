"""A fit under way: takes parts learnt before, deals out the time there is, and stops all threads when one must."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

import numpy as np

from verisyn.modalities.table import Codes
from verisyn.modalities.table._boost import Limits
from verisyn.running import Run


class Course:
    """Of one fit; threads share it.

    Parameters
    ----------
    run : Run
    codes : Codes
        What is learnt; decides how the time is dealt out.
    most : int
        Most parts a part is told of.
    jobs : int
        Threads.
    """

    def __init__(self, run: Run, codes: Codes, most: int, jobs: int):
        self.run = run
        self._stop = ctypes.c_int32(0)
        self._weights = _weights(codes, most) if run.budget else np.zeros(len(codes.parts))
        if run.budget:
            run.budget.deal_among(float(self._weights.sum()), jobs)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """End all learning as soon as the block fails or is interrupted.

        Polars has the system restart what Ctrl-C interrupts; the wait for threads would then go on to its end.
        """
        if hasattr(signal, "siginterrupt"):
            signal.siginterrupt(signal.SIGINT, True)
        try:
            yield
        except BaseException:
            self._stop.value = 1
            raise

    def kept(self, j: int) -> dict[str, Any] | None:
        """Return part `j` as an earlier run learnt it, if one did."""
        if self._stop.value:
            raise CancelledError
        return self.run.kept.get(str(j)) if self.run.kept else None

    def limits(self, j: int) -> Limits:
        """Return what learning part `j`, which begins now, must keep to."""
        seconds = max(0.0, self.run.budget.share(float(self._weights[j]))) if self.run.budget else -1.0
        return Limits(ctypes.addressof(self._stop), seconds, 0)

    def ended(self, j: int, limits: Limits, pieces: dict[str, Any]) -> None:
        """Keep a part that was learnt in full; remember one that was cut short."""
        if limits.cut:
            self.run.cut[j] = limits.cut
        elif self.run.kept and not self._stop.value:
            self.run.kept.put(str(j), pieces)


def _weights(codes: Codes, most: int) -> np.ndarray:
    """About how long each part takes, compared with the others: features, times questions a row (the entropy)."""
    out = np.zeros(len(codes.parts))
    for j, part in enumerate(codes.parts):
        if j < codes.told:
            continue
        share = np.bincount(codes.values[:, j], minlength=part.size) / max(codes.rows, 1)
        out[j] = (1 + min(j, most)) * (0.1 - float(np.sum(share * np.log2(np.where(share > 0, share, 1)))))
    return out
