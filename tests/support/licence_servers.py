"""Licence servers for tests: a database with files and clients, the real process, and a raw fast client.

Used by the contract, acceptance and bench tests of `supply/server`.
"""

import base64
import datetime as dt
import json
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outrider.clock import RealClock
from outrider.db.database import Database
from outrider.licences.model import LicenceKind
from outrider.supply.claims import LicenceFile
from outrider.supply.file import issue
from outrider.supply.keys import generate_keypair
from outrider.supply.server import clients, files
from support.processes import Program, Programs

HOST = "host-of-tests"
LISTENING = r"Licence server is at (\S+)"
PRIVATE, PUBLIC = generate_keypair()
YEAR = dt.timedelta(days=365)


def licence(now: dt.datetime, name: str = "L-1", **changes: Any) -> LicenceFile:
    """Return a licence file valid for a year from an hour ago; `counts` by feature name."""
    counts = {LicenceKind(kind): units for kind, units in changes.pop("counts", {}).items()}
    begin = now - dt.timedelta(hours=1)
    values: dict[str, Any] = {
        "id": name,
        "customer": "The tests",
        "issued_at": begin,
        "not_before": begin,
        "expires_at": now + YEAR,
        "counts": counts or {LicenceKind.OUTBOUND_PORTS: 60},
    }
    return LicenceFile(**{**values, **changes})


def load(database: Database, now: dt.datetime, name: str = "L-1", **changes: Any) -> LicenceFile:
    """Sign and load a licence file."""
    text = issue(licence(now, name, **changes), PRIVATE)
    return database.write_now(files.load_file, text, PUBLIC, HOST, now, "test")


def add_clients(database: Database, names: Sequence[str], now: dt.datetime) -> dict[str, str]:
    """Add clients; return their tokens by name."""
    return {name: database.write_now(clients.add, name, "", now, "test").token for name in names}


@dataclass(slots=True)
class RawClient:
    """A platform reduced to sockets: keeps one connection, and the sequence of the last answer it saw.

    It trusts the answers (they are checked elsewhere), so that the measuring side costs little.
    """

    address: tuple[str, int]
    name: str
    token: str
    wants: Mapping[str, int | str] | str = "all"
    seen: int = 0
    _connection: socket.socket | None = field(default=None, repr=False)

    def lease(self, timeout: float = 30.0) -> dict[str, Any]:
        """Acquire or renew; return what the answer says. OSError when there is none."""
        nonce = secrets.token_hex(9)
        try:
            self._send(nonce, timeout)
            answer = self._receive()
        except OSError:
            self.close()
            raise
        if answer["nonce"] != nonce:
            raise AssertionError("the answer to another request")
        self.seen = answer["sequence"]
        return answer

    def ask_and_hang_up(self, timeout: float = 30.0) -> None:
        """Ask, and never hear the answer. OSError when the server is not there."""
        try:
            self._send(secrets.token_hex(9), timeout)
        finally:
            self.close()

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, nonce: str, timeout: float) -> None:
        body = json.dumps(
            {"protocol": "1.1", "client": self.name, "nonce": nonce, "wants": self.wants, "seen": self.seen}
        ).encode()
        if self._connection is None:
            self._connection = socket.create_connection(self.address, timeout)
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.sendall(
            b"POST /v1/leases HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
            % (self.token.encode(), len(body), body)
        )

    def _receive(self) -> dict[str, Any]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, content = received.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head.lower())
        length = int(found[1]) if found else 0
        while len(content) < length:
            content += self._more()
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"{head[:40]!r} {content[:300]!r}")
        payload = content.split(b".")[1]
        said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        return said

    def _more(self) -> bytes:
        assert self._connection is not None
        part = self._connection.recv(65536)
        if not part:
            raise ConnectionError("the server hung up")
        return part


def counts_of(answer: Mapping[str, Any]) -> dict[str, int]:
    """Return the granted counts of an answer by feature name."""
    return {each["feature"]: each["count"] for each in answer["features"]}


def address_of(program: Program) -> tuple[str, int]:
    """Wait until a started licence server listens; return where."""
    url = program.wait_for(LISTENING)[1]
    host, _, port = url.rpartition("//")[2].rpartition(":")
    return host.strip("[]"), int(port)


def start_server(commands: Programs, url: str, folder: Path, *options: str, port: int = 0) -> Program:
    """Start `outrider licences serve` over a database, with its keys in `folder`."""
    return commands.start(
        "licences",
        "serve",
        "--port",
        str(port),
        "--data-folder",
        str(folder),
        "--database",
        url,
        *options,
        host_id=HOST,
    )


def now() -> dt.datetime:
    """Return the real time, by which servers that run as processes judge files."""
    return RealClock().now()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for localhost and 127.0.0.1; return its file and its key's."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [sys.executable, "-c", _MAKE_CERTIFICATE, str(cert), str(key)], check=True, capture_output=True
    )
    return cert, key


_MAKE_CERTIFICATE = """
import datetime, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
now = datetime.datetime.now(datetime.timezone.utc)
here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
names = x509.SubjectAlternativeName([x509.DNSName("localhost"), here])
cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=2)).add_extension(names, critical=False)
    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    .sign(key, hashes.SHA256()))
open(sys.argv[1], "wb").write(cert.public_bytes(serialization.Encoding.PEM))
open(sys.argv[2], "wb").write(key.private_bytes(serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
"""
