"""The errors that a person can act on, each with a stable code; no HTTP, no exit statuses.

Every slice raises these; `web/errors.py` turns them into problem+json and `cli/` into one line on
standard error. A message says what was wrong, where (file, line, field) and what to do.
"""

from collections.abc import Mapping


class OutriderError(Exception):
    """Base of all errors that are shown to people; `facts` are machine-readable details."""

    code = "error"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts: Mapping[str, object] = facts


class InvalidInputError(OutriderError):
    """The caller's data breaks a rule: `where` in the facts names the field, line or place."""

    code = "invalid_input"


class NotFoundError(OutriderError):
    """Nothing by that id is visible to this caller."""

    code = "not_found"


class ConflictError(OutriderError):
    """The request is well-formed, but the present state forbids it."""

    code = "conflict"


class IllegalTransitionError(ConflictError):
    """A state machine has no such transition from its present state."""

    code = "illegal_transition"


class NotAllowedError(OutriderError):
    """The caller is known, but its role or organization does not permit this."""

    code = "not_allowed"


class NotAuthenticatedError(OutriderError):
    """The caller's session or token is missing, wrong or expired."""

    code = "not_authenticated"


class LicenceFileError(OutriderError):
    """A signed licence file is refused; the message says why (tampered, expired, foreign host...)."""

    code = "licence_file"


class LicenceShortageError(ConflictError):
    """There are not enough licences for what was asked; the message names the type and the numbers."""

    code = "licence_shortage"


class ImportFileError(OutriderError):
    """A contact file cannot be imported at all (binary, empty, no usable column...)."""

    code = "import_file"


class ChannelError(OutriderError):
    """A carrier, media server or mail server refused or failed; the attempt gets a true outcome."""

    code = "channel"


class StoreError(OutriderError):
    """The database is missing, too old, too new or unreachable; the message says what to do."""

    code = "store"


class FloorElsewhereError(OutriderError):
    """Agents are served by another process: the fact `address` says where, "" while nobody serves them."""

    code = "floor_elsewhere"
