"""Sets the demo's system up through the services that the API uses: settings, licences, lists, campaigns.

`cli/demo.py` starts the program with `settings_for`, then calls the rest; every write is a transaction of
its own, like a request's.
"""

import datetime as dt
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from outrider.campaigns import service as campaigns
from outrider.campaigns.service import CampaignPlan
from outrider.clock import Clock
from outrider.contacts import service as contacts
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.files import save_upload
from outrider.contacts.imports.model import ImportOptions
from outrider.db.database import Database, Tx
from outrider.demo import scenario
from outrider.demo.contact_files import ContactFile
from outrider.demo.scenario import CallList, DemoCampaign
from outrider.ids import JobId, ListId
from outrider.jobs import service as jobs
from outrider.jobs.model import JobCommand
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.people import passwords
from outrider.people import service as people
from outrider.people.model import SYSTEM, Role
from outrider.settings import Settings, load_settings
from outrider.supply.claims import LicenceFile
from outrider.supply.file import issue
from outrider.supply.keys import generate_keypair

HOST: Final = "127.0.0.1"
ACTOR: Final = "demo"
USER: Final = "demo"
VALID: Final = dt.timedelta(days=30)
POLL: Final = 0.2
"""Real seconds: the worker's safety net of 1 s would be most of the simulated minute of the idle rule."""


@dataclass(frozen=True, slots=True)
class System:
    """The parts of a running program that the demo works with."""

    database: Database
    clock: Clock
    rules: SharingRules
    data_folder: Path


def write_licence(folder: Path, now: dt.datetime, counts: Mapping[LicenceKind, int]) -> tuple[Path, Path]:
    """Make a key pair, issue the demo's licence file, and return the paths of file and public key.

    The private key is not kept: nobody can issue more in the demo's name.
    """
    private, public = generate_keypair()
    licence = LicenceFile(
        id="demo",
        customer="Outrider demo",
        issued_at=now,
        not_before=now - dt.timedelta(days=2),
        expires_at=now + VALID,
        counts=dict(counts),
    )
    file, key = folder / "demo.licence", folder / "issuer.pem"
    file.write_text(issue(licence, private), encoding="ascii")
    key.write_text(public, encoding="ascii")
    return file, key


def settings_for(
    folder: Path, now: dt.datetime, *, speed: float, seed: int, port: int, mail: int
) -> Settings:
    """Return the settings of the demo's program: all in `folder`, on a scaled clock, mail to port `mail`."""
    own = {
        "clock": {"speed": speed, "anchor": scenario.anchor(now, speed)},
        "carrier": {"address": "", "seed": seed, "profiles": scenario.profiles_path()},
    }
    return settings_with(folder, now, scenario.LICENCES, own, port=port, mail=mail)


def settings_with(
    folder: Path,
    now: dt.datetime,
    counts: Mapping[LicenceKind, int],
    more: Mapping[str, Mapping[str, Any]],
    *,
    port: int,
    mail: int,
) -> Settings:
    """Return settings with everything in `folder`, `counts` licensed and mail to port `mail`, and `more`.

    `more` has settings by section: they come beside those that every demo needs.
    """
    file, key = write_licence(folder, now, counts)
    licences = {"file": file, "public_key": key, "host_id": "outrider-demo", **more.get("licences", {})}
    return load_settings(
        None,
        {
            **more,
            "data_folder": folder,
            "database": f"sqlite:///{folder / 'outrider.db'}",
            "log_level": "warning",
            "server": {"host": HOST, "port": port, "public_url": f"http://{HOST}:{port}"},
            "email": {"host": HOST, "port": mail, "tls": "none", "domain": "demo.invalid"},
            "worker": {"poll": POLL},
            "licences": licences,
        },
    )


def free_port(wanted: int) -> int:
    """Return `wanted` when it can be listened on, else any port that is free; 0 asks for any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


async def add_user(system: System) -> str:
    """Create the demo's user, an administrator, and return its password, which is random."""
    password = passwords.new_password()
    hashed = await passwords.hash_later(password)

    def create(tx: Tx) -> None:
        people.create_user(
            tx,
            system.clock.now(),
            SYSTEM,
            name=USER,
            role=Role.ADMINISTRATOR,
            organization_id=None,
            password_hash=hashed,
            must_change_password=False,
        )

    await system.database.write(create)
    return password


async def queue_imports(system: System, lists: Sequence[CallList], files: Sequence[ContactFile]) -> list[int]:
    """Create the lists, and queue an import of each file, good rows kept; return the imports' ids."""
    return [
        await system.database.write(_queue, system, each, file)
        for each, file in zip(lists, files, strict=True)
    ]


async def start_jobs(system: System, wanted: Sequence[DemoCampaign]) -> list[JobId]:
    """Create strategies, campaigns and jobs, and start them in this order; return their ids."""
    return [await system.database.write(_start, system, each) for each in wanted]


def _queue(tx: Tx, system: System, each: CallList, file: ContactFile) -> int:
    now = system.clock.now()
    organization = contacts.organization_by_name(tx, None)
    target = contacts.create_list(
        tx,
        now,
        organization_id=organization,
        actor=ACTOR,
        name=each.name,
        default_country=file.country,
        carrier_profile=each.carrier_profile,
    )
    with file.path.open("rb") as source:
        saved = save_upload(system.data_folder, source, file.path.name)
    queued = imports.request_import(
        tx,
        now,
        organization_id=organization,
        actor=ACTOR,
        list_id=target.id,
        file_name=file.path.name,
        file_size=saved.size,
        file_digest=saved.digest,
        spool=saved.spool,
        options=ImportOptions(keep_good=True),
    )
    return queued.id


def _start(tx: Tx, system: System, each: DemoCampaign) -> JobId:
    now = system.clock.now()
    organization = contacts.organization_by_name(tx, None)
    strategy = campaigns.create_strategy(tx, organization, each.source(), now, ACTOR)
    target = contacts.find_list(tx, organization_id=organization, name=each.list_name)
    plan = CampaignPlan(
        name=strategy.name,
        strategy_name=strategy.name,
        list_ids=() if target is None else (ListId(target.id),),
        filter=each.filter,
    )
    campaign = campaigns.create_campaign(tx, organization, plan, now, ACTOR)
    job = jobs.create(tx, campaign.id, None, now, ACTOR)
    return jobs.command(tx, system.rules, job.id, None, JobCommand.START, now, ACTOR).id
