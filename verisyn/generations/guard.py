"""The guard at the door of fit(): synthetic rows that are to be learnt from are told of, and refused where asked."""

from __future__ import annotations

from verisyn.errors import Refused, UserError
from verisyn.progress import Progress
from verisyn.provenance import Provenance

MOSTLY = 0.5
"""A larger share of synthetic and derived rows among those to learn from is worth an alarm, asked for or not."""


def check_share(name: str, value: float | None) -> None:
    """Check that a share is one.

    Raises
    ------
    UserError
        If it is not a number from 0 to 1.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and 0 <= value <= 1):
        raise UserError(f"{name} is {value!r}; a share of the rows, a number from 0 to 1, was expected.")


def guard(provenance: Provenance | None, most: float | None, progress: Progress) -> tuple[str, ...]:
    """Return what is to be said of where the rows to learn from come from; an alarm is raised too.

    Parameters
    ----------
    provenance : Provenance or None
        None where nothing tells.
    most : float, optional
        The largest share of synthetic and derived rows that is allowed.
    progress : Progress
        Is told of an alarm.

    Raises
    ------
    Refused
        If there are more.

    Examples
    --------
    >>> from verisyn.provenance import Source
    >>> mix = Provenance((Source("a", "real", 300), Source("b", "synthetic", 700, "table.trees", 1)))
    >>> guard(mix, 0.5, Progress())
    Traceback (most recent call last):
        ...
    verisyn.errors.Refused: 70 % of the rows to learn from are synthetic or derived (30 % real, 70 % synthetic; \
generation 1); at most 50 % may be (max_synthetic). Give more real rows, or raise it.
    """
    check_share("max_synthetic", most)
    if provenance is None:
        return () if most is None else ("Nothing tells where the rows to learn from come from: they are taken for real "
                                        "ones, which is all that max_synthetic can go by.",)
    share, told = provenance.synthetic_share, provenance.told()
    if most is not None and share > most:
        raise Refused(f"{_percent(share)} of the rows to learn from are synthetic or derived ({told}); at most "
                      f"{_percent(most)} may be (max_synthetic). Give more real rows, or raise it.")
    notes = [f"This model is of generation {provenance.generation + 1}: among the rows it learnt from are some of a "
             f"generator ({told})."] if provenance.generation else []
    if share > MOSTLY:
        alarm = (f"{_percent(share)} of the rows to learn from are synthetic or derived ({told}). A generator that "
                 "learns from such rows loses tails and rare levels, the more with each generation; 'verisyn collapse' "
                 "measures how fast. Give more real rows.")
        progress.note(alarm, alarm=True)
        notes.append(alarm)
    return tuple(notes)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
