"""Dial strings, caller ids and media URIs: what may pass, and what never does."""

import pytest

from outrider.channels.asterisk import prompts
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.model import OutboundCall, Prompt
from outrider.errors import ChannelError
from outrider.ids import AttemptId

SETTINGS = AsteriskSettings("a", "http://pbx:8088", "u", "p", controller="worker-1", caller_id="+4930555")


def call(address: str = "+4930123", **fields: object) -> OutboundCall:
    return OutboundCall(AttemptId("x"), address, **fields)  # type: ignore[arg-type] # fields by name


def with_trunk(trunk: str) -> AsteriskSettings:
    return AsteriskSettings("a", "http://pbx:8088", "u", "p", trunk=trunk)


def test_the_number_goes_where_the_trunk_says() -> None:
    assert prompts.endpoint(call(), SETTINGS) == "PJSIP/+4930123@trunk"
    assert prompts.endpoint(call(), with_trunk("PJSIP/00{digits}@t")) == "PJSIP/004930123@t"
    assert prompts.endpoint(call("*31#1"), with_trunk("SIP/t/{number}")) == "SIP/t/*31#1"


@pytest.mark.parametrize(
    "address", ["", "+", "1&PJSIP/2@evil", "1@evil", "1/2", "1 2", "1,2", "1\n2", "${X}", "-1"]
)
def test_what_is_no_number_reaches_no_endpoint(address: str) -> None:
    with pytest.raises(ChannelError, match="cannot be dialled"):
        prompts.endpoint(call(address), SETTINGS)


def test_a_call_is_asked_for_with_our_id_and_whole_seconds() -> None:
    body = prompts.origination(call(ring_timeout=20.2), SETTINGS, "call")
    assert body == {
        "endpoint": "PJSIP/+4930123@trunk",
        "app": "outrider-worker-1",
        "appArgs": "call",
        "channelId": "x",
        "timeout": 21,
        "callerId": "<+4930555>",
    }
    assert prompts.ring_seconds(call(ring_timeout=0.0)) == 1


def test_the_calls_own_caller_id_goes_before_the_servers() -> None:
    assert prompts.origination(call(caller_id="4711"), SETTINGS, "call")["callerId"] == "<4711>"
    assert "callerId" not in prompts.origination(call(caller_id=""), SETTINGS, "call")
    with pytest.raises(ChannelError, match="caller"):
        prompts.origination(call(caller_id='"x" <1>'), SETTINGS, "call")


def test_a_call_to_be_classified_takes_its_application_along() -> None:
    body = prompts.origination(call(detect_machine=True), SETTINGS, "detect")
    assert body["variables"] == {"OUTRIDER_APP": "outrider-worker-1"}


@pytest.mark.parametrize(
    ("file", "sounds", "uri"),
    [
        ("hello-world", "sound:", "sound:hello-world"),
        ("digits/1.gsm", "sound:", "sound:digits/1"),
        ("bill.WAV", "sound:/srv/sounds/", "sound:/srv/sounds/bill"),
        ("v1.2", "sound:", "sound:v1.2"),
        ("recording:greeting", "sound:/srv/", "recording:greeting"),
        ("sound:custom/x", "sound:/srv/", "sound:custom/x"),
    ],
)
def test_files_become_media_uris(file: str, sounds: str, uri: str) -> None:
    settings = AsteriskSettings("a", "http://pbx:8088", "u", "p", sounds=sounds)
    assert prompts.media(Prompt(file=file), settings) == uri


def test_a_text_is_no_file() -> None:
    assert prompts.media(Prompt(text="Hello."), SETTINGS) is None


@pytest.mark.parametrize(
    ("trunk", "endpoint"),
    [
        ("PJSIP/{number}@trunk", "trunk"),
        ("PJSIP/carrier/sip:{number}@10.0.0.1:5060", "carrier"),
        ("SIP/carrier/{number}", None),
        ("Local/{number}@out", None),
    ],
)
def test_the_endpoint_of_a_trunk_is_found(trunk: str, endpoint: str | None) -> None:
    assert prompts.pjsip_endpoint(trunk) == endpoint
