"""What goes over ARI's websocket, byte by byte."""

import json

from outrider.channels.asterisk import messages

DIAL = (
    b'{"type":"Dial","timestamp":"2026-11-23T05:07:03.522+0000","dialstatus":"%s","forward":"",'
    b'"dialstring":"+4915551110001@trunk","peer":{"id":"raw1","state":"Down"},"application":"outrider"}'
)


def test_the_wanted_events_include_the_answers_to_our_own_requests() -> None:
    allowed = messages.wanted()["allowed"]
    assert {"type": "RESTResponse"} in list(allowed)  # type: ignore[call-overload] # an object, for JSON


def test_a_request_is_one_message_with_its_body_inside() -> None:
    sent = json.loads(messages.encode_request(7, "POST", "channels", {"endpoint": "PJSIP/1@trunk"}))
    assert (sent["type"], sent["request_id"], sent["method"], sent["uri"]) == (
        "RESTRequest",
        "7",
        "POST",
        "channels",
    )
    assert json.loads(sent["message_body"]) == {"endpoint": "PJSIP/1@trunk"}
    assert "message_body" not in json.loads(messages.encode_request(8, "GET", "channels", None))


def test_of_dial_events_only_early_media_is_parsed() -> None:
    assert messages.decode(DIAL % b"RINGING") is None
    assert messages.decode(DIAL % b"") is None
    early = messages.decode(DIAL % b"PROGRESS")
    assert early is not None
    assert early["peer"]["id"] == "raw1"


def test_what_is_no_event_is_nothing() -> None:
    for raw in (b"", b"no json", b"[1]", b"\xff\xfe"):
        assert messages.decode(raw) is None


def test_an_answer_has_its_requests_number_and_asterisks_words() -> None:
    body = '{"message":"Channel with given unique ID already exists"}'
    raw = {"type": "RESTResponse", "request_id": "12", "status_code": 409, "message_body": body}
    number, answer = messages.parse_answer(raw)
    assert (number, answer.ok) == (12, False)
    assert answer.complaint == "Channel with given unique ID already exists (409)"
    assert messages.parse_answer({"request_id": "?"}) == (0, messages.Answer(0))
    assert messages.Answer(500, '{"error":"Allocation failed"}').complaint == "Allocation failed (500)"
    assert messages.Answer(502, "<html>").complaint == "status 502"
    assert messages.Answer(204).ok
    assert messages.Answer(204).json() is None
