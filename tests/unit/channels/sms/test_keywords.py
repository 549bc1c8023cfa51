"""STOP, HELP and START in people's own words, and what is no keyword."""

import pytest

from outrider.channels.sms.keyword_table import VOCABULARIES
from outrider.channels.sms.keywords import Keyword, Meaning, may_mean_stop, meaning, reply
from outrider.channels.sms.reply_texts import REPLIES
from outrider.channels.sms.segments import count


@pytest.mark.parametrize("word", ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"])
@pytest.mark.parametrize(
    "shape", ["{}", "{}.", " {}! ", "“{}”", "Please {}", "{} {}", "{} texting me please!!"]
)
@pytest.mark.parametrize("languages", [[], ["de"], ["ja", "en"]])
def test_the_seven_words_of_revocation_hold_everywhere(word: str, shape: str, languages: list[str]) -> None:
    for text in (shape.format(word, word), shape.format(word.upper(), word.title())):
        said = meaning(text, languages)
        assert said == Keyword(Meaning.STOP, "en"), text


@pytest.mark.parametrize("language", VOCABULARIES)
def test_every_listed_word_is_understood_in_its_language(language: str) -> None:
    table = VOCABULARIES[language]
    for asked, listed in (
        (Meaning.STOP, table.stop),
        (Meaning.HELP, table.help),
        (Meaning.START, table.start),
    ):
        for word in listed.split(","):
            said = meaning(word, [language])
            assert said is not None, word
            assert said.meaning is asked, word
            shouted = meaning(f"{word.upper()}!!", [language])
            assert shouted is not None, word
            assert shouted.meaning is asked, word


@pytest.mark.parametrize(
    ("text", "languages", "asked", "language"),
    [
        ("ARRET", ["fr"], Meaning.STOP, "fr"),
        ("arrêt svp", ["fr-CA"], Meaning.STOP, "fr"),
        ("Bitte abmelden, danke", ["de-AT"], Meaning.STOP, "de"),
        ("Kundigen", ["de"], Meaning.STOP, "de"),
        ("STOP", ["de"], Meaning.STOP, "en"),
        ("Hilfe?", ["de"], Meaning.HELP, "de"),
        ("help", ["de"], Meaning.HELP, "en"),
        ("START", ["es"], Meaning.START, "en"),
        ("alta", ["es"], Meaning.START, "es"),
        ("DURDUR", ["tr"], Meaning.STOP, "tr"),
        ("ÇIK", ["tr"], Meaning.STOP, "tr"),
        ("СТОП!", ["ru"], Meaning.STOP, "ru"),
        ("退订", ["zh"], Meaning.STOP, "zh"),
        ("\uff33\uff34\uff2f\uff30", [], Meaning.STOP, "en"),
        ("수신거부", ["ko"], Meaning.STOP, "ko"),
        ("slutt", ["no"], Meaning.STOP, "nb"),
        ("stop. help", [], Meaning.STOP, "en"),
        ("opt-out", [], Meaning.STOP, "en"),
        ("Don't text me", [], Meaning.STOP, "en"),
        ("don\u2019t text me", [], Meaning.STOP, "en"),
    ],
)
def test_in_other_shapes(text: str, languages: list[str], asked: Meaning, language: str) -> None:
    assert meaning(text, languages) == Keyword(asked, language)


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("", []),
        ("...", []),
        ("please", []),
        ("Don't stop", []),
        ("The bus stop is closed", []),
        ("Can I cancel my appointment on Friday?", []),
        ("nicht stopp", ["de"]),
        ("Ende", []),
        ("fin", []),
        ("help start", []),
        ("stopping", []),
        ("stop " * 13, []),
    ],
)
def test_what_is_no_keyword(text: str, languages: list[str]) -> None:
    assert meaning(text, languages) is None


def test_unknown_languages_do_no_harm() -> None:
    assert meaning("stop", ["xx", "tlh-Latn", ""]) == Keyword(Meaning.STOP, "en")


def test_free_text_that_mentions_stopping_is_for_a_person_to_read() -> None:
    assert may_mean_stop("I told you twice already to stop writing to my late husband")
    assert may_mean_stop("Ich möchte mich endlich abmelden von dem Kram", ["de"])
    assert may_mean_stop("I want to opt out of this thing")
    assert not may_mean_stop("Thank you, see you on Friday")
    assert not may_mean_stop("Ich möchte mich endlich abmelden von dem Kram")


@pytest.mark.parametrize("language", REPLIES)
@pytest.mark.parametrize("asked", list(Meaning))
def test_every_answer_names_the_sender_and_the_way_back(language: str, asked: Meaning) -> None:
    said = reply(Keyword(asked, language), "Water Co", "+49 30 1234")
    assert "Water Co" in said
    assert "{" not in said
    assert ("START" if asked is Meaning.STOP else "STOP") in said
    assert ("+49 30 1234" in said) == (asked is Meaning.HELP)
    assert count(said).segments <= 2


def test_an_answer_without_translation_is_english() -> None:
    assert reply(Keyword(Meaning.STOP, "th"), "{contact}", "x").startswith("{contact}: you are") is False
    assert "you are unsubscribed" in reply(Keyword(Meaning.STOP, "th"), "A", "x")
