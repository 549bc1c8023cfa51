"""The SIPp scenario of the whole public network, as XML text: one process answers every number of the plan.

`public_network` writes it. Each outcome has a counter in SIPp's statistics, raised at the message that
decides it. Every call leaves one line in SIPp's log: the called number and the caller's.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tools.testbed.numbering import PREFIX, SIP_CODES, TALK_STEP, Outcome

OFFERED, CANCELLED, UNKNOWN, FAR_HANGUP = "offered", "cancelled", "unknown", "far_hangup"
"""Counters beside those of the outcomes: calls that came; ended by CANCEL before the answer; to no number of
the plan (404); hung up by the far end."""

_REASONS = {
    180: "Ringing",
    404: "Not Found",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    503: "Service Unavailable",
    603: "Decline",
}
_TAG = ";tag=[pid]p[call_number]"
_LONGEST = 9


def counter(outcome: Outcome) -> str:
    """Return the name of an outcome's counter in the statistics."""
    return f"outcome_{outcome.value}"


def scenario(audio: Mapping[Outcome, Path], key_presses: Path | None) -> str:
    """Return the scenario. `audio` has the mu-law file of each outcome that speaks.

    Keys are pressed as RFC 4733 events from the recordings in `key_presses`; sending these needs a raw
    socket, so without that right (None) they are sent as SIP INFO.
    """
    parts = [
        *_offered(),
        *_branches(),
        *_refused(404, UNKNOWN),
        *(line for outcome, code in SIP_CODES.items() for line in _refusal(outcome, code)),
        *_rings_for_ever(),
        *_dead(),
        *_rings(),
        *_answers(),
        *_speaks(audio),
        *_presses(key_presses),
        *_talks(),
        *_hangs_up(),
        *_waits(),
        *_cancelled(),
        '<label id="end"/>',
        '<nop hide="true"/>',
    ]
    head = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
    return head + '<scenario name="public network">\n' + "\n".join(parts) + "\n</scenario>\n"


def _offered() -> Iterator[str]:
    yield f'<recv request="INVITE" rrs="true" counter="{OFFERED}"><action>'
    yield (
        f'<ereg regexp="sip:.({PREFIX[1:]}([0-9][0-9])([0-9])[0-9]*)@" search_in="hdr" header="To:"'
        ' assign_to="to,called,code,detail"/>'
    )
    yield '<ereg regexp="sip:([^@>;]*)" search_in="hdr" header="From:" assign_to="from,caller"/>'
    yield '<ereg regexp="sip:([^@>;]*)" search_in="hdr" header="To:" assign_to="address,dialled"/>'
    yield '<todouble assign_to="outcome" variable="code"/>'
    yield '<todouble assign_to="seconds" variable="detail"/>'
    for outcome in Outcome:
        yield _is(f"is{outcome.value}", "outcome", outcome.value)
    for digit in range(10):
        yield _is(f"d{digit}", "seconds", str(digit))
    yield '<log message="[$dialled] [$caller]"/>'
    yield "</action></recv>"
    yield '<Reference variables="to,called,from,address,d0"/>'


def _is(name: str, variable: str, value: str) -> str:
    return f'<test assign_to="{name}" variable="{variable}" compare="equal" value="{value}"/>'


def _branches() -> Iterator[str]:
    for outcome in SIP_CODES:
        yield f'<nop test="is{outcome.value}" next="refuse{outcome.value}"/>'
    yield f'<nop test="is{Outcome.NO_ANSWER.value}" next="ring_for_ever"/>'
    yield f'<nop test="is{Outcome.DEAD.value}" next="dead"/>'
    yield f'<nop test="is{Outcome.ANSWERS.value}" next="ring"/>'
    for outcome in _ANSWERED_AT_ONCE:
        yield f'<nop test="is{outcome.value}" next="answer{outcome.value}"/>'


_ANSWERED_AT_ONCE = (
    Outcome.HANGS_UP,
    Outcome.MACHINE,
    Outcome.HUMAN,
    Outcome.PRESSES,
    Outcome.SAYS_YES,
    Outcome.SAYS_NO,
    Outcome.FAX,
    Outcome.PHONE,
    Outcome.TALKS,
)
_TALKERS = (Outcome.PHONE, Outcome.TALKS)


def _refusal(outcome: Outcome, code: int) -> Iterator[str]:
    yield f'<label id="refuse{outcome.value}"/>'
    yield from _refused(code, counter(outcome))


def _refused(code: int, counted: str) -> Iterator[str]:
    yield _final(code, _REASONS[code], counted)
    yield '<recv request="ACK" next="end"/>'


def _rings_for_ever() -> Iterator[str]:
    yield '<label id="ring_for_ever"/>'
    yield _provisional()
    yield f'<recv request="CANCEL" counter="{counter(Outcome.NO_ANSWER)}" next="terminate"/>'


def _dead() -> Iterator[str]:
    yield '<label id="dead"/>'
    # The call ends here for SIPp; it ignores the repeated INVITEs of calls that it has ended.
    yield f'<nop counter="{counter(Outcome.DEAD)}" next="end"/>'


def _rings() -> Iterator[str]:
    yield '<label id="ring"/>'
    yield f'<nop test="d0" next="answer{Outcome.ANSWERS.value}"/>'
    yield _provisional()
    yield from _wait("ring", "CANCEL", "cancelled", f"answer{Outcome.ANSWERS.value}")


def _answers() -> Iterator[str]:
    for outcome in (Outcome.ANSWERS, *_ANSWERED_AT_ONCE):
        yield f'<label id="answer{outcome.value}"/>'
        yield f'<nop counter="{counter(outcome)}" next="answer"/>'
    yield '<label id="answer"/>'
    yield _message(["SIP/2.0 200 OK", *_echo(_TAG), _CONTACT], _SDP, 'retrans="500"')
    yield '<recv request="ACK"><action>'
    yield '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="them"/>'
    yield '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="us"/>'
    yield "</action></recv>"
    yield '<Reference variables="them,us"/>'
    for outcome in _ANSWERED_AT_ONCE:
        yield f'<nop test="is{outcome.value}" next="act{outcome.value}"/>'
    yield '<nop next="wait"/>'


def _speaks(audio: Mapping[Outcome, Path]) -> Iterator[str]:
    for outcome, path in audio.items():
        yield f'<label id="act{outcome.value}"/>'
        if outcome in {Outcome.SAYS_YES, Outcome.SAYS_NO}:
            yield f'<nop test="d0" next="say{outcome.value}"/>'
            yield from _wait(f"think{outcome.value}", "BYE", "bye", f"say{outcome.value}")
            yield f'<label id="say{outcome.value}"/>'
        stream = quoteattr(f"{path},{-1 if outcome in _TALKERS else 1},0,PCMU/8000")
        following = "talk_on" if outcome is Outcome.TALKS else "wait"
        yield f'<nop next="{following}"><action><exec rtp_stream={stream}/></action></nop>'


def _presses(key_presses: Path | None) -> Iterator[str]:
    yield f'<label id="act{Outcome.PRESSES.value}"/>'
    yield '<recv request="BYE" timeout="1000" ontimeout="press" next="bye"/>'
    yield '<label id="press"/>'
    if key_presses is None:
        head = [*_request("INFO", 5), "Content-Type: application/dtmf-relay"]
        yield _message(head, ["Signal=[$detail]", "Duration=160"], 'retrans="500"')
        yield '<recv request="BYE" optional="true" next="bye"/>'
        yield '<recv response="200" next="wait"/>'
        return
    for digit in range(10):
        yield f'<nop test="d{digit}" next="press{digit}"/>'
    yield '<nop next="wait"/>'
    for digit in range(10):
        yield f'<label id="press{digit}"/>'
        path = quoteattr(str(key_presses / f"dtmf_2833_{digit}.pcap"))
        yield f'<nop next="wait"><action><exec play_pcap_audio={path}/></action></nop>'


def _talks() -> Iterator[str]:
    yield '<label id="talk_on"/>'
    yield '<nop test="d0" next="wait"/>'
    yield from _wait("talks", "BYE", "bye", "hang_up", TALK_STEP)


def _hangs_up() -> Iterator[str]:
    yield f'<label id="act{Outcome.HANGS_UP.value}"/>'
    yield '<nop test="d0" next="briefly"/>'
    yield from _wait("talk", "BYE", "bye", "hang_up")
    yield '<label id="briefly"/>'
    yield '<recv request="BYE" timeout="200" ontimeout="hang_up" next="bye"/>'
    yield '<label id="hang_up"/>'
    yield f'<nop counter="{FAR_HANGUP}"/>'
    yield _message(_request("BYE", 7), [], 'retrans="500"')
    # Both sides may hang up at the same moment.
    yield '<recv request="BYE" optional="true" next="bye"/>'
    yield '<recv response="200" next="end"/>'


def _waits() -> Iterator[str]:
    yield '<label id="wait"/>'
    yield '<recv request="INVITE" optional="true" next="again"/>'
    yield '<recv request="BYE"/>'
    yield '<label id="bye"/>'
    yield _message(["SIP/2.0 200 OK", *_echo("")], [], 'next="end"')
    yield '<label id="again"/>'
    yield _message(["SIP/2.0 200 OK", *_echo(""), _CONTACT], _SDP, 'retrans="500"')
    yield '<recv request="ACK" next="wait"/>'


def _cancelled() -> Iterator[str]:
    yield '<label id="cancelled"/>'
    yield f'<nop counter="{CANCELLED}"/>'
    yield '<label id="terminate"/>'
    yield _message(["SIP/2.0 200 OK", *_echo(_TAG)], [], "")
    terminated = [*_echo(_TAG)[:-1], "CSeq: [cseq] INVITE"]
    yield _message(["SIP/2.0 487 Request Terminated", *terminated], [], 'retrans="500"')
    yield '<recv request="ACK" next="end"/>'


def _wait(name: str, request: str, came: str, over: str, step: int = 1) -> Iterator[str]:
    """Wait `detail` (1 to 9) times `step` seconds for a request: SIPp's timeouts are constants."""
    for digit in range(_LONGEST, 0, -1):
        yield f'<nop test="d{digit}" next="{name}{digit}"/>'
    yield f'<nop next="{over}"/>'
    for digit in range(_LONGEST, 0, -1):
        following = f"{name}{digit - 1}" if digit > 1 else over
        yield f'<label id="{name}{digit}"/>'
        yield f'<recv request="{request}" timeout="{step * 1000}" ontimeout="{following}" next="{came}"/>'


_CONTACT = "Contact: <sip:pstn@[local_ip]:[local_port]>"

_SDP = [
    "v=0",
    "o=pstn 1 1 IN IP4 [local_ip]",
    "s=-",
    "c=IN IP4 [media_ip]",
    "t=0 0",
    "m=audio [rtpstream_audio_port] RTP/AVP 0 101",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-16",
    "a=ptime:20",
]


def _echo(tag: str) -> list[str]:
    return [
        "[last_Via:]",
        "[last_From:]",
        f"[last_To:]{tag}",
        "[last_Call-ID:]",
        "[last_Record-Route:]",
        "[last_CSeq:]",
    ]


def _request(method: str, sequence: int) -> list[str]:
    return [
        f"{method} [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From:[$us]",
        "To:[$them]",
        "[last_Call-ID:]",
        f"CSeq: {sequence} {method}",
        "Max-Forwards: 70",
    ]


def _provisional() -> str:
    return _message(["SIP/2.0 180 Ringing", *_echo(_TAG), _CONTACT], [], "")


def _final(code: int, reason: str, counted: str) -> str:
    return _message([f"SIP/2.0 {code} {reason}", *_echo(_TAG)], [], f'retrans="500" counter="{counted}"')


def _message(head: list[str], body: list[str], attributes: str) -> str:
    kind = ["Content-Type: application/sdp"] if body and body[0] == "v=0" else []
    text = "\n".join([*head, *kind, "Content-Length: [len]" if body else "Content-Length: 0", "", *body])
    return f"<send {attributes}><![CDATA[\n{text}\n\n]]></send>"
