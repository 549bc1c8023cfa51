"""Secrets of other systems, sealed before they are stored: AES-256-GCM under a key kept outside the database.

`app.py` and `cli/` make one Sealer; services seal what they store and open it only for whoever connects.
"""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outrider.errors import InvalidInputError, StoreError

KEY_FILE = "secret.key"
KEY_VARIABLE = "OUTRIDER_SECRET_KEY"
"""The environment variable that may hold the key in place of the file."""

KEY_BYTES, NONCE_BYTES = 32, 12
SCHEME = "v1:"
"""What sealed texts begin with, so that another scheme can be told apart one day."""


class Sealer:
    """Seals and opens short texts. Neither key nor texts show in its repr."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes; ValueError otherwise."""
        self._cipher = AESGCM(key)

    def seal(self, text: str, purpose: str) -> str:
        """Return `text` encrypted for `purpose` (such as "media server"): only the same purpose opens it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), purpose.encode())
        return SCHEME + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, purpose: str) -> str:
        """Return the text of `seal`. StoreError when it was sealed with another key, or damaged."""
        try:
            data = base64.b64decode(sealed.removeprefix(SCHEME), validate=True)
            opened = self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], purpose.encode())
        except (binascii.Error, InvalidTag, ValueError):
            raise StoreError(
                f"the secret of the {purpose} cannot be opened: it was sealed with another key than "
                f"{KEY_FILE} or {KEY_VARIABLE}; bring that key back, or enter the secret again"
            ) from None
        return opened.decode()


def load_sealer(folder: Path, given: str = "") -> Sealer:
    """Return the sealer of this system: its key is `given` (OUTRIDER_SECRET_KEY) or in the data folder.

    Without either, a new key is written to `folder`/secret.key, readable by its owner only. InvalidInputError
    for a key that is none, StoreError when the file cannot be read or written. Processes that share a
    database must share the key.
    """
    if given:
        return Sealer(_key_of(given, KEY_VARIABLE))
    path = folder / KEY_FILE
    try:
        _make(path)
        return Sealer(_key_of(path.read_text(encoding="ascii"), str(path)))
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: the key of stored secrets cannot be read or made: {error}") from None


def new_key() -> str:
    """Return a fresh key as OUTRIDER_SECRET_KEY takes it: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def _make(path: Path) -> None:
    """Write a new key unless there is one: whole at once, so that no other process reads half of it."""
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(new_key() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        # Another process was faster: its key holds.
        return
    finally:
        fresh.unlink()


def _key_of(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidInputError(f"{where}: the key must be {KEY_BYTES} bytes in base64", where=where)
    return key
