"""Where the values of an HTML template stand, found with the standard HTML parser. Pure.

`template` asks once per template; the answer decides how each value is escaped, or that it may not stand
there at all.
"""

import enum
import re
from collections.abc import Sequence
from html.parser import HTMLParser


class Place(enum.StrEnum):
    """Where a value stands, which decides how it is escaped."""

    HEADER = "header"
    PLAIN = "plain"
    MARKUP = "markup"
    LINK = "link"
    """The beginning of an attribute that holds a link: its scheme is checked."""
    LINK_PART = "link_part"


RAW_ELEMENT = re.compile(r"<(style|script)\b.*?(?:</\1|\Z)", re.DOTALL | re.IGNORECASE)
"""Elements whose content is no markup; braces in them mean what they mean in CSS and JSON."""

_LINKS = frozenset({"href", "src", "action", "formaction", "background", "cite", "poster", "longdesc"})
_CODE = frozenset({"style", "srcdoc", "srcset", "http-equiv", "content"})


def find_places(literals: Sequence[str]) -> list[Place | str]:
    """Return the place of the value after each literal but the last, or words for where it may not stand.

    `literals` are the texts of an HTML document between its values, in order.
    """
    mark = "value"
    while any(mark in text.lower() for text in literals):
        mark += "q"
    document = "".join(
        f"{text}{mark}{number}z" if number < len(literals) - 1 else text
        for number, text in enumerate(literals)
    )
    finder = _Finder(mark)
    finder.feed(document)
    finder.close()
    return [finder.places.get(number, "a place that is neither") for number in range(len(literals) - 1)]


class _Finder(HTMLParser):
    """Notes in which part of the document each marked value turns up."""

    def __init__(self, mark: str) -> None:
        super().__init__(convert_charrefs=True)
        self.places: dict[int, Place | str] = {}
        self._mark = mark
        self._marks = re.compile(rf"{mark}(\d+)z")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note values in tags: only quoted attributes that hold text or links are safe."""
        self._note(tag, "the name of a tag")
        raw = self.get_starttag_text() or ""
        for name, value in attrs:
            self._note(name, "a tag, outside its attributes")
            for found in self._marks.finditer(value or ""):
                self.places[int(found.group(1))] = self._in_attribute(name, value or "", found, raw)

    def handle_endtag(self, tag: str) -> None:
        """Note values in the names of end tags."""
        self._note(tag, "the name of a tag")

    def handle_data(self, data: str) -> None:
        """Note values in text."""
        self._note(data, f"<{self.cdata_elem}>" if self.cdata_elem in {"style", "script"} else Place.MARKUP)

    def handle_comment(self, data: str) -> None:
        """Look for values in comments as in the document: Outlook reads conditional ones."""
        inner = _Finder(self._mark)
        inner.feed(data)
        inner.close()
        self.places |= inner.places

    def _note(self, text: str, place: Place | str) -> None:
        for found in self._marks.finditer(text):
            self.places[int(found.group(1))] = place

    def _in_attribute(self, name: str, value: str, found: re.Match[str], raw: str) -> Place | str:
        """Return the place of a value in an attribute, whose tag's source text is `raw`."""
        mark = re.escape(found.group())
        quoted = rf"""{re.escape(name)}\s*=\s*(?:"[^"]*{mark}[^"]*"|'[^']*{mark}[^']*')"""
        if not re.search(quoted, raw, re.IGNORECASE):
            return f"the attribute {name} without quotes"
        if name in _CODE or name.startswith("on"):
            return f"the attribute {name}"
        if name.rpartition(":")[2] not in _LINKS:
            return Place.MARKUP
        return Place.LINK_PART if value[: found.start()].strip() else Place.LINK
