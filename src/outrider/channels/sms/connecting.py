"""Opening a connection to a message centre and binding: one try, and one clear sentence when it fails.

`session` connects with it again and again, `check` once.
"""

import asyncio
import enum
import socket
import ssl
from dataclasses import dataclass

from outrider.channels.sms.bodies import Bind, BindResponse, BindType, GenericNack, Outbind, Pdu
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.constants import INTERFACE_VERSION, Tag
from outrider.channels.sms.framing import Framer
from outrider.channels.sms.octets import MalformedPduError, tlv_integer
from outrider.channels.sms.pdu import decode, encode
from outrider.channels.sms.status import Status, describe
from outrider.errors import ChannelError

_READ = 65_536
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
"""How a TLS server's alert or greeting begins: it was spoken to in clear."""

_HINTS: dict[int, str] = {
    Status.NOT_BOUND: "the account may not be allowed this type of bind",
    Status.ALREADY_BOUND: "end the other connection, or ask the provider for more",
    Status.SYSTEM_ERROR: "try again later, or ask the provider",
    Status.BIND_FAILED: "check system_id, password, system_type, and whether this address is allowed",
    Status.INVALID_PASSWORD: "check password",
    Status.INVALID_SYSTEM_ID: "check system_id",
    Status.INVALID_SYSTEM_TYPE: "check system_type",
}


class Trouble(enum.StrEnum):
    """Why a connection cannot be used."""

    NAME = "name"
    CLOSED_PORT = "closed_port"
    SILENT = "silent"
    TLS = "tls"
    CERTIFICATE = "certificate"
    NOT_SMPP = "not_smpp"
    HUNG_UP = "hung_up"
    REFUSED = "refused"
    VERSION = "version"
    NETWORK = "network"


class ConnectError(ChannelError):
    """There is no bound connection; `trouble` says why, `status` is the centre's command_status or 0."""

    code = "sms_connect"

    def __init__(self, message: str, trouble: Trouble, status: int = 0) -> None:
        super().__init__(message, trouble=trouble.value, status=status)
        self.trouble = trouble
        self.status = status


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A bound connection, and what was read behind the answer to the bind already."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    framer: Framer
    early: tuple[bytes, ...]
    centre: str


async def connect(settings: SmppSettings) -> Bound:
    """Connect and bind within `connect_timeout` each. ConnectError says in one sentence what is wrong."""
    reader, writer = await _open(settings)
    try:
        async with asyncio.timeout(settings.connect_timeout):
            return await _bind(settings, reader, writer)
    except TimeoutError as error:
        writer.close()
        clear = "" if settings.tls else ", or expects TLS"
        message = f"{settings.where} does not answer the bind within {settings.connect_timeout:g} s"
        raise ConnectError(f"{message}; it may be no SMPP port{clear}", Trouble.SILENT) from error
    except OSError as error:
        writer.close()
        message = f"{settings.where} closed the connection during the bind ({error})"
        raise ConnectError(
            f"{message}; check port, tls, and whether this address is allowed", Trouble.HUNG_UP
        ) from error
    except BaseException:
        writer.close()
        raise


async def explained(settings: SmppSettings, error: ConnectError) -> ConnectError:
    """Return a better reason where a centre said nothing to words in clear: perhaps it wants TLS.

    It takes a connection of its own, and `connect_timeout` at most.
    """
    if settings.tls or error.trouble not in {Trouble.HUNG_UP, Trouble.SILENT}:
        return error
    anyone = ssl.create_default_context()
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(settings.connect_timeout):
            _, writer = await asyncio.open_connection(settings.host, settings.port, ssl=anyone)
    except (OSError, TimeoutError):
        return error
    writer.transport.abort()
    return ConnectError(f"{settings.where} speaks TLS on this port; set tls to true", Trouble.TLS)


async def _open(settings: SmppSettings) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connected stream pair."""
    where = settings.where
    tls = await _context(settings)
    try:
        async with asyncio.timeout(settings.connect_timeout):
            return await asyncio.open_connection(settings.host, settings.port, ssl=tls, limit=2 * _READ)
    except TimeoutError as error:
        message = f"{where} does not answer within {settings.connect_timeout:g} s"
        raise ConnectError(f"{message}; check host, port and firewall", Trouble.SILENT) from error
    except socket.gaierror as error:
        message = f"{where}: the name {settings.host} is not known ({error.strerror}); check host and DNS"
        raise ConnectError(message, Trouble.NAME) from error
    except ssl.SSLCertVerificationError as error:
        message = f"{where} shows a certificate that is not trusted ({error.verify_message})"
        raise ConnectError(f"{message}; check host and ca_file", Trouble.CERTIFICATE) from error
    except ssl.SSLError as error:
        message = f"{where} does not speak TLS on this port ({error.reason or error})"
        raise ConnectError(f"{message}; set tls to false or use its TLS port", Trouble.TLS) from error
    except ConnectionRefusedError as error:
        message = (
            f"nobody listens at {settings.host}:{settings.port} for {settings.name}; check host and port"
        )
        raise ConnectError(message, Trouble.CLOSED_PORT) from error
    except ConnectionResetError as error:
        if tls is not None:
            message = f"{where} hung up during the TLS greeting; it seems not to speak TLS on this port"
            raise ConnectError(f"{message}; set tls to false or use its TLS port", Trouble.TLS) from error
        message = f"{where} hung up at once; this address may not be allowed"
        raise ConnectError(message, Trouble.HUNG_UP) from error
    except OSError as error:
        raise ConnectError(
            f"{where} cannot be reached: {error.strerror or error}", Trouble.NETWORK
        ) from error


async def _context(settings: SmppSettings) -> ssl.SSLContext | None:
    """Return what TLS trusts, or None without TLS."""
    if not settings.tls:
        return None
    try:
        return await asyncio.to_thread(ssl.create_default_context, cafile=settings.ca_file)
    except OSError as error:
        reason = error.strerror or str(error)
        message = (
            f"sms.{settings.name}.ca_file: {settings.ca_file} cannot be used ({reason}); name a file of"
            " certificates (PEM)"
        )
        raise ConnectError(message, Trouble.CERTIFICATE) from error


async def _bind(settings: SmppSettings, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Bound:
    """Send the bind and wait for its answer."""
    request = Bind(settings.bind, settings.system_id, settings.password, settings.system_type)
    writer.write(encode(Pdu(request, 1)))
    framer = Framer()
    while True:
        data = await reader.read(_READ)
        if not data:
            message = f"{settings.where} closed the connection instead of answering the bind"
            hint = "check port, tls, and whether this address is allowed"
            raise ConnectError(f"{message}; {hint}", Trouble.HUNG_UP)
        if data.startswith(_TLS_RECORDS) and framer.kept == 0:
            message = f"{settings.where} speaks TLS on this port; set tls to true"
            raise ConnectError(message, Trouble.TLS)
        try:
            found = framer.feed(data)
            for number, octets in enumerate(found):
                answer = decode(octets)
                if isinstance(answer.body, Outbind):
                    continue
                return _accepted(settings, answer, reader, writer, framer, tuple(found[number + 1 :]))
        except MalformedPduError as error:
            message = f"{settings.where} does not speak SMPP: {error.message}"
            raise ConnectError(message, Trouble.NOT_SMPP) from error


def _accepted(
    settings: SmppSettings,
    answer: Pdu,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    framer: Framer,
    early: tuple[bytes, ...],
) -> Bound:
    """Return the connection when the answer is a yes; ConnectError says why not."""
    where, kind = settings.where, settings.bind
    unknown_command = answer.status == Status.INVALID_COMMAND
    if isinstance(answer.body, GenericNack) or unknown_command:
        if kind is BindType.TRANSCEIVER and unknown_command:
            message = f"{where} does not know bind_transceiver, so it is older than SMPP 3.4"
            hint = "bind a transmitter and a receiver instead"
            raise ConnectError(f"{message}; {hint}", Trouble.VERSION, answer.status)
        raise ConnectError(
            f"{where} refused the bind: {describe(answer.status)}", Trouble.REFUSED, answer.status
        )
    if not isinstance(answer.body, BindResponse):
        message = f"{where} answered the bind with something else ({type(answer.body).__name__})"
        raise ConnectError(message, Trouble.NOT_SMPP)
    if answer.status:
        message = f"{where} refused the bind of {settings.system_id}: {describe(answer.status)}"
        if answer.status in _HINTS:
            message = f"{message}; {_HINTS[answer.status]}"
        raise ConnectError(message, Trouble.REFUSED, answer.status)
    version = tlv_integer(answer.body.tlvs, Tag.SC_INTERFACE_VERSION)
    if version is not None and version < INTERFACE_VERSION:
        message = f"{where} speaks SMPP {version >> 4}.{version & 0xF}; version 3.4 or later is needed"
        raise ConnectError(message, Trouble.VERSION)
    return Bound(reader, writer, framer, early, answer.body.system_id)
