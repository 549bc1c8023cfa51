"""The files of a private Asterisk: what tests may change, and the settings that are easy to get wrong."""

from pathlib import Path

from tools.testbed.configuration import Instance, Places, files

PLACES = Places(Path("/instance"), Path("/run/x"), Path("/bed/modules"), Path("/bed/share/asterisk"))
MODULES = ("chan_pjsip", "chan_websocket", "res_ari")


def instance(**options: object) -> Instance:
    """Return an instance on fixed ports."""
    fixed: dict[str, object] = {"sip_port": 1, "http_port": 2, "media": (3, 4), "carrier_port": 5}
    return Instance(**{**fixed, **options})  # type: ignore[arg-type] # fields by name, as callers give them


def test_the_directories_are_no_template() -> None:
    text = files(instance(), PLACES, MODULES, 1000)["asterisk.conf"]
    assert text.startswith("[directories]\n")
    assert "astrundir => /run/x\n" in text
    assert "maxfiles = 1000\n" in text


def test_left_out_modules_are_not_loaded() -> None:
    text = files(instance(without=frozenset({"chan_websocket"})), PLACES, MODULES, 1000)["modules.conf"]
    assert text == "[modules]\nautoload=no\nload=chan_pjsip.so\nload=res_ari.so\n"


def test_files_are_replaced_and_added_to() -> None:
    written = files(
        instance(files={"ari.conf": "ours\n"}, additions={"ari.conf": "more\n", "new.conf": "new\n"}),
        PLACES,
        MODULES,
        1000,
    )
    assert written["ari.conf"] == "ours\nmore\n"
    assert written["new.conf"] == "new\n"


def test_ports_and_customers_legs_are_as_the_carrier_needs_them() -> None:
    written = files(instance(), PLACES, MODULES, 1000)
    assert "bind=127.0.0.1:1\n" in written["pjsip.conf"]
    assert "contact=sip:127.0.0.1:5\n" in written["pjsip.conf"]
    assert "send_connected_line=no\n" in written["pjsip.conf"]
    assert "rtpstart=3\nrtpend=4\n" in written["rtp.conf"]
    assert "bindport=2\n" in written["http.conf"]
