"""The licence server's own secrets in its data folder: the key that signs answers, and the reader's token.

Made at the first start with mode 0600, never overwritten. `runner` loads them; `outrider licences server-key`
and `admin-token` print what clients and readers need.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import OKPKey

from outrider.errors import StoreError
from outrider.people.passwords import new_secret
from outrider.supply.keys import generate_keypair, key_id, read_private

KEY_FILE = "licence-server-key.pem"
TOKEN_FILE = "licence-server-token"  # noqa: S105 - the name of a file
TOKEN_PREFIX = "orr_"  # noqa: S105 - lets secret scanners recognise a reader's token
LARGEST = 10_000
"""Bytes that either file may have."""


@dataclass(frozen=True, slots=True)
class ServerKey:
    """The private key that signs answers; its id names the server."""

    key: OKPKey

    @property
    def server_id(self) -> str:
        """Return the RFC 7638 thumbprint of the key: two servers never have the same."""
        return key_id(self.key)

    @property
    def public_pem(self) -> str:
        """Return the public key as PEM text, which clients are given."""
        return self.key.as_pem(private=False).decode("ascii")


def load_key(folder: Path) -> ServerKey:
    """Return the server's key, made now if there is none. StoreError, LicenceFileError for a damaged one."""
    return ServerKey(read_private(_ensure(folder / KEY_FILE, generate_keypair()[0])))


def load_token(folder: Path) -> str:
    """Return the token with which the status page and `GET /v1/usage` may be read from other hosts."""
    return _ensure(folder / TOKEN_FILE, TOKEN_PREFIX + new_secret() + "\n").strip()


def _ensure(path: Path, fresh: str) -> str:
    """Return what the file holds; `fresh` becomes it when there is none. Two starts at once agree.

    The file is linked into place whole, so that a crash never leaves half a key.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(fresh)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        with path.open("rb") as file_read:
            return file_read.read(LARGEST).decode("ascii", errors="replace")
    except OSError as error:
        raise StoreError(f"{path}: cannot be read or made: {error.strerror or error}") from None
