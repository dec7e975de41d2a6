"""What names tell of links: ``customer_id`` is the ``id`` of ``customers``; ``reports_to`` points to a colleague."""

from __future__ import annotations

from functools import lru_cache

from verisyn.kinds._regenerated import words_of

PLAIN = {"id", "ids", "key", "pk", "fk", "no", "nr", "num", "number", "code", "uuid", "guid", "ref", "reference",
         "uid", "rowid", "identifier", "index", "idx", "sk", "name", "nk"}
"""Words that say that a column is a key, but not of what."""
_FILLERS = {"tbl", "table", "dim", "fact", "the", "of", "data", "list", "info", "master", "stg", "raw", "public"}
_SELF = {"parent", "reports", "manager", "supervisor", "boss", "superior", "mentor", "predecessor", "successor",
         "ancestor", "referrer", "mother", "father"}
"""Words of a column that points to another row of its own table."""
_SELF_WITH_KEY = {"previous", "prev", "next", "root", "head", "lead", "original", "duplicate", "master", "reply",
                  "replied", "replaces", "replaced", "referred", "report", "top"}
"""Words that say so beside ``id``, or the table's name, alone: ``previous_order_id``, but not ``previous``."""
_JOINTS = {"to", "by", "of", "in"}
_COUNTS = {"n", "num", "number", "nb", "count", "total", "sum", "avg", "mean", "max", "min", "average"}
_ROLES = (
    ({"rep", "representative", "manager", "supervisor", "boss", "agent", "salesperson", "seller", "clerk", "staff",
      "assignee", "assigned", "employee", "approver", "approved", "handler", "handled", "worker", "operator", "author",
      "creator", "created", "updated", "modified", "owner", "reviewer", "user", "member", "by", "doctor", "physician",
      "nurse", "teacher", "instructor", "driver", "pilot", "reporter", "sender", "receiver", "recipient", "buyer",
      "client", "payer", "payee", "patient", "person", "contact", "head", "lead", "player", "rider", "customer",
      "guest"},
     {"employee", "staff", "user", "person", "worker", "member", "personnel", "contact", "customer", "client",
      "provider", "player", "patient", "account", "clinician", "individual"}),
    ({"origin", "dest", "destination", "from", "to", "departure", "arrival", "source", "target", "start", "end", "via",
      "pickup", "dropoff", "src", "dst", "home", "away"},
     {"airport", "station", "location", "place", "city", "port", "stop", "node", "warehouse", "zone", "site", "team",
      "account", "address", "country", "region", "vertex", "state"}),
)
"""Roles that rows of one table play for those of another: the column has the role's name, the table the player's."""


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return a word in the singular, roughly.

    Examples
    --------
    >>> [stem(w) for w in ("customers", "categories", "addresses", "status", "people", "shippers")]
    ['customer', 'category', 'address', 'status', 'person', 'shipper']
    """
    odd = {"people": "person", "children": "child", "men": "man", "women": "woman", "staff": "staff", "data": "data"}
    if word in odd or len(word) < 4 or word.endswith(("ss", "us", "is")):
        return odd.get(word, word)
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word


@lru_cache(maxsize=4096)
def stems(name: str) -> tuple[str, ...]:
    """Return the words of a name, each in the singular."""
    return tuple(stem(w) for w in words_of(name))


def table_words(table: str) -> tuple[str, ...]:
    """Return the words of a table's name that say what its rows are."""
    found = stems(table)
    return tuple(w for w in found if w not in _FILLERS) or found


def is_generic(column: str) -> bool:
    """Whether a column's name says at most that it is a key, not of what."""
    return all(w in PLAIN or w.isdigit() for w in stems(column))


def says_key(column: str) -> bool:
    """Whether the last word of a name says that it is a key (``customer_id``), and it counts nothing."""
    told = stems(column)
    return bool(told) and told[-1] in PLAIN - {"name"} and told[0] not in _COUNTS


def likeness(column: str, table: str, key: str, own: str) -> tuple[int, str]:
    """Return how strongly names say that a column points to the key of a table, 0 (not at all) to 4, and why.

    4: the column has the name of the table; 3: that of the key, or it ends in the table's; 1: a word is alike, or it is
    a role that the table's rows play.

    Parameters
    ----------
    column : str
        The column that may point.
    table, key : str
        The table, and its key, that it may point to.
    own : str
        The column's own table.

    Examples
    --------
    >>> [likeness("users_id", "users", "id", "orders")[0], likeness("carrier", "airlines", "carrier", "flights")[0],
    ...  likeness("dest", "airports", "faa", "flights")[0], likeness("id", "users", "id", "orders")[0],
    ...  likeness("reportsTo", "staff", "id", "staff")[0], likeness("number_of_users", "users", "id", "orders")[0]]
    [4, 3, 1, 0, 3, 0]
    """
    told, of, keyed = stems(column), table_words(table), stems(key)
    core = tuple(w for w in told if w not in PLAIN)
    if not core or (len(told) > 1 and told[0] in _COUNTS):
        return 0, ""
    if table == own:
        return (3, "its name tells of another row of the same table") if _points_within(told, core, of) else (0, "")
    bare = tuple(w for w in keyed if w not in PLAIN) or of
    rules = (
        (4 if set(of) & set(keyed) else 3, column.casefold() == key.casefold(), "both have the same name"),
        (4, core in (of, of[-1:]), "it has the name of that table"),
        (4, core == bare, "it has the name of that key"),
        (3, says_key(column) and bare in (core[-len(bare):], core[-len(of):]), "its name ends in that of the key"),
        (3, says_key(column) and core[-len(of):] == of, "its name ends in that of the table"),
        (1, any(role & set(core) and player & set(of) for role, player in _ROLES), "its name is that of a role"),
        (1, any(_near(w, t) for w in core for t in of), "its name is like that of the table"),
    )
    return next(((how, why) for how, holds, why in rules if holds), (0, ""))


def _points_within(told: tuple[str, ...], core: tuple[str, ...], of: tuple[str, ...]) -> bool:
    left = {w for w in core if w not in _JOINTS and w not in of}
    beside = set(told) & PLAIN or set(core) & set(of) or set(core) & {"to", "by"}
    words = {*map(stem, _SELF), *_SELF}
    return bool(left) and (left <= words or (left <= words | _SELF_WITH_KEY and bool(beside)))


def _near(word: str, other: str) -> bool:
    """Whether one word begins with the other."""
    short, long = sorted((word, other), key=len)
    return len(short) >= 4 and long.startswith(short)
