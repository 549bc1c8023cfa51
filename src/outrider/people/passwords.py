"""Password hashing (Argon2id) and random secrets. Slow on purpose: never call it inside a transaction.

`hash_later` and `verify_later` run on two threads of their own, so that a flood of sign-ins can fill neither
the database's threads nor the memory (64 MiB per hash).
"""

import asyncio
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from outrider.people.model import TOKEN_PREFIX

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(2, "outrider-password")


def hash_password(password: str) -> str:
    """Return an Argon2id hash with its own salt, in PHC format. Takes tens of milliseconds."""
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Return whether `password` has the hash `stored`; None (no such user) takes as long and is False."""
    try:
        _hasher.verify(_nobody() if stored is None else stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


async def hash_later(password: str) -> str:
    """Like `hash_password`, off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, hash_password, password)


async def verify_later(stored: str | None, password: str) -> bool:
    """Like `verify_password`, off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, verify_password, stored, password)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex(32))


def new_password() -> str:
    """Return a one-time password: 20 letters and digits in groups of five, about 100 random bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def new_secret() -> str:
    """Return 256 random bits as text for a URL or a header: a session's id or its CSRF token."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a new API token. Its prefix lets secret scanners recognise it."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is stored of a session id or token: SHA-256, enough for 256 random bits."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
