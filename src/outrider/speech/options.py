"""What may be set for each engine of a speech server, and the check of it. Pure.

The API, pages and command line call `checked` before the service; forms are made of `OPTIONS`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from outrider.errors import InvalidInputError
from outrider.speech.model import Engine, Plan

VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+./-]{0,63}")
LANGUAGE = "en"
"""The only language that the reference engine has a model for."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of an engine: how it is called and explained, and what it must look like."""

    name: str
    label: str
    hint: str
    default: str = ""
    pattern: str = r"[\x20-\x7e]{0,300}"
    must: str = "must be plain text"
    choices: tuple[str, ...] = ()
    required: bool = False


_VOICE = Option(
    "voice",
    "Voice",
    "Used where a strategy names none, as en-us or de.",
    "en-us",
    VOICE.pattern,
    "must be a name of letters, digits and _+./-",
)
_OWN_VOICE = replace(_VOICE, default="", pattern=rf"({VOICE.pattern})?")

OPTIONS: Mapping[Engine, tuple[Option, ...]] = {
    Engine.ESPEAK: (
        _VOICE,
        Option(
            "speed",
            "Speed",
            "Words per minute, from 80 to 450.",
            "150",
            r"(8\d|9\d|[123]\d\d|4[0-4]\d|450)",
            "must be from 80 to 450 words per minute",
        ),
    ),
    Engine.COMMAND: (
        Option(
            "command",
            "Command",
            "Its name in the settings file, under speech.commands.",
            pattern=r"[A-Za-z0-9_-]{1,40}",
            must="must name a command of the settings (speech.commands)",
            required=True,
        ),
        replace(_OWN_VOICE, hint="Put in place of {voice} where a strategy names none."),
    ),
    Engine.HTTP: (
        Option("url", "Address", "Texts are posted there; the answer is a WAV file.", required=True),
        Option(
            "format",
            "Texts are sent as",
            "JSON or form fields, or the bare text.",
            "json",
            choices=("json", "form", "text"),
        ),
        Option(
            "text_field",
            "Field of the text",
            "In JSON and forms.",
            "text",
            r"[A-Za-z0-9_.-]{1,40}",
            "must be a name of letters, digits and _.-",
        ),
        Option(
            "voice_field",
            "Field of the voice",
            "In JSON and forms; empty: none is sent.",
            "voice",
            r"[A-Za-z0-9_.-]{0,40}",
            "must be a name of letters, digits and _.-",
        ),
        replace(_OWN_VOICE, hint="Sent where a strategy names none; empty: none is sent."),
        Option(
            "secret",
            "Secret",
            "Its name in the settings file, under speech.secrets; sent as Authorization.",
            pattern=r"[A-Za-z0-9_-]{0,40}",
            must="must name a secret of the settings (speech.secrets)",
        ),
    ),
    Engine.POCKETSPHINX: (
        Option(
            "language",
            "Language",
            "The model that comes with it is English; other languages take keys.",
            LANGUAGE,
            choices=(LANGUAGE,),
        ),
    ),
}
"""The options of each engine, in the order of forms."""


def checked(plan: Plan) -> Plan:
    """Return the plan with all options of its engine, defaults filled in.

    InvalidInputError names the first option that is unknown, missing or not as it must be.
    """
    known = {option.name: option for option in OPTIONS[plan.engine]}
    for name in plan.options:
        if name not in known:
            names = ", ".join(known)
            raise InvalidInputError(
                f"options.{name}: engine {plan.engine} has no such option; it has {names}",
                where=f"options.{name}",
            )
    found = {name: _given(option, plan.options.get(name)) for name, option in known.items()}
    for name, value in found.items():
        _check(known[name], value)
    if plan.engine is Engine.HTTP:
        _check_url(found["url"])
    return replace(plan, options=found)


def _given(option: Option, value: str | None) -> str:
    """Return what was given, or the default; empty counts where the option may be empty."""
    if value is None or (not value and not re.fullmatch(option.pattern, "")):
        return option.default
    return value


def _check(option: Option, value: str) -> None:
    where = f"options.{option.name}"
    if not value and option.required:
        raise InvalidInputError(
            f"{where}: is missing; {option.hint[0].lower()}{option.hint[1:]}", where=where
        )
    if option.name == "language" and value != LANGUAGE:
        raise InvalidInputError(
            f"{where}: only English ({LANGUAGE}) can be recognised, not {value!r}: let people press keys",
            where=where,
        )
    if option.choices and value not in option.choices:
        raise InvalidInputError(f"{where}: must be one of {', '.join(option.choices)}", where=where)
    if value and not re.fullmatch(option.pattern, value):
        raise InvalidInputError(f"{where}: {option.must}", where=where)


def _check_url(url: str) -> None:
    complaint = "options.url: must be an address as http://10.0.0.5:5002/api/tts, without a user in it"
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
        _ = parts.port
    except ValueError:
        good = False
    if not good or " " in url:
        raise InvalidInputError(complaint, where="options.url")
