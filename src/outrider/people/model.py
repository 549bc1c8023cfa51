"""Roles, callers, users and tokens, and the rules for names and passwords. Pure.

Every slice's service takes a `Caller`, so that isolation between organizations is decided in one place.
"""

import datetime as dt
import enum
import re
from dataclasses import dataclass

from outrider.errors import InvalidInputError, NotAllowedError, OutriderError

SESSION_LIFE = dt.timedelta(hours=12)
"""A session that is not used for this long ends."""
SESSION_RENEWAL = dt.timedelta(minutes=5)
"""A session in use is prolonged at most this often, so that reading a page rarely writes."""
SESSION_MAXIMUM = dt.timedelta(days=7)
"""However much it is used, a session ends after this long."""

TOKEN_PREFIX = "or_"  # noqa: S105 - the public mark of our tokens, by which secret scanners find them
NAME_LENGTH = 80
PASSWORD_MINIMUM = 12
PASSWORD_MAXIMUM = 200

_NAME = re.compile(r"[^\W_][\w.@+-]*")


class Role(enum.StrEnum):
    """What a user may do; each role may do all that the ones before it may.

    An agent may use the agent desktop and the Agent Web API for itself, and nothing else.
    """

    AGENT = "agent"
    VIEWER = "viewer"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        """Return 0 for the least powerful role, growing with power."""
        return list(Role).index(self)

    def includes(self, other: "Role") -> bool:
        """Return whether this role may do whatever `other` may."""
        return self.rank >= other.rank


class ThrottledError(OutriderError):
    """Too many sign-ins have failed; the fact `retry_after` says for how many seconds to wait."""

    code = "throttled"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: `organization_id` None means that the caller sees all organizations."""

    user_id: int
    name: str
    role: Role
    organization_id: int | None

    @property
    def is_system_administrator(self) -> bool:
        """Return whether the caller administers the whole system, not one organization."""
        return self.role is Role.ADMINISTRATOR and self.organization_id is None

    def sees(self, organization_id: int | None) -> bool:
        """Return whether records of that organization (None: of the whole system) are visible."""
        return self.organization_id is None or self.organization_id == organization_id

    def require(self, role: Role) -> None:
        """NotAllowedError when the caller's role does not include `role`."""
        if not self.role.includes(role):
            raise NotAllowedError(
                f"this needs the role {role}, and {self.name} is a {self.role}; ask an administrator",
                needed=role.value,
                role=self.role.value,
            )


SYSTEM = Caller(0, "command line", Role.ADMINISTRATOR, None)
"""The person at the machine's own command line, who may do everything."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A caller that proved who it is: by a session (then `csrf_token` is set) or by an API token."""

    caller: Caller
    csrf_token: str = ""
    must_change_password: bool = False

    @property
    def is_session(self) -> bool:
        """Return whether a browser's cookie was the proof, so that forged requests must be ruled out."""
        return bool(self.csrf_token)


@dataclass(frozen=True, slots=True)
class User:
    """A user as administrators see it."""

    id: int
    name: str
    role: Role
    organization_id: int | None
    organization: str
    """The organization's name; "" for a user of the whole system."""
    created_at: dt.datetime
    disabled: bool
    must_change_password: bool


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as lists show it; the secret itself is not kept."""

    id: int
    user_id: int
    user: str
    name: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None


def clean_user_name(text: str) -> str:
    """Return the name as it is stored: without surrounding blanks, in lower case.

    InvalidInputError unless it has 1 to 80 letters, digits or `. @ + - _` and begins with a letter or digit.
    """
    name = text.strip().casefold()
    if len(name) > NAME_LENGTH or not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"user name: use 1 to {NAME_LENGTH} letters, digits or . @ + - _, with a letter or digit first",
            where="name",
        )
    return name


def clean_token_name(text: str) -> str:
    """Return a token's name without surrounding blanks; InvalidInputError unless 1 to 80 characters."""
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise InvalidInputError(f"token name: use 1 to {NAME_LENGTH} printable characters", where="name")
    return name


def check_new_password(password: str, user_name: str) -> None:
    """InvalidInputError for a password that is too short, too long, or the user's own name (NIST 800-63B)."""
    if len(password) < PASSWORD_MINIMUM:
        raise InvalidInputError(
            f"password: use at least {PASSWORD_MINIMUM} characters; a sentence is easiest to remember",
            where="password",
        )
    if len(password) > PASSWORD_MAXIMUM:
        raise InvalidInputError(f"password: use at most {PASSWORD_MAXIMUM} characters", where="password")
    if password.strip().casefold() == user_name or len(set(password)) == 1:
        raise InvalidInputError("password: choose one that is harder to guess", where="password")


def prolonged(created_at: dt.datetime, expires_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Return the new end of a session in use, None while it is too early to write one down."""
    end = min(now + SESSION_LIFE, created_at + SESSION_MAXIMUM)
    return end if end - expires_at >= SESSION_RENEWAL else None
