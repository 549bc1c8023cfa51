"""Checks of a page's HTML that need no browser: labels, headings, landmarks, ids, and the content policy.

Page tests call `faults_of` on every page.
"""

import itertools
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
UNLABELLED = frozenset({"hidden", "submit", "button"})
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(slots=True)
class Element:
    """One element with the text inside it."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """All elements of a page, in order."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        element = Element(tag, given, tuple(each.tag for each in self.open))
        self.elements.append(element)
        if tag == "img":
            self.handle_data(given.get("alt", ""))
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            if self.open.pop().tag == tag:
                return

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def parse(text: str) -> Page:
    """Return the elements of a page."""
    page = Page()
    page.feed(text)
    return page


def faults_of(text: str) -> list[str]:
    """Return what is wrong with a page, [] for a good one."""
    page = parse(text)
    return [
        *_unlabelled(page),
        *_headings(page),
        *_landmarks(page),
        *_policy(page),
        *_nameless(page),
        *_repeated(page),
    ]


def _unlabelled(page: Page) -> list[str]:
    labelled = {each.attributes.get("for") for each in page.elements if each.tag == "label"}
    return [
        f"<{each.tag} name={each.attributes.get('name')!r}> has no label"
        for each in page.elements
        if each.tag in {"input", "select", "textarea"}
        and each.attributes.get("type") not in UNLABELLED
        and "aria-hidden" not in each.attributes
        and not each.attributes.get("aria-label")
        and each.attributes.get("id") not in labelled
        and "label" not in each.parents
    ]


def _headings(page: Page) -> list[str]:
    # Headings in dialogs are a matter of their own: they are hidden until opened.
    levels = [
        HEADINGS.index(each.tag) + 1
        for each in page.elements
        if each.tag in HEADINGS and "dialog" not in each.parents
    ]
    faults = [] if levels.count(1) == 1 else [f"{levels.count(1)} headings of level 1"]
    steps = itertools.pairwise(levels)
    return faults + [f"heading {after} follows {before}" for before, after in steps if after > before + 1]


def _landmarks(page: Page) -> list[str]:
    tags = Counter(each.tag for each in page.elements)
    faults = [] if tags["main"] == 1 else [f"{tags['main']} <main>"]
    html = next(each for each in page.elements if each.tag == "html")
    if html.attributes.get("lang") != "en":
        faults.append("no language")
    if not any(each.tag == "title" and each.text.strip() for each in page.elements):
        faults.append("no title")
    return faults


def _policy(page: Page) -> list[str]:
    faults = [f"style attribute on <{each.tag}>" for each in page.elements if "style" in each.attributes]
    for each in page.elements:
        if each.tag == "script" and each.text.strip():
            faults.append("inline script")
        if any(name.startswith("on") for name in each.attributes):
            faults.append(f"event handler on <{each.tag}>")
        source = each.attributes.get("src") or (each.attributes.get("href", "") if each.tag == "link" else "")
        if source and not source.startswith("/"):
            faults.append(f"external asset {source}")
    return faults


def _nameless(page: Page) -> list[str]:
    return [
        f"<{each.tag}> without a name: {each.attributes}"
        for each in page.elements
        if each.tag in {"button", "a"} and not (each.text.strip() or each.attributes.get("aria-label"))
    ]


def _repeated(page: Page) -> list[str]:
    ids = Counter(each.attributes["id"] for each in page.elements if each.attributes.get("id"))
    return [f"id {name!r} stands {count} times" for name, count in ids.items() if count > 1]
