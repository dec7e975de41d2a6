"""Fair rows: the outcome is drawn anew so that models learnt from them decide alike about groups of people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import Condition
from verisyn.drawing import Drawing, child
from verisyn.errors import UserError, did_you_mean
from verisyn.frames import some
from verisyn.modalities.table._views import TableCoder
from verisyn.steering import _fair_read as read_of
from verisyn.steering._fair_map import FairMap, Tally
from verisyn.steering._grouping import Grouping
from verisyn.steering._outcome import Outcome
from verisyn.steering._parity import At
from verisyn.steering._proxies import Proxies, strengths
from verisyn.steering._repair import Repair
from verisyn.steering.shares import Shares

Wish = Mapping[str, Any]
"""``{"sensitive": "sex", "outcome": "income"}`` and, if need be, the other keys of :class:`Fair`."""

OWN_ROWS = 40_000
"""So many of the model's own rows are to be learnt from."""
_LEAST = 100
"""A group of fewer own rows is left as it is: its chances are not known well enough to be held beside others'."""
_FEWEST, _CANDIDATES = 10_000, 2_000_000
"""A number has as many candidates a row as it has codes: then fewer rows are learnt from."""
_SHOWN = 3
_TOLD = 0.1
"""A small association (Cohen 1988)."""
_KEYS = ("sensitive", "outcome", "criterion", "favourable", "at", "cost", "aware", "bands", "proxies", "groups",
         "population")


@dataclass(frozen=True)
class Fair:
    """What is to be fair, and how.

    Parameters
    ----------
    sensitive : tuple of str
        The columns that tell groups of people; several are crossed, a number is cut into bands.
    outcome : Outcome
        What is decided about.
    criterion : {"demographic_parity", "equal_opportunity"}
        Whether groups are to get a favourable decision equally often, or those of them who have the outcome.
    at : "every" or (low, high), optional
        Of which decisions: of every one, or of those that say yes to such shares of the rows. Without it, of the usual
        ones (that say yes to as many rows as have the outcome, or where its chance is above a half), and of as many
        others around them as `cost` allows.
    cost : float
        The most that parity may cost, in AUC by the model's own chances.
    aware : bool
        Whether models may see the sensitive columns. If not, the new outcome depends on the other columns alone.
    bands : dict
        Where the bands of a number begin.
    proxies : Proxies, optional
        What happens to other columns that tell much of the sensitive ones.
    groups : "balanced" or dict, optional
        The groups' shares of the rows.
    population : DataFrame, optional
        Real rows of the people that decisions will be about, to learn from how chances spread in each group; without
        them, the model's own rows. They are read as everything is: a dataframe or a path.
    wish : mapping
        As it was given, but for the population.
    """

    sensitive: tuple[str, ...]
    outcome: Outcome
    criterion: str = "demographic_parity"
    at: At = None
    cost: float = read_of.COST
    aware: bool = True
    bands: dict[str, list[float]] = field(default_factory=dict)
    proxies: Proxies | None = None
    groups: Any = None
    population: pl.DataFrame | None = None
    wish: Wish = field(default_factory=dict)

    @classmethod
    def read(cls, wish: Wish, coder: TableCoder) -> Fair:
        """Check a wish.

        Examples
        --------
        >>> import verisyn as vs
        >>> model = vs.fit(pl.DataFrame({"sex": ["f", "m", "m"] * 90, "hired": ["no", "yes", "no"] * 90}), audit=False)
        >>> Fair.read({"sensitive": "sex", "outcome": "hired"}, model.coder).outcome.classes
        ('no', 'yes')

        Raises
        ------
        UserError
            If a key or column is unknown, the outcome is sensitive itself or has one value only, or what is wished does
            not go together.
        """
        if not isinstance(wish, Mapping):
            raise UserError(f"fair is {wish!r}, but a mapping is expected, such as {{'sensitive': 'sex', 'outcome': "
                            "'income'}.")
        for key in wish:
            if key not in _KEYS:
                raise UserError(f"fair has no key {key!r}. {did_you_mean(str(key), _KEYS)}")
        for key in ("sensitive", "outcome"):
            if wish.get(key) in (None, "", [], ()):
                raise UserError(f"fair does not say what is {key}. Write it like: {{'sensitive': 'sex', 'outcome': "
                                "'income'}.")
        sensitive = read_of.sensitive(wish["sensitive"], coder)
        if wish["outcome"] in sensitive:
            raise UserError(f"fair names {wish['outcome']!r} as the outcome and as sensitive. Name two columns.")
        outcome = Outcome.read(wish["outcome"], wish.get("favourable"), coder)
        if shared := set(outcome.coder.columns) & set(sensitive):
            raise UserError(f"The sensitive column {min(shared)!r} follows from the outcome {outcome.column!r}, so "
                            "nothing can be fair between its groups.")
        taken = (*sensitive, *outcome.coder.columns)
        at = read_of.at(wish.get("at"))
        return cls(sensitive, outcome, read_of.criterion(wish.get("criterion")), at, read_of.cost(wish.get("cost"), at),
                   read_of.aware(wish.get("aware")), read_of.bands(wish.get("bands"), sensitive),
                   Proxies.read(wish.get("proxies"), coder, taken), read_of.groups(wish.get("groups"), sensitive),
                   read_of.population(wish.get("population"), coder),
                   {key: value for key, value in wish.items() if key != "population"})

    # -- what other wishes are told ---------------------------------------------------------------------------------
    @property
    def balance(self) -> str | None:
        """The column whose levels are to be equally frequent, as the wish `balance` names it."""
        return self.sensitive[0] if self.groups == "balanced" else None

    @property
    def shares(self) -> dict[str, Any] | None:
        """The shares of the groups, as the wish `shares` takes them."""
        return {self.sensitive[0]: dict(self.groups)} if isinstance(self.groups, Mapping) else None

    def go_with(self, given: Condition | None, shares: Shares | None) -> None:
        """Check that neither a condition nor shares are on the outcome, which is drawn anew.

        Raises
        ------
        UserError
            If one is.
        """
        strata = shares.strata if shares else ()
        conditions = [*([given] if given else []), *(c for s in strata for c in s.conditions)]
        named = {column for c in conditions for clause in c.conjuncts for column in clause.columns}
        if named & set(self.outcome.coder.columns) or any(self.outcome.part in s.allowed for s in strata):
            raise UserError(f"fair draws {self.outcome.column!r} anew, so no condition and no shares can be wished of "
                            "it besides. Leave that column out of given, balance and shares.")

    # -- on rows ----------------------------------------------------------------------------------------------------
    def learn(self, own: pl.DataFrame, drawing: Drawing, root: np.random.SeedSequence,
              people: pl.DataFrame | None = None) -> FairMap:
        """Learn on rows that were drawn without this wish, but with all others; chances on `people`, if given.

        Raises
        ------
        UserError
            If there are fewer than two groups with enough rows, or no column is left that models could see.
        """
        real, people = people is not None, own if people is None else people
        most = max(_FEWEST, _CANDIDATES // len(self.outcome.members))
        people = some(people, most, np.random.default_rng(child(root, 3)))
        features = drawing.coder.features(people)
        if gone := [c for c in self.sensitive if c not in {f.name for f in features}]:
            raise UserError(f"The values of {gone[0]!r} are not learnt but made afresh, so they tell no groups. Name "
                            "another sensitive column.")
        grouping = Grouping.learn(features, self.sensitive, self.bands, min(_LEAST, max(2, people.height // 20)))
        if len(grouping.names) < 2:
            only = f"only {grouping.names[0]} has" if grouping.names else "none has"
            raise UserError(f"Fairness takes two groups of {_listed(self.sensitive)}, but {only} enough of the rows. "
                            "Name another column or, for a number, where its bands begin: 'bands': {'age': [30, 50]}.")
        repair = self._repair(own, grouping, drawing, child(root, 0))
        if {f.name for f in features} <= {*self.sensitive, *self.outcome.coder.columns, *repair.removed}:
            raise UserError("No column is left that models could learn from: all are sensitive, the outcome, or left "
                            "out as proxies. Name the proxies yourself: 'proxies': {'remove': [...]}.")
        people = repair.applied(people, grouping.of(features), drawing, np.random.default_rng(child(root, 1)))
        return FairMap.learn(self, grouping, repair, people, drawing, np.random.default_rng(child(root, 2)), real)

    def _repair(self, own: pl.DataFrame, grouping: Grouping, drawing: Drawing, root: np.random.SeedSequence) -> Repair:
        """What is done to proxies, learnt on the model's own rows alone."""
        if not self.proxies:
            return Repair()
        group, taken = grouping.of(drawing.coder.features(own)), (*self.sensitive, *self.outcome.coder.columns)
        columns = self.proxies.found(own, group, drawing, taken)
        repair = Repair.learn(self.proxies, columns, own, group, drawing, taken)
        if not repair.moves:
            return repair
        left = strengths(repair.applied(own, group, drawing, np.random.default_rng(root)), group, drawing)
        return replace(repair, left={c: left[c] for c in repair.repaired if left.get(c, 0) >= _TOLD})

    def _people(self, given: Condition | None, root: np.random.SeedSequence) -> pl.DataFrame | None:
        """The population under a condition, at most :data:`OWN_ROWS` of it; None where it is hardly met there."""
        people = self.population
        if people is not None and given is not None:
            people = people.filter(given.holds(people))
        if people is None or people.height < 2 * _LEAST:
            return None
        return some(people, OWN_ROWS, np.random.default_rng(root))

    def applied(self, frame: pl.DataFrame, own: pl.DataFrame, drawing: Drawing, root: np.random.SeedSequence,
                say: Callable[[str, bool], None], given: Condition | None = None) -> pl.DataFrame:
        """Return finished rows made fair, and say what was done.

        Parameters
        ----------
        frame : DataFrame
            Rows as all other wishes have them.
        own : DataFrame
            Other rows of the same kind, about :data:`OWN_ROWS`, to learn from.
        drawing : Drawing
        root : SeedSequence
            The same seed gives the same rows, whatever the threads.
        say : function
            Told, in a sentence, what was done; and whether it needs attention.
        given : Condition, optional
            What all these rows meet.
        """
        learnt = self.learn(own, drawing, child(root, 0), self._people(given, child(root, 3)))
        fair, tally = learnt.applied(frame, drawing, child(root, 1))
        if any(rule.whole for rule in drawing.coder.rules.rules):
            fair = drawing.finish(fair, child(root, 2))
        for sentence, alarm in self._told(learnt, tally):
            say(sentence, alarm)
        return fair.drop(learnt.repair.removed)

    def _told(self, learnt: FairMap, tally: Tally) -> list[tuple[str, bool]]:
        rows, cost = max(1, int(tally.before.sum())), float(np.mean([p.cost for p in learnt.parities]))
        told = [(f"Made fair for models that {'see' if self.aware else 'do not see'} {_listed(self.sensitive)}: "
                 f"{self.criterion.replace('_', ' ')} of {_where(learnt)}, expected to cost {100 * cost:.1f} points of "
                 f"AUC. {tally.changed / rows:.1%} of the outcomes changed. {_shares(learnt, tally)}", False)]
        if self.at is None and cost > self.cost * 1.05:
            told.append((f"Even parity of the usual decisions alone is expected to cost {100 * cost:.1f} points of "
                         f"AUC, more than the {100 * self.cost:.1f} allowed.", True))
        if learnt.grouping.left_out:
            told.append((f"Some groups of {_listed(self.sensitive)} have too few rows to be made fair, and are left as "
                         "they are.", True))
        if tally.kept:
            told.append((f"{tally.kept:,} rows ({tally.kept / rows:.2%}) kept their outcome: with another they would "
                         "break a constraint.", tally.kept > 0.01 * rows))
        repair = learnt.repair
        if self.proxies and not (repair.moves or repair.removed):
            told.append((f"No column tells so much of {_listed(self.sensitive)} that it would be a proxy.", False))
        if repair.moves:
            told.append((f"Redrawn so that they tell nothing of {_listed(self.sensitive)}, each number by itself and "
                         f"categories together: {_listed(repair.repaired)}.", False))
        if repair.left:
            rest = "; ".join(f"{c!r} {strength:.2f}" for c, strength in repair.left.items())
            told.append((f"Constraints tie these to columns that were not redrawn, so they still tell of "
                         f"{_listed(self.sensitive)} (association, 0 to 1): {rest}. Redraw those as well.", True))
        if repair.removed:
            why = " (they cannot be redrawn)" if repair.beyond else ""
            told.append((f"Left out as proxies of {_listed(self.sensitive)}{why}: {_listed(repair.removed)}.", False))
        return told


def _shares(learnt: FairMap, tally: Tally) -> str:
    """How often the groups have the outcome, before and after, from the least to the most often."""
    outcome, names = learnt.outcome, learnt.grouping.names
    said = []
    for c in outcome.asked[:_SHOWN]:
        before, after = (t[:-1, c] / np.maximum(t[:-1].sum(axis=1), 1) for t in (tally.before, tally.after))
        order = np.argsort(before, kind="stable")
        shown = order if len(order) <= _SHOWN else order[[0, -1]]
        groups = "; ".join(f"{names[i]}: {before[i]:.1%}, now {after[i]:.1%}" for i in shown)
        said.append(f"{outcome.column!r} is {outcome.classes[c]!r} for {groups}.")
    return " ".join(said)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _where(learnt: FairMap) -> str:
    kept = [p.kept for p in learnt.parities if p.kept]
    if not kept:
        return "every decision"
    low, high = min(k[0] for k in kept), max(k[1] for k in kept)
    return f"decisions that say yes to {low:.0%} to {high:.0%} of the rows"
