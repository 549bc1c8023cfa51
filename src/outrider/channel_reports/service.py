"""Channel reports: workers tell what they see of each way out; the overview says how all of them stand.

Workers call `tell` through `runtime/channel_keeper.py`; the API and the page call `overview`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from outrider.channel_reports import store
from outrider.channel_reports.model import (
    LONGEST_KEY,
    LONGEST_SENTENCE,
    MOST_SENTENCES,
    Channel,
    Kind,
    Report,
    Sight,
    Standing,
    Told,
    Way,
    judge,
)
from outrider.db.database import Tx
from outrider.licences.model import LicenceKind
from outrider.media import service as media
from outrider.media.model import MediaServer
from outrider.media.model import Standing as ServerStanding
from outrider.speech import service as speech
from outrider.speech.model import SpeechServer


def tell(tx: Tx, worker_id: str, reports: Sequence[Report], gone: Iterable[str], now: dt.datetime) -> bool:
    """Write down what a worker sees of some ways out, and forget those that are `gone`.

    Returns False, and writes nothing, for a worker that was declared dead.
    """
    if not store.is_worker(tx, worker_id):
        return False
    store.drop(tx, worker_id, gone)
    store.write(tx, worker_id, [_bounded(each) for each in reports], now)
    return True


def standings(tx: Tx, real_now: dt.datetime) -> Mapping[str, Standing]:
    """Return how each way out stands that a living worker has told of, by key.

    Alive is whose lease has not run out at `real_now`.
    """
    by_key: dict[str, list[Told]] = {}
    for each in store.told(tx, real_now):
        by_key.setdefault(each.report.channel, []).append(each)
    return {key: found for key, told in by_key.items() if (found := judge(told)) is not None}


def media_troubles(tx: Tx, real_now: dt.datetime) -> Mapping[int, tuple[str, ...]]:
    """Return what is wrong with media servers that workers are connected to, by server id."""
    prefix = f"{Kind.MEDIA}."
    return {
        int(key.removeprefix(prefix)): standing.sentences
        for key, standing in standings(tx, real_now).items()
        if key.startswith(prefix) and standing.sentences
    }


def overview(tx: Tx, ways: Sequence[Way], real_now: dt.datetime) -> tuple[Channel, ...]:
    """Return every way out: those of the settings (`ways`), media servers, speech servers, starved zones."""
    seen = standings(tx, real_now)
    servers = media.servers(tx)
    found = [
        _carrier(each, seen, any(one.retired_at is None for one in servers))
        if each.kind is Kind.CARRIER
        else Channel(each, seen.get(each.key))
        for each in ways
    ]
    found += [_zone(key, standing) for key, standing in seen.items() if key.startswith(f"{Kind.ZONE}.")]
    found += [_media(each, seen) for each in servers]
    found += [_speech(each, seen) for each in speech.servers(tx)]
    order = list(Kind)
    return tuple(sorted(found, key=lambda each: (order.index(each.way.kind), each.way.name)))


def zones_without_servers(tx: Tx) -> tuple[str, ...]:
    """Return the zones in which calls wait, though no media server there is in service to make them."""
    serving = {each.zone for each in media.servers(tx) if each.standing is ServerStanding.IN_SERVICE}
    return tuple(name for name in store.zones_that_wait(tx) if name not in serving)


def _bounded(report: Report) -> Report:
    sentences = tuple(" ".join(each.split())[:LONGEST_SENTENCE] for each in report.sentences[:MOST_SENTENCES])
    return Report(report.channel[:LONGEST_KEY], report.sight, sentences)


def _carrier(way: Way, seen: Mapping[str, Standing], replaced: bool) -> Channel:  # noqa: FBT001 - a fact
    """Return the simulated carrier: with media servers no call goes over it."""
    if replaced:
        unused = replace(way, configured="Simulated; not used, as there are media servers", checkable=False)
        return Channel(unused, None)
    return Channel(way, seen.get(way.key))


def _zone(key: str, standing: Standing) -> Channel:
    name = key.removeprefix(f"{Kind.ZONE}.")
    return Channel(Way(key, Kind.ZONE, name, "", checkable=False), standing, "/media")


def _media(server: MediaServer, seen: Mapping[str, Standing]) -> Channel:
    """Return a media server: the registry knows whether it is connected, a look behind it what is missing."""
    key = f"{Kind.MEDIA}.{server.id}"
    configured = f"{server.url}, zone {server.zone or 'none'}, {server.quota} of {server.maximum_ports} ports"
    standing = seen.get(key)
    since = server.health_at or server.created_at
    if server.standing is ServerStanding.FAILED:
        standing = Standing(Sight.FAILING, (server.message,), since)
    elif server.standing is not ServerStanding.IN_SERVICE:
        words = {
            ServerStanding.NEW: "no worker is connected to it yet",
            ServerStanding.DRAINING: "it drains: nothing new is started on it",
            ServerStanding.DISABLED: "it is switched off",
            ServerStanding.REMOVED: "it is removed: its last calls end by themselves",
        }
        standing = Standing(Sight.UNTRIED, (words[server.standing],), since)
    elif standing is None:
        standing = Standing(Sight.WORKING, (), since)
    return Channel(Way(key, Kind.MEDIA, server.name, configured), standing, f"/media/{server.id}")


def _speech(server: SpeechServer, seen: Mapping[str, Standing]) -> Channel:
    key = f"{Kind.SPEECH}.{server.id}"
    kind = "text to speech" if server.kind is LicenceKind.TTS else "recognition"
    configured = f"{server.engine}, {kind}, {server.quota} of {server.maximum} connections"
    standing = seen.get(key)
    if not server.enabled:
        standing = Standing(Sight.UNTRIED, ("it is switched off: no call uses it",), server.created_at)
    return Channel(Way(key, Kind.SPEECH, server.name, configured), standing, f"/speech/{server.id}")
