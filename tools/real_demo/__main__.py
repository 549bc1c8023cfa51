"""`python -m tools.real_demo`: the command behind `make demo REAL=1`. Exit status 0: all counts agree."""

import asyncio
import dataclasses
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from outrider import app
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.simulated.centre import SimulatedCentre
from outrider.clock import RealClock, stopwatch
from outrider.demo import folder as folders
from outrider.demo import running, stage, store, system
from outrider.demo.figures import RunFigures
from outrider.demo.mail_sink import MailSink, SinkSettings
from outrider.demo.progress import Progress
from outrider.demo.scenario import behaviour_of
from outrider.errors import OutriderError
from outrider.licences.model import LicenceKind
from outrider.media import service as media
from outrider.media.model import Standing
from outrider.observe import set_up_logging
from outrider.prepared import Prepared, prepare
from outrider.settings import Settings
from outrider.speech import service as speech
from outrider.speech.options import checked
from tools.real_demo import contact_list, counting, scenario
from tools.real_demo.outside import Outside, running_outside
from tools.testbed.cache import ensure
from tools.testbed.errors import UnavailableError
from tools.testbed.waiting import NotSoError

CONTACTS = 100
LONGEST = 240.0
"""Real seconds after which a run of CONTACTS has failed; longer ones get more."""
CONNECTED_WITHIN = 15.0
ACCOUNT = "demo"


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """Everybody outside the program."""

    phones: Outside
    mail: MailSink
    texts: SimulatedCentre


@click.command()
@click.option(
    "--contacts",
    type=click.IntRange(20, 2_000),
    default=CONTACTS,
    show_default=True,
    help="On the longest of the three lists.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Other people.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8088, show_default=True, help="Port of the console."
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Report as JSON.")
@click.option("--hold", is_flag=True, help="Go on serving after the report, until Ctrl-C.")
def main(*, contacts: int, seed: int, port: int, json_file: Path | None, hold: bool) -> None:
    """Run competing jobs over two real Asterisk servers and SIPp, in real time, and report."""
    set_up_logging("console", "warning")
    # The servers outside must be stopped, whenever we are told to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress(sys.stdout, live=sys.stdout.isatty())
    chosen = folders.temporary_folder()
    plan = running.Plan(contacts, seed, 1.0, stopwatch())
    try:
        bed = ensure(report=progress.say)
        versions = ", ".join(f"{name} {version}" for name, version in bed.versions.items())
        progress.say(f"Test bed:    {versions}")
        with running_outside(bed, chosen / "outside") as phones:
            status = asyncio.run(_demo(chosen, plan, port, phones, progress, json_file, hold=hold))
    except (UnavailableError, NotSoError, OutriderError) as error:
        click.echo(f"real demo: {error}", err=True)
        status = 1
    except KeyboardInterrupt:
        progress.say("\nStopped before its end, without a report")
        status = stage.INTERRUPTED
    finally:
        folders.remove(chosen)
    sys.exit(status)


async def _demo(
    folder: Path,
    plan: running.Plan,
    port: int,
    phones: Outside,
    progress: Progress,
    json_file: Path | None,
    *,
    hold: bool,
) -> int:
    stop = stage.stopped_by_signals()
    mail = MailSink(SinkSettings(behaviour=behaviour_of))
    # Whoever texts STOP would not be called any more, and a dropped link is no part of this story.
    texts = SimulatedCentre(CentreBehaviour(accounts={ACCOUNT: ACCOUNT}, replies={}, drops=frozenset()))
    world = World(phones, mail, texts)
    await mail.start()
    await texts.start("127.0.0.1", 0)
    settings = _settings(folder, world, system.free_port(port))
    prepared = prepare(settings)
    parts = system.System(prepared.database, prepared.clock, prepared.rules, settings.data_folder)
    password = await system.add_user(parts)
    progress.say(f"Live board:  {settings.public_url}/     Sign in as: {system.USER}   password: {password}")
    progress.say("Real calls in real time; ends by itself with a report (Ctrl-C ends it now).\n")
    limit = LONGEST * max(1.0, plan.rows / CONTACTS)
    try:
        return await stage.perform(
            lambda stopped: app.serve(prepared, lambda _: None, stopped),
            _play(prepared, parts, world, plan, progress),
            stop,
            stage.Ending(plan.began, limit, settings.public_url, json_file, hold),
            progress,
        )
    finally:
        await texts.stop()
        await mail.stop()
        prepared.database.close()


def _settings(folder: Path, world: World, port: int) -> Settings:
    centre = {
        "name": "centre",
        "host": world.texts.host,
        "port": world.texts.port,
        "system_id": ACCOUNT,
        "password": ACCOUNT,
    }
    more: dict[str, dict[str, Any]] = {
        "sms": {"connections": [centre]},
        "media": {"sounds": f"sound:{world.phones.sounds}/"},
        "speech": {"espeak": world.phones.espeak, "prompts_folder": folder / "prompts"},
        "licences": {"idle_after": scenario.IDLE_AFTER},
    }
    return system.settings_with(
        folder, RealClock().now(), scenario.REAL.licences, more, port=port, mail=world.mail.port
    )


async def _play(
    prepared: Prepared, parts: system.System, world: World, plan: running.Plan, progress: Progress
) -> RunFigures:
    """Register the servers, run the jobs, and put what was counted outside beside the figures."""
    await _register(prepared, world.phones, progress)
    write = partial(contact_list.write_files, prepared.settings.data_folder / "files", plan.seed, plan.rows)
    run = await running.play(parts, scenario.REAL, world.mail, plan, write, progress)
    ports, sms = LicenceKind.OUTBOUND_PORTS, LicenceKind.SMS
    called = await prepared.database.read(store.outcomes_by_address, ports)
    texted = await prepared.database.read(store.outcomes_by_address, sms)
    network = world.phones.network
    tally = await asyncio.to_thread(network.settled, sum(called.values()))
    counted = (
        *counting.calls(tally, network.called(), called),
        *counting.texts(world.texts.ledger, world.texts.behaviour, texted),
    )
    return dataclasses.replace(run, counted_outside=counted)


async def _register(prepared: Prepared, phones: Outside, progress: Progress) -> None:
    """Register media and speech servers, and wait until the worker is connected to all of them."""
    for plan in phones.plans():
        await prepared.database.write(media.add, prepared.sealer, plan, prepared.clock.now(), system.ACTOR)
    for voice in scenario.VOICES:
        await prepared.database.write(speech.add, checked(voice), prepared.clock.now(), system.ACTOR)
    try:
        async with asyncio.timeout(CONNECTED_WITHIN):
            while True:
                servers = await prepared.database.read(media.servers)
                if all(each.standing is Standing.IN_SERVICE for each in servers):
                    break
                await asyncio.sleep(running.LOOK_EVERY / 5)
    except TimeoutError:
        reasons = "; ".join(f"{each.name}: {each.message}" for each in servers if each.message)
        raise OutriderError(f"the media servers were not connected in time: {reasons}") from None
    for each in servers:
        release = each.version.partition("+")[0]
        progress.say(f"Media server {each.name}: Asterisk {release}, {each.quota} ports, {each.url}")


if __name__ == "__main__":
    main()
