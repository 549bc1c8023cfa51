"""What a person's text asks for: STOP, HELP or START, in the languages of campaign and contact. Pure.

The service that takes inbound texts calls `meaning`, then answers with `reply`; free texts that only
mention a stop word are for a person to read (`may_mean_stop`; rules-of-contact.md, 64.1200(a)(10)).
"""

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from outrider.channels.sms.keyword_table import ALWAYS, VOCABULARIES
from outrider.channels.sms.reply_texts import REPLIES


class Meaning(enum.StrEnum):
    """What the person wants."""

    STOP = "stop"
    HELP = "help"
    START = "start"


@dataclass(frozen=True, slots=True)
class Keyword:
    """What a text asks for, and the language (ISO 639-1) of the word it was said with."""

    meaning: Meaning
    language: str


@dataclass(frozen=True, slots=True)
class _Words:
    """One language, normalised: phrases as tuples of words."""

    phrases: dict[tuple[str, ...], Meaning]
    around: frozenset[str]
    longest: int


_LETTERS = str.maketrans(
    {"\u0131": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "\u2018": "'", "\u2019": "'"}
)
_NOT_WORDS = re.compile(r"[^\w']+")
_MOST_WORDS = 12
"""Nobody says stop in more words than these without saying something else too."""


def meaning(text: str, languages: Iterable[str] = ()) -> Keyword | None:
    """Return what a text asks for, or None when it is not a keyword as a whole.

    A text is a keyword when it is one, in any case, with or without accents and punctuation, alone,
    repeated, or with nothing around it but words such as "please" or "texting me". English words
    count in every language; `languages` are tags such as "de" or "pt-BR", the most likely first. STOP wins
    over what else the same words could mean.
    """
    words = _words(text)
    if not words or len(words) > _MOST_WORDS:
        return None
    found: list[Keyword] = []
    spoken = _spoken(languages)
    around = frozenset().union(*(_vocabulary(language).around for language in spoken))
    for language in spoken:
        said = _said(words, _vocabulary(language), around)
        if said is not None:
            found.append(Keyword(said, language))
    return next(
        (keyword for keyword in found if keyword.meaning is Meaning.STOP), found[0] if found else None
    )


def may_mean_stop(text: str, languages: Iterable[str] = ()) -> bool:
    """Return whether a text mentions a stop word anywhere: worth a person's look when `meaning` is None."""
    words = _words(text)
    for language in _spoken(languages):
        vocabulary = _vocabulary(language)
        for start in range(len(words)):
            for length in range(1, vocabulary.longest + 1):
                if vocabulary.phrases.get(tuple(words[start : start + length])) is Meaning.STOP:
                    return True
    return False


def reply(keyword: Keyword, sender: str, contact: str) -> str:
    """Return the answer to a keyword in its language, English where there is none.

    `sender` names who sends the messages, `contact` is a phone number, address or page for questions.
    """
    texts = REPLIES.get(keyword.language, REPLIES[ALWAYS])
    template = {Meaning.STOP: texts.stopped, Meaning.HELP: texts.help, Meaning.START: texts.started}
    return template[keyword.meaning].replace("{sender}", sender).replace("{contact}", contact)


def _said(words: list[str], vocabulary: _Words, around: frozenset[str]) -> Meaning | None:
    """Return the one thing that all keywords of a text say, if nothing else stands beside them."""
    said: set[Meaning] = set()
    at = 0
    while at < len(words):
        for length in range(min(vocabulary.longest, len(words) - at), 0, -1):
            asked = vocabulary.phrases.get(tuple(words[at : at + length]))
            if asked is not None:
                said.add(asked)
                at += length
                break
        else:
            if words[at] not in around:
                return None
            at += 1
    if Meaning.STOP in said:
        return Meaning.STOP
    return said.pop() if len(said) == 1 else None


def _spoken(languages: Iterable[str]) -> list[str]:
    """Return the known languages of some tags, primary subtags only, English last unless named before."""
    primary = [re.split(r"[-_]", tag.lower())[0] for tag in languages]
    primary = ["nb" if language in {"no", "nn"} else language for language in primary]
    return [language for language in dict.fromkeys([*primary, ALWAYS]) if language in VOCABULARIES]


@cache
def _vocabulary(language: str) -> _Words:
    """Return a language's words, normalised as texts are."""
    table = VOCABULARIES[language]
    phrases: dict[tuple[str, ...], Meaning] = {}
    for asked, listed in (
        (Meaning.STOP, table.stop),
        (Meaning.HELP, table.help),
        (Meaning.START, table.start),
    ):
        for phrase in listed.split(","):
            phrases.setdefault(tuple(_words(phrase)), asked)
    return _Words(phrases, frozenset(_words(table.around)), max(map(len, phrases)))


def _words(text: str) -> list[str]:
    """Return a text's words: case, accents, width and punctuation do not matter."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    composed = unicodedata.normalize("NFKC", bare)
    return [word for word in (part.strip("'_") for part in _NOT_WORDS.split(composed)) if word]
