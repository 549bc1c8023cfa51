"""Where and how a licence server listens, and how long its leases last.

The command line fills it (`outrider licences serve`); `runner` and `api` read it.
"""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from outrider.errors import InvalidInputError
from outrider.supply.server.model import Terms
from outrider.supply.server.versions import PROTOCOL_VERSION

DEFAULT_PORT = 8099


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One licence server. `insecure` allows plain HTTP on addresses that other hosts reach.

    `protocol_version` is what the server says it speaks; tests make it an older one.
    """

    host_id: str
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False
    terms: Terms = field(default_factory=Terms)
    protocol_version: str = PROTOCOL_VERSION

    @property
    def scheme(self) -> str:
        """Return "https" or "http"."""
        return "http" if self.tls_certificate is None else "https"

    def check(self) -> None:
        """InvalidInputError when tokens would cross the network in the clear, or TLS is half configured."""
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InvalidInputError(
                "give both --tls-cert and --tls-key: a certificate and its private key", where="tls"
            )
        if self.tls_certificate is None and not self.insecure and not is_loopback(self.host):
            raise InvalidInputError(
                f"without TLS, client tokens would cross the network in the clear: give --tls-cert and"
                f" --tls-key to listen on {self.host}, or --insecure if something else protects the line",
                where="tls",
            )


def is_loopback(host: str) -> bool:
    """Return whether only this very host can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
