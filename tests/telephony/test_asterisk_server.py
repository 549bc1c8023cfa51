"""Servers of the test bed: side by side, killed, restarted, frozen, set up wrongly on purpose."""

from pathlib import Path

import httpx
import pytest
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.bed import Bed
from tools.testbed.numbering import Outcome, number
from tools.testbed.public_network import PublicNetwork
from tools.testbed.sources import OLDEST_ASTERISK

from support.processes import eventually
from support.testbed.controller import controlling


def test_a_killed_server_comes_back_on_its_ports_without_its_calls(
    asterisk_pair: tuple[AsteriskServer, AsteriskServer],
) -> None:
    left, right = asterisk_pair
    with controlling(right) as of_right:
        with controlling(left) as of_left:
            of_left.call(number(Outcome.ANSWERS, 1), "on-left")
            of_right.call(number(Outcome.ANSWERS, 2), "on-right")
            of_left.event("StasisStart", "on-left")
            of_right.event("StasisStart", "on-right")
            assert (left.channel_ids(), right.channel_ids()) == ({"on-left"}, {"on-right"})
            before = (left.ari_url, left.sip_port)
            left.kill()
        assert not left.running
        with pytest.raises(httpx.ConnectError):
            left.channels()
        assert right.channel_ids() == {"on-right"}
        left.restart()
        assert (left.ari_url, left.sip_port) == before
        assert left.channel_ids() == set()
        with controlling(left) as again:
            again.call(number(Outcome.BUSY, 3), "after")
            assert again.event("ChannelDestroyed", "after")["cause"] == 17
        of_right.hang_up("on-right")
        assert of_right.event("ChannelDestroyed", "on-right")["cause"] == 16


def test_stopping_hangs_calls_up_at_the_far_end(
    asterisk_pair: tuple[AsteriskServer, AsteriskServer], public_network: PublicNetwork
) -> None:
    left, _ = asterisk_pair
    ended = public_network.tally().succeeded
    with controlling(left) as controller:
        controller.call(number(Outcome.ANSWERS, 9), "hung-up")
        controller.event("StasisStart", "hung-up")
        left.stop()
    assert not left.running
    assert eventually("the far end hears BYE", lambda: public_network.tally().succeeded == ended + 1)


def test_the_instance_is_as_asked_for(testbed: Bed, tmp_path: Path) -> None:
    options = {
        "username": "somebody",
        "password": "secret",
        "without": frozenset({"chan_websocket"}),
        "additions": {"extensions.conf": "[extra]\nexten => s,1,Answer()\n"},
    }
    with running_asterisk(testbed, tmp_path, 9, **options) as server:
        version = server.ari("GET", "/asterisk/info").json()["system"]["version"]
        assert int(version.split(".")[0]) >= OLDEST_ASTERISK
        assert server.username == "somebody"
        assert "chan_websocket" not in server.command("module show like chan_")
        assert "'extra'" in server.command("dialplan show extra")
        wrong = httpx.get(f"{server.ari_url}/channels", auth=("somebody", "wrong"))
        assert wrong.status_code == httpx.codes.UNAUTHORIZED
        assert "ERROR" not in server.log


def test_a_frozen_server_answers_when_it_goes_on(
    asterisk_pair: tuple[AsteriskServer, AsteriskServer],
) -> None:
    left, _ = asterisk_pair
    left.suspend()
    with pytest.raises(httpx.TimeoutException):
        httpx.get(f"{left.ari_url}/channels", auth=(left.username, left.password), timeout=0.2)
    left.resume()
    assert left.channels() == []
