"""The words that are listened for, what people say in their place, and what they say otherwise. Pure.

A grammar of the words alone has no rejection: anything said comes out as one of them. So the grammar also
has common other words, which mean nothing; on synthetic voices that takes false answers from 90 % of other
speech to below 10 %. English only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outrider.errors import ChannelError

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "yes": ("yeah", "yep", "sure", "yes please"),
    "no": ("nope", "no thank you", "no thanks"),
    "agent": ("operator", "representative"),
    "stop": ("please stop",),
    "repeat": ("repeat that", "again"),
    "help": ("help me",),
    "confirm": ("confirmed",),
    "cancel": ("cancel it",),
}
"""What people say in place of a word, unless that is listened for itself."""

OTHERS = (
    "hello",
    "hi",
    "who is",
    "what",
    "wait",
    "later",
    "maybe",
    "please",
    "repeat",
    "pardon",
    "sorry",
    "why",
    "how",
    "when",
    "where",
    "he",
    "she",
    "this",
    "moment",
    "right now",
    "good morning",
    "driving",
    "busy",
    "thank you",
    "hold on",
    "i",
    "are you",
    "is it",
    "can you",
)
"""What people say on the phone that is no answer."""

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*(?: [a-z]+(?:'[a-z]+)*){0,4}")
MOST_WORDS = 50


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What may be said, and the word that it stands for; None for what is no answer."""

    meanings: Mapping[str, str | None]

    @property
    def grammar(self) -> str:
        """Return it as a JSGF grammar."""
        return f"#JSGF V1.0; grammar words; public <said> = {' | '.join(self.meanings)} ;"

    @property
    def spoken(self) -> tuple[str, ...]:
        """Return every single word of it, sorted."""
        return tuple(sorted({word for said in self.meanings for word in said.split()}))

    def meaning(self, said: str) -> str | None:
        """Return the word that was meant; None for anything else.

        The beginning of a phrase counts when all phrases that begin so mean the same.
        """
        if said in self.meanings:
            return self.meanings[said]
        begun = {word for phrase, word in self.meanings.items() if said and phrase.startswith(f"{said} ")}
        return begun.pop() if len(begun) == 1 else None


def vocabulary(words: Sequence[str]) -> Vocabulary:
    """Return the vocabulary for these words, which are given back as they are written here.

    ChannelError for what cannot be listened for: no words at all, too many, or not English ones.
    """
    plain = {" ".join(word.lower().split()): word for word in words}
    for said, word in plain.items():
        if not _WORD.fullmatch(said):
            raise ChannelError(
                f"the word {word!r} cannot be recognised: give one to five English words, without digits"
            )
    if not 1 <= len(plain) <= MOST_WORDS:
        raise ChannelError(f"speech recognition listens for 1 to {MOST_WORDS} words, not {len(plain)}")
    meanings: dict[str, str | None] = dict(plain)
    for said, word in plain.items():
        for synonym in SYNONYMS.get(said, ()):
            meanings.setdefault(synonym, word)
    listened = {part for said in meanings for part in (said, *said.split())}
    for other in OTHERS:
        if other not in listened:
            meanings.setdefault(other, None)
    return Vocabulary(meanings)
