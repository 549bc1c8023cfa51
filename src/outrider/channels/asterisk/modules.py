"""The modules of Asterisk that we need, and what for. Pure; for `check` and `configuration`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """One module, and what does not work without it. `essential`: no call can be made at all."""

    module: str
    purpose: str
    essential: bool = True


NEEDS = (
    Need("res_stasis", "controlling calls"),
    Need("app_stasis", "controlling calls"),
    Need("res_ari", "its REST interface"),
    Need("res_ari_applications", "choosing events, and taking calls over"),
    Need("res_ari_asterisk", "telling version and modules"),
    Need("res_ari_channels", "making calls"),
    Need("res_stasis_answer", "making calls: res_ari_channels needs it"),
    Need("res_stasis_recording", "making calls: res_ari_channels needs it"),
    Need("res_stasis_snoop", "making calls: res_ari_channels needs it"),
    Need("res_ari_model", "its REST interface"),
    Need("res_ari_events", "telling what happens"),
    Need("res_http_websocket", "telling what happens"),
    Need("res_ari_playbacks", "playing prompts"),
    Need("res_stasis_playback", "playing prompts"),
    Need("chan_pjsip", "SIP"),
    Need("res_pjsip", "SIP"),
    Need("res_pjsip_session", "SIP"),
    Need("res_pjsip_sdp_rtp", "the sound of SIP calls"),
    Need("res_rtp_asterisk", "the sound of SIP calls"),
    Need("res_pjsip_rfc3326", "exact reasons of the ends of calls", essential=False),
    Need("res_ari_endpoints", "checking the trunk", essential=False),
    Need("format_wav", "playing WAV files", essential=False),
    Need("format_pcm", "playing mu-law and A-law files", essential=False),
    Need(
        "func_talkdetect",
        "telling machines from people, and waiting for the end of greetings",
        essential=False,
    ),
    Need("app_amd", "telling machines from people by AMD()", essential=False),
    Need("func_dialplan", "finding the dialplan that runs AMD()", essential=False),
    Need("chan_websocket", "speech recognition", essential=False),
    Need("res_ari_bridges", "agents, and speech recognition", essential=False),
    Need("bridge_simple", "agents, and speech recognition", essential=False),
    Need("bridge_softmix", "conferences of agents", essential=False),
    Need("res_musiconhold", "music while a contact is on hold", essential=False),
    Need("func_callerid", "the caller's number of calls that agents hear ringing", essential=False),
    Need("codec_ulaw", "speech recognition", essential=False),
    Need("codec_alaw", "speech recognition on A-law trunks", essential=False),
)

SIP = frozenset(
    need.module for need in NEEDS if need.module.removeprefix("res_").startswith(("pjsip", "chan_pjsip"))
)
"""Modules that a trunk over another technology than PJSIP does not need."""


def missing(running: Iterable[str], *, over_sip: bool = True) -> Iterator[Need]:
    """Yield what is needed and not running; names may end in `.so`, as Asterisk gives them."""
    present = {name.removesuffix(".so") for name in running}
    for need in NEEDS:
        if need.module not in present and (over_sip or need.module not in SIP):
            yield need
