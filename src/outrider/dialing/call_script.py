"""What a call is to do once it is answered: the script that the engine follows. Pure.

The driver makes it of a strategy's call settings and a contact's attributes, with every text filled in.
"""

from dataclasses import dataclass

from outrider.channels.model import Prompt


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that a person can give: by a key, or by a word where speech is recognised.

    `disposition` is what the answer means to the strategy. `say` is played before the call ends.
    """

    digit: str
    disposition: str
    word: str | None = None
    say: Prompt | None = None
    do_not_contact: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What the prompt asks: choices, seconds to wait for one of them, and how often to ask again.

    `no_input` is the disposition of a person who chose nothing.
    """

    choices: tuple[Choice, ...]
    timeout: float = 8.0
    repeats: int = 1
    no_input: str | None = None
    speech: bool = False

    def by_digit(self, digit: str) -> Choice | None:
        """Return the choice that a key stands for."""
        return next((choice for choice in self.choices if choice.digit == digit), None)

    def by_word(self, word: str | None) -> Choice | None:
        """Return the choice that a spoken word stands for."""
        if word is None:
            return None
        return next((choice for choice in self.choices if choice.word == word), None)

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that speech recognition listens for."""
        return tuple(choice.word for choice in self.choices if choice.word is not None)


@dataclass(frozen=True, slots=True)
class AgentLine:
    """A call that an agent is to talk on, found within `patience` seconds after a person answered.

    `session` is the agent's session that it is made for (None: any of its task). `abandoned` is said to a
    person for whom no agent is free (47 CFR 64.1200(a)(7)).
    """

    patience: float = 2.0
    session: int | None = None
    abandoned: Prompt | None = None


@dataclass(frozen=True, slots=True)
class CallPlan:
    """The script of one call. `speech_units`: texts and recognition take licensed speech connections.

    `patience` is seconds that a call waits for a speech connection; `digits_suffice` lets it go on without
    recognition when there is none.
    """

    prompt: Prompt
    leave_message: bool = False
    question: Question | None = None
    speech_units: bool = False
    patience: float = 0.0
    digits_suffice: bool = False
    agents: AgentLine | None = None
