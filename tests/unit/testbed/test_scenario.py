"""The SIPp scenario holds together: well-formed, every jump has its label, every outcome its counter."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tools.testbed.numbering import Outcome
from tools.testbed.scenario import CANCELLED, FAR_HANGUP, OFFERED, UNKNOWN, counter, scenario

SPEAKING = (
    *(Outcome.MACHINE, Outcome.HUMAN, Outcome.SAYS_YES, Outcome.SAYS_NO, Outcome.FAX),
    *(Outcome.PHONE, Outcome.TALKS),
)
AUDIO = {outcome: Path(f"/speech/{outcome.name} & co.ul") for outcome in SPEAKING}


def parsed(key_presses: Path | None) -> ET.Element:
    """Return the scenario's root element."""
    return ET.fromstring(scenario(AUDIO, key_presses))  # noqa: S314 - our own text


@pytest.mark.parametrize("key_presses", [Path("/keys"), None])
def test_every_jump_has_one_label(key_presses: Path | None) -> None:
    root = parsed(key_presses)
    labels = [label.get("id") for label in root.iter("label")]
    jumps = {step.get(name) for step in root.iter() for name in ("next", "ontimeout")} - {None}
    assert len(labels) == len(set(labels))
    assert jumps <= set(labels)
    assert set(labels) - jumps <= {"answer", "cancelled", "briefly"}, "only what is fallen into"


@pytest.mark.parametrize("key_presses", [Path("/keys"), None])
def test_every_outcome_is_counted_at_one_place(key_presses: Path | None) -> None:
    counted = [step.get("counter") for step in parsed(key_presses).iter() if step.get("counter")]
    assert sorted(filter(None, counted)) == sorted(
        [*(counter(outcome) for outcome in Outcome), CANCELLED, FAR_HANGUP, OFFERED, UNKNOWN]
    )


def test_keys_are_recorded_events_or_info_messages() -> None:
    with_events, without = scenario(AUDIO, Path("/keys")), scenario(AUDIO, None)
    assert with_events.count("play_pcap_audio=") == 10
    assert "INFO [next_url]" not in with_events
    assert "Signal=[$detail]" in without
    assert "play_pcap_audio" not in without
