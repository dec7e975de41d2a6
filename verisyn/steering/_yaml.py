"""YAML as a person means it: yes and no are text, because levels are often called so, and 1.7e12 is a number."""

from __future__ import annotations

import re
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """YAML 1.1, but only true and false are true and false."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"),
                              list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?\d[\d_]*(?:\.[\d_]*)?[eE][-+]?\d+$"),
                              list("-+0123456789"))


def load(text: str) -> Any:
    """Return what YAML (or JSON) text holds.

    Examples
    --------
    >>> load("{smoker: {yes: 0.2}, owner: true, total: 1e6}")
    {'smoker': {'yes': 0.2}, 'owner': True, 'total': 1000000.0}

    Raises
    ------
    yaml.YAMLError
        If it is not valid.
    """
    try:
        return yaml.load(text, _Loader)
    except (ValueError, TypeError) as e:  # a month 13, a list as a key
        raise yaml.YAMLError(str(e)) from None
