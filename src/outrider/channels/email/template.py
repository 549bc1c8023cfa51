"""Message templates with a contact's attributes: `{first_name}`, `{{ first_name }}`, `{first_name|customer}`.

`message` fills them, strategies and pages parse them to show mistakes. A value can never become markup, a
header or a link of another kind: how it is escaped follows from its place. Pure.
"""

import enum
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from outrider.channels.email.links import link_part, link_start
from outrider.channels.email.markup import RAW_ELEMENT, Place, find_places
from outrider.errors import InvalidInputError


class Kind(enum.StrEnum):
    """What a template becomes part of."""

    HEADER = "header"
    TEXT = "text"
    HTML = "html"


_FIELD = r"\s*(?P<name{0}>[^\W\d][\w .\-]*?)?\s*(?:\|(?P<default{0}>[^{{}}]*))?"
_PLACEHOLDER = re.compile(rf"\{{\{{{_FIELD.format(2)}\}}\}}|\{{{_FIELD.format(1)}\}}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAKS = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029]+")
_EXCERPT = 30


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A contact's attribute in its place; `default` stands in for a missing or empty value."""

    name: str
    default: str
    place: Place

    def value(self, attributes: Mapping[str, str], missing: str) -> str:
        """Return the attribute's value, escaped for its place."""
        raw = attributes.get(self.name, "").strip() or self.default or missing
        return _ESCAPES[self.place](raw)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: literal text and placeholders, in order."""

    parts: tuple[str | Placeholder, ...]

    def fill(self, attributes: Mapping[str, str], missing: str = "") -> str:
        """Return the text for one contact; `missing` stands for attributes without value or default."""
        return "".join(
            part if isinstance(part, str) else part.value(attributes, missing) for part in self.parts
        )

    def names(self) -> frozenset[str]:
        """Return the names of the attributes that the template uses."""
        return frozenset(part.name for part in self.parts if isinstance(part, Placeholder))


@dataclass(slots=True)
class _Source:
    """A template's text, and how mistakes in it are reported."""

    text: str
    kind: Kind
    where: str

    def mistake(self, message: str, position: int) -> InvalidInputError:
        """Return an error with line and column, both counted from 1."""
        line = self.text.count("\n", 0, position) + 1
        column = position - self.text.rfind("\n", 0, position)
        text = f"{self.where}, line {line}, column {column}: {message}"
        return InvalidInputError(text, where=self.where, line=line, column=column)


def parse_template(text: str, kind: Kind, where: str) -> Template:
    r"""Return a parsed template; InvalidInputError names `where`, line and column of a mistake.

    `\{` is a brace. Single braces in <style> and <script>, and every `}` that ends no placeholder, are what
    they are. In HTML, a placeholder may stand in text and in quoted attributes that are no script or style.
    """
    source = _Source(text, kind, where)
    if kind is Kind.HEADER and (broken := re.search(r"[\r\n]", text)):
        raise source.mistake("a header is a single line", broken.start())
    literals, found = _split(source)
    places: list[Place | str] = [Place.HEADER if kind is Kind.HEADER else Place.PLAIN] * len(found)
    if kind is Kind.HTML:
        places = find_places(literals)
    parts: list[str | Placeholder] = []
    for literal, match, place in zip(literals, [*found, None], [*places, Place.PLAIN], strict=True):
        if literal:
            parts.append(literal)
        if match is not None:
            parts.append(_placeholder(source, match, place))
    return Template(tuple(parts))


def _split(source: _Source) -> tuple[list[str], list[re.Match[str]]]:
    """Return the literal texts and the placeholders between them: one literal more than placeholders."""
    text = source.text
    raw = [found.span() for found in RAW_ELEMENT.finditer(text)] if source.kind is Kind.HTML else []
    literals, matches = [""], []
    start = 0
    while (brace := text.find("{", start)) >= 0:
        literals[-1] += text[start:brace]
        found = _PLACEHOLDER.match(text, brace)
        if literals[-1].endswith("\\"):
            literals[-1] = literals[-1][:-1] + "{"
            start = brace + 1
        elif not text.startswith("{{", brace) and any(begin <= brace < end for begin, end in raw):
            literals[-1] += "{"
            start = brace + 1
        elif found is None:
            excerpt = text[brace : brace + _EXCERPT].split("\n", 1)[0]
            raise source.mistake(rf"{excerpt} is no {{attribute}}; write \{{ for a plain brace", brace)
        else:
            matches.append(found)
            literals.append("")
            start = found.end()
    literals[-1] += text[start:]
    return literals, matches


def _placeholder(source: _Source, found: re.Match[str], place: Place | str) -> Placeholder:
    """Return one placeholder, or say why it cannot stand where it does."""
    name = found["name1"] or found["name2"]
    if not name:
        raise source.mistake("a placeholder names no attribute", found.start())
    if not isinstance(place, Place):
        message = f"{{{name}}} stands in {place}; values may stand in text and in quoted attributes"
        raise source.mistake(message, found.start())
    return Placeholder(name, (found["default1"] or found["default2"] or "").strip(), place)


def header_value(value: str) -> str:
    """Return a value for a header: every run of white space and control characters becomes one space."""
    return _BREAKS.sub(" ", value)


def _plain(value: str) -> str:
    """Return a value for a text body: no control characters but line ends and tabs."""
    return _CONTROLS.sub("", value)


def _markup(value: str) -> str:
    """Return a value for HTML text or a quoted attribute."""
    return html.escape(_CONTROLS.sub("", value), quote=True)


_ESCAPES: Mapping[Place, Callable[[str], str]] = {
    Place.HEADER: header_value,
    Place.PLAIN: _plain,
    Place.MARKUP: _markup,
    Place.LINK: link_start,
    Place.LINK_PART: link_part,
}
