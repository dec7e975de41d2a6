"""Stages of long work: shown to a person on a terminal, recorded for run.json, silent otherwise."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class StageCost:
    """What one stage cost: seconds of CPU (all threads) and of wall clock, peak memory of the process in MB."""

    name: str
    cpu_seconds: float
    wall_seconds: float
    peak_mb: float | None


def peak_mb() -> float | None:
    """Return the process's peak memory in MB since :func:`reset_peak`; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def reset_peak() -> None:
    """Start measuring peak memory afresh, where the system can (Linux); elsewhere the peak is the process's own."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


@dataclass
class Progress:
    """Records what each stage costs, and what is to be said of it; subclasses also show it.

    Examples
    --------
    >>> progress = Progress()
    >>> with progress.stage("count", total=2) as tick:
    ...     tick(1); tick(1)
    >>> [cost.name for cost in progress.costs]
    ['count']
    """

    costs: list[StageCost] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str, alarm: bool = False) -> None:
        """Keep a sentence for the user; an alarm is one that needs attention."""
        self.notes.append(text)

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Open a stage; the yielded function is told of units done, of `total`."""
        reset_peak()
        cpu, wall = time.process_time(), time.perf_counter()
        with self._show(name, total) as tick:
            yield tick
        peak = peak_mb()
        self.costs.append(StageCost(name, time.process_time() - cpu, time.perf_counter() - wall, peak))

    @contextmanager
    def _show(self, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda done: None


class WarningProgress(Progress):
    """Silent, but an alarm becomes a Python warning."""

    def note(self, text: str, alarm: bool = False) -> None:
        """Keep a sentence for the user, and warn of an alarm."""
        super().note(text, alarm)
        if alarm:
            warnings.warn(text, stacklevel=2)


class TerminalProgress(Progress):
    """Shows stages as rich progress bars on standard error."""

    @contextmanager
    def _show(self, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        console = Console(stderr=True)
        timing = (TimeRemainingColumn(), TextColumn("left")) if total else (TimeElapsedColumn(),)
        columns = (SpinnerColumn(), TextColumn("{task.description:<28}"), BarColumn(bar_width=28), *timing)
        with Bars(*columns, console=console, transient=True) as bars:
            task = bars.add_task(name, total=total)
            yield lambda done: bars.advance(task, done)


def default_progress() -> Progress:
    """Return bars on a terminal, silence elsewhere (and where ``VERISYN_QUIET`` is set)."""
    shown = sys.stderr.isatty() and not os.environ.get("VERISYN_QUIET")
    return TerminalProgress() if shown else Progress()
