"""The carrier's books: what is written, what is read back, and what a kill leaves behind."""

import json
from pathlib import Path

import pytest

from outrider.channels.base import DuplicateCallError
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.ledger import FileLedger, read_ledger, used_ids
from outrider.clock import VirtualClock
from outrider.errors import ChannelError
from support.voice import PROFILES, START, a_call


def test_every_call_is_written_when_made_and_when_over(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = FileLedger(path)
    carrier = SimulatedCarrier(VirtualClock(START), PROFILES, ledger=ledger)
    carrier.originate(a_call("1", "busy"))
    with pytest.raises(DuplicateCallError):
        carrier.originate(a_call("1", "busy"))
    carrier.drop_all()
    carrier.run_due()
    ledger.close()
    made, refused, over = read_ledger(path)
    assert made == {
        "what": "made",
        "id": "1",
        "address": "+49301",
        "nth": 1,
        "at": "2026-03-02T09:00:00+00:00",
    }
    assert (refused["what"], refused["reason"]) == ("refused", "duplicate id")
    assert (over["what"], over["cause"], over["ringing"], over["at"]) == (
        "over",
        "failed",
        None,
        "2026-03-02T09:00:00+00:00",
    )


def test_ids_of_a_former_life_stay_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = FileLedger(path)
    SimulatedCarrier(VirtualClock(START), ledger=ledger).originate(a_call("1"))
    ledger.close()
    again = SimulatedCarrier(VirtualClock(START), used=used_ids(path))
    with pytest.raises(DuplicateCallError):
        again.originate(a_call("1"))
    again.originate(a_call("2"))


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(json.dumps({"what": "made", "id": "1"}) + '\n{"what":"made","i', encoding="utf-8")
    assert used_ids(path) == {"1"}


def test_a_file_that_is_no_ledger_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("name;phone\n", encoding="utf-8")
    with pytest.raises(ChannelError, match="line 1"):
        used_ids(path)


def test_no_file_holds_nothing(tmp_path: Path) -> None:
    assert used_ids(tmp_path / "none") == frozenset()


def test_a_ledger_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="cannot write the ledger"):
        FileLedger(tmp_path / "missing" / "ledger.jsonl")
