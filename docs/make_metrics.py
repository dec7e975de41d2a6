"""Write metrics.md: every metric's question, definition and rule, from the metrics themselves."""

from __future__ import annotations

import inspect
from pathlib import Path

from verisyn import shelves

HEAD = """# The metrics

Written from the metrics' own documentation by `python docs/make_metrics.py`; how they are asked, and what their
verdicts rest on, is in [assessment.md](assessment.md).
"""


def section(name: str) -> str:
    """One metric, as the report's page of it says."""
    metric = shelves.metrics.take(name)
    least = getattr(metric, "effort", "quick")
    asked = f"\n\nAsked at the effort `{least}` and above." if least != "quick" else ""
    sources = "".join(f"\n- <{address}>" for address in getattr(metric, "references", ()))
    return (f"## `{name}`\n\n*{metric.title}* Best is {metric.best:g}.\n\n{inspect.cleandoc(metric.__doc__)}\n\n"
            f"Verdict — {metric.rule}.{asked}\n{sources and chr(10) + sources.strip() + chr(10)}")


def page() -> str:
    """The whole page; metrics that other packages bring are left out."""
    own = [n for n in shelves.metrics.names() if shelves.metrics.take(n).__name__.startswith("verisyn.")]
    return "\n".join([HEAD, *map(section, own)])


if __name__ == "__main__":
    (Path(__file__).parent / "metrics.md").write_text(page(), encoding="utf-8")
