"""The server's key and token: made once, kept private, the same at every start."""

import stat
from pathlib import Path

import pytest

from outrider.errors import InvalidInputError, LicenceFileError, StoreError
from outrider.supply.server.server_key import KEY_FILE, TOKEN_FILE, load_key, load_token
from outrider.supply.server.settings import ServerConfig, is_loopback


def test_made_once_with_mode_600(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    key, token = load_key(folder), load_token(folder)
    for name in (KEY_FILE, TOKEN_FILE):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert (load_key(folder).server_id, load_token(folder)) == (key.server_id, token)
    assert key.public_pem.startswith("-----BEGIN PUBLIC KEY-----")
    assert sorted(path.name for path in folder.iterdir()) == [KEY_FILE, TOKEN_FILE]


def test_damaged_or_unreadable(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("nonsense")
    with pytest.raises(LicenceFileError, match="not an Ed25519 key"):
        load_key(tmp_path)
    (tmp_path / TOKEN_FILE).mkdir()
    with pytest.raises(StoreError, match="cannot be read or made"):
        load_token(tmp_path)


def test_tls_is_needed_beyond_loopback(tmp_path: Path) -> None:
    ServerConfig("h").check()
    ServerConfig("h", host="::1").check()
    ServerConfig("h", host="0.0.0.0", insecure=True).check()  # noqa: S104 - allowed on purpose
    file = tmp_path / "file"
    ServerConfig("h", host="licences.example", tls_certificate=file, tls_key=file).check()
    for bad in (ServerConfig("h", host="10.0.0.1"), ServerConfig("h", tls_certificate=file)):
        with pytest.raises(InvalidInputError):
            bad.check()
    assert [is_loopback(name) for name in ("localhost", "127.9.9.9", "[::1]", "example.org", "10.0.0.1")] == [
        True,
        True,
        True,
        False,
        False,
    ]
