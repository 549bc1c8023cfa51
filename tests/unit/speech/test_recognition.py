"""Recognition of words: what stands for what, what cannot be listened for, and sound that is no speech."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from outrider.errors import ChannelError
from outrider.speech.recognition.recognizer import PocketsphinxRecognizer
from outrider.speech.recognition.vocabulary import OTHERS, SYNONYMS, vocabulary

COLOURS = ("red", "green", "blue", "black", "white", "grey", "brown", "pink", "purple", "orange", "yellow")


@pytest.fixture(scope="module")
def recognizer() -> PocketsphinxRecognizer:
    return PocketsphinxRecognizer(decoders=2)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("yes", "Yes"),
        ("yeah", "Yes"),
        ("no", "no"),
        ("no thank you", "no"),
        ("no thank", "no"),
        ("call me back", "Call  me back"),
        ("call me", "Call  me back"),
        ("hello", None),
        ("who is", None),
        ("who", None),
        ("", None),
        ("never listed", None),
    ],
)
def test_what_people_say_stands_for_a_word(said: str, meant: str | None) -> None:
    assert vocabulary(["Yes", "no", "Call  me back"]).meaning(said) == meant


def test_a_synonym_that_is_listened_for_itself_stands_for_itself() -> None:
    both = vocabulary(["yes", "sure", "repeat"])
    assert (both.meaning("sure"), both.meaning("yeah"), both.meaning("repeat")) == ("sure", "yes", "repeat")


def test_no_synonym_stands_for_two_words() -> None:
    synonyms = [said for each in SYNONYMS.values() for said in each]
    assert len(set(synonyms)) == len(synonyms)
    assert not set(synonyms) & set(SYNONYMS)
    assert len(set(OTHERS)) == len(OTHERS)


@pytest.mark.parametrize("words", [[], ["yes"] + [f"a{'b' * n}" for n in range(50)]])
def test_some_words_are_listened_for_and_not_too_many(words: list[str]) -> None:
    with pytest.raises(ChannelError, match="listens for 1 to 50 words"):
        vocabulary(words)


@pytest.mark.parametrize("word", ["7", "ja|nein", "grüß gott", "", "a b c d e f", "x; public <b> = yes"])
def test_what_is_no_english_word_is_refused(word: str) -> None:
    with pytest.raises(ChannelError, match="cannot be recognised: give one to five English words"):
        vocabulary(["yes", word])


def test_words_that_the_dictionary_does_not_have_are_named(recognizer: PocketsphinxRecognizer) -> None:
    with pytest.raises(ChannelError, match="does not know jawohlja, neinnein: it has an English dictionary"):
        recognizer.recognition(["yes", "neinnein", "jawohlja"])


def test_every_synonym_and_other_word_is_in_the_dictionary(recognizer: PocketsphinxRecognizer) -> None:
    recognizer.recognition(list(SYNONYMS)).close()


def test_silence_and_noise_are_no_utterance(recognizer: PocketsphinxRecognizer) -> None:
    noise = random.Random(3)
    for loudness in (0, 20):
        listening = recognizer.recognition(["yes", "no"])
        for _ in range(40):
            samples = [noise.randint(-loudness, loudness) for _ in range(800)]
            sound = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
            assert listening.feed(sound) == []
        listening.close()


def test_sound_comes_in_any_portions(recognizer: PocketsphinxRecognizer) -> None:
    listening = recognizer.recognition(["yes"])
    for size in (0, 1, 7, 479, 480, 481, 5000):
        assert listening.feed(bytes(size)) == []
    listening.close()
    listening.close()
    assert listening.feed(bytes(5000)) == []


def test_calls_with_different_words_share_the_decoders(recognizer: PocketsphinxRecognizer) -> None:
    """More vocabularies than a decoder keeps, from more threads than there are decoders."""
    words = [*SYNONYMS, *COLOURS]
    tone = b"".join(
        (8000 if at // 10 % 2 else -8000).to_bytes(2, "little", signed=True) for at in range(8000)
    )

    def listen(word: str) -> list[str | None]:
        listening = recognizer.recognition([word])
        heard = [*listening.feed(tone), *listening.feed(bytes(16_000))]
        listening.close()
        return [each.word for each in heard]

    with ThreadPoolExecutor(6) as threads:
        for word, heard in zip(words, threads.map(listen, words), strict=True):
            assert set(heard) <= {None, word}


def test_a_long_speech_is_no_answer(recognizer: PocketsphinxRecognizer) -> None:
    babble = random.Random(5)
    listening = recognizer.recognition(["yes", "no"])
    frames = bytearray()
    for at in range(8000 * 8):
        value = round(9000 * babble.random()) * (1 if at // 25 % 2 else -1)
        frames += value.to_bytes(2, "little", signed=True)
    heard = [*listening.feed(bytes(frames)), *listening.feed(bytes(16_000))]
    assert [each.word for each in heard] == [None]
