"""Whether a forest read from disk is one that fitting can have made: the compiled core trusts its indices."""

from __future__ import annotations

import numpy as np

from verisyn.kinds import Part
from verisyn.modalities.table._boost import DEPTHS, Forest

_MOST = 1e9
"""No number of a fitted forest comes near."""


def is_sound(forest: Forest, own: int, parts: tuple[Part, ...]) -> bool:
    """Check every index of part `own`'s forest; the core would follow a wrong one out of its arrays."""
    return (_tree_is_sound(forest, parts[own].size) and _boosters_are_sound(forest, parts[:own])
            and _terms_are_sound(forest, own) and _numbers_are_sound(forest, own))


def _tree_is_sound(forest: Forest, size: int) -> bool:
    tree, nodes = forest.tree, np.arange(size - 1)
    of_nodes = (tree.left, tree.right, tree.mid, forest.base, forest.shift)
    if len(tree.perm) != size or any(len(a) != len(nodes) for a in of_nodes):
        return False
    kids = np.stack([tree.left, tree.right])
    each_once = np.array_equal(np.sort(kids, axis=None), np.r_[-size:0, 1:size - 1][:2 * len(nodes)])
    onwards = ((kids < 0) | (kids > nodes)).all()
    return bool(each_once and onwards and (np.sort(tree.perm) == np.arange(size)).all()
                and _within(tree.mid, 0, size + 1))


def _boosters_are_sound(forest: Forest, before: tuple[Part, ...]) -> bool:
    node, questions = forest.node, len(forest.base)
    for ends, last in ((forest.first_tree, len(forest.root)), (forest.first_mask, len(forest.mask)),
                       (forest.first_weight, len(forest.weight))):
        if len(ends) != questions + 1 or ends[0] != 0 or ends[-1] != last or (np.diff(ends) < 0).any():
            return False
    if not _within(forest.root, 0, len(node)) or (np.diff(forest.root) <= 0).any():
        return False
    at = np.flatnonzero(node["feature"] >= 0)
    asks = node[at]
    onwards = (asks["kid"] > at) & (asks["kid"] < len(node) - 1)
    of_one_parent = np.diff(np.sort(asks["kid"])) >= 2
    if not _are_features(asks["feature"], len(before), forest) or not onwards.all() or not of_one_parent.all():
        return False
    return _masks_are_sound(forest, at[asks["by_mask"] > 0], before)


def _masks_are_sound(forest: Forest, at: np.ndarray, before: tuple[Part, ...]) -> bool:
    """A mask belongs to a node's own question, and to a part whose features are no larger than a mask."""
    if not len(at):
        return True
    if not _within(forest.node["feature"][at], 0, len(before)):
        return False
    small = np.array([not part.ordered for part in before])
    tree = np.searchsorted(forest.root, at, side="right") - 1
    question = np.searchsorted(forest.first_tree, tree, side="right") - 1
    room = np.diff(forest.first_mask)[np.clip(question, 0, None)]
    return bool(small[forest.node["feature"][at]].all() and (tree >= 0).all() and (forest.node["cut"][at] < room).all())


def _terms_are_sound(forest: Forest, own: int) -> bool:
    """A term of a linear part is a logit above, or a part before that has scores."""
    features = forest.weight["feature"]
    if not _are_features(features, own, forest):
        return False
    parts = features[features < own]
    return bool((forest.scores.at[parts] >= 0).all())


def _numbers_are_sound(forest: Forest, own: int) -> bool:
    """What logits are sums of is finite, and small enough that the sums are."""
    at, size = forest.scores.at[own], len(forest.tree.perm)
    scores = forest.scores.values[at:at + size] if at >= 0 else forest.scores.values[:0]
    numbers = (forest.base, forest.shift, forest.node["value"], forest.weight["weight"], scores)
    return all(bool((np.abs(a) < _MOST).all()) for a in numbers)


def _are_features(features: np.ndarray, before: int, forest: Forest) -> bool:
    """The parts before, or the logits of questions above, which are numbered after all parts."""
    parts = len(forest.scores.at)
    logits = (features >= parts) & (features < parts + DEPTHS)
    return bool((logits | ((features >= 0) & (features < before))).all())


def _within(values: np.ndarray, low: int, high: int) -> bool:
    return bool(((values >= low) & (values < high)).all())
