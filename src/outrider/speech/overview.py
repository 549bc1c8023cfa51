"""Speech connections at a glance: what is licensed and used of each kind, and by which job.

The API, the page and `outrider speech list` show it.
"""

from dataclasses import dataclass

from outrider.db.database import Tx
from outrider.jobs import service as jobs
from outrider.licences.model import LicenceKind
from outrider.speech import service
from outrider.speech.model import SPEECH_KINDS, SpeechServer


@dataclass(frozen=True, slots=True)
class KindOverview:
    """One kind of connection with its servers, by name."""

    kind: LicenceKind
    licensed: int
    servers: tuple[SpeechServer, ...]

    @property
    def in_use(self) -> int:
        """Return the connections that calls have now."""
        return sum(each.in_use for each in self.servers)

    @property
    def without_server(self) -> int:
        """Return the licensed connections that no server can carry."""
        return self.licensed - sum(each.quota for each in self.servers)


@dataclass(frozen=True, slots=True)
class JobUse:
    """The connections that the calls of one job have now."""

    job_id: int
    campaign: str
    asr: int
    tts: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Both kinds, and the jobs whose calls have connections, by id."""

    kinds: tuple[KindOverview, ...]
    jobs: tuple[JobUse, ...]


def overview(tx: Tx) -> Overview:
    """Return the connections of the whole platform now."""
    servers = service.servers(tx)
    kinds = tuple(
        KindOverview(kind, service.licensed(tx, kind), tuple(each for each in servers if each.kind is kind))
        for kind in SPEECH_KINDS
    )
    units: dict[int, dict[str, int]] = {}
    for row in service.use_by_job(tx):
        units.setdefault(row["job_id"], {})[row["kind"]] = row["units"]
    used = tuple(
        JobUse(job_id, jobs.job(tx, job_id, None).campaign_name, each.get("asr", 0), each.get("tts", 0))
        for job_id, each in units.items()
    )
    return Overview(kinds, used)
