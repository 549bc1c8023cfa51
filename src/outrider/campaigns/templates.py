"""Strategies to begin with, as documents that run as they are once the texts are one's own.

The editor and the API offer them; the documents lie beside this module in `documents/`.
"""

import functools
import importlib.resources
from dataclasses import dataclass

from outrider.campaigns.strategy_document import parse_strategy


@dataclass(frozen=True, slots=True)
class Template:
    """One document to begin with; `key` names it in addresses, `title` and `text` come from the document."""

    key: str
    title: str
    text: str
    source: str


KEYS = ("call", "predictive", "preview", "escalation", "text", "email", "survey", "yes-no", "appointment")
"""The order in which they are offered."""


@functools.cache
def templates() -> tuple[Template, ...]:
    """Return all templates, the simplest first."""
    return tuple(_template(key) for key in KEYS)


def template(key: str) -> Template:
    """Return the template called `key`; the first for an unknown one."""
    return next((each for each in templates() if each.key == key), templates()[0])


def _template(key: str) -> Template:
    folder = importlib.resources.files("outrider.campaigns").joinpath("documents")
    source = folder.joinpath(f"{key}.toml").read_text("utf-8")
    strategy = parse_strategy(source)
    return Template(key, strategy.name, strategy.description, source)
