"""`outrider mail`: what it prints, its exit status, and keys that only their owner may read."""

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from click.testing import CliRunner, Result

from outrider.channels.email.dkim import dns_record, load_key
from outrider.cli.mail import mail
from outrider.errors import InvalidInputError, OutriderError


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(mail, list(arguments), env=environment)


class _Refusing(StreamRequestHandler):
    """Takes one sender, and no other."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        for line in self.rfile:
            if line.startswith(b"MAIL") and b"news@out.test" not in line:
                self.wfile.write(b"550 5.1.8 not your domain\r\n")
            else:
                self.wfile.write(b"250 OK\r\n")


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """Give the environment that leads to a mail server."""
    with ThreadingTCPServer(("127.0.0.1", 0), _Refusing) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield {
                "OUTRIDER_EMAIL__HOST": "127.0.0.1",
                "OUTRIDER_EMAIL__PORT": str(listening.server_address[1]),
                "OUTRIDER_EMAIL__TLS": "none",
            }
        finally:
            listening.shutdown()
            thread.join()


def test_check_says_what_works_and_what_does_not() -> None:
    with server() as environment:
        good = run("check", "--from", "news@out.test", "--to", "ann@cust.test", **environment)
        assert good.exit_code == 0, good.output
        assert "the sender news@out.test is accepted" in good.output
        assert "PROBLEM" not in good.output
        bad = run("check", "--from", "eve@other.test", **environment)
        assert bad.exit_code == 1
        assert "PROBLEM  sender      the sender eve@other.test is refused" in bad.output


def test_check_without_a_mail_server_is_bad_input() -> None:
    result = run("check")
    assert isinstance(result.exception, InvalidInputError)
    assert "email.host is not set" in result.exception.message


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_is_made_once_and_its_record_printed_again(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "dkim.pem"
    options = (
        "dkim-key",
        "--domain",
        "out.test",
        "--selector",
        "s1",
        "--key-file",
        str(path),
        "--kind",
        kind,
    )
    first = run(*options)
    assert first.exit_code == 0, first.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    record = dns_record("out.test", "s1", load_key(path))
    assert first.stdout == f"{record}\n"
    assert f"k={kind};" in record
    again = run(*options)
    assert (again.stdout, again.stderr) == (first.stdout, "")


def test_a_key_that_cannot_be_made(tmp_path: Path) -> None:
    options = ("--selector", "s1", "--key-file", str(tmp_path / "no folder" / "k"))
    for domain, words in (("out.test", "cannot be written"), ("out test", "is not a domain name")):
        result = run("dkim-key", "--domain", domain, *options)
        assert isinstance(result.exception, OutriderError)
        assert words in result.exception.message
