"""Values in links: no value may change a link's scheme or add parts to it. Pure.

Used by `template` for links in HTML, and by `message` for links in headers.
"""

import html
import re
from urllib.parse import quote

_SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms"})
_SCHEME = re.compile(r"([^/?#:]*):")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f]")
HARMLESS = "#"
"""What stands in place of a link with a scheme that could run a script."""


def link_start(value: str) -> str:
    """Return a value that begins a link: only schemes that lead somewhere, escaped for an attribute."""
    cleaned = _UNSAFE.sub("", value)
    scheme = _SCHEME.match(cleaned)
    if scheme is not None and scheme.group(1).lower() not in _SAFE_SCHEMES:
        return HARMLESS
    return html.escape(cleaned, quote=True)


def link_part(value: str) -> str:
    """Return a value inside a link, percent-encoded."""
    return quote(value, safe="", errors="replace")


def header_link(value: str) -> str:
    """Return a URL for a header's angle brackets: white space, controls and non-ASCII percent-encoded."""
    return quote(value, safe="!#$%&'()*+,/:;=?@[]~-._", errors="replace")
