"""Which site's page sent a request: browsers tell it in the Origin header, which pages cannot forge. Pure."""

from urllib.parse import urlsplit


def host_of(address: str) -> str:
    """Return the host and port that an address or an Origin names; "" when it names none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def is_foreign(origin: str, *ours: str) -> bool:
    """Return whether an Origin is none of our hosts, as "null" is not, and what cannot be read."""
    host = host_of(origin)
    return not host or host not in ours
