"""What the licences page shows, made of the supply, the tree that was configured and the division in force.

`pages/licences.py` reads it in one transaction. A caller of an organization sees only its own pools.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outrider.db.database import Tx
from outrider.jobs import store as jobs
from outrider.jobs.model import JobState, Task
from outrider.licences import division, division_store
from outrider.licences.model import GATE_KINDS, PLATFORM_KINDS, LicenceKind, Standing
from outrider.licences.tree import DEFAULT_NAME, Counts, Division, PoolName, Tree, with_defaults
from outrider.people.model import Caller
from outrider.supply import service as supply
from outrider.supply.model import Supply
from outrider.web.pages.console import LABELS

DIVIDED = (
    LicenceKind.OUTBOUND_PORTS,
    LicenceKind.MANUAL_AGENTS,
    LicenceKind.PREDICTIVE_AGENTS,
    LicenceKind.PREVIEW_AGENTS,
    LicenceKind.AGENT_WEB_API,
    LicenceKind.SMS,
    LicenceKind.EMAIL,
)
"""The columns of the grid: what zones and organizations are given, in the order of the page."""


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One licence type of the system: units authorised, handed to zones, charged now, and left."""

    kind: LicenceKind
    label: str
    authorised: int
    in_zones: int
    in_use: int
    unused: int

    @property
    def is_gate(self) -> bool:
        """Whether any non-zero count opens a channel, so that it is shown as yes or no."""
        return self.kind in GATE_KINDS

    @property
    def is_platform(self) -> bool:
        """Whether only the platform counts it, so that zones get none."""
        return self.kind in PLATFORM_KINDS


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of the grid: what was configured (None: nothing was) and what is in force."""

    kind: LicenceKind
    configured: int | None
    effective: int

    @property
    def is_gate(self) -> bool:
        """Whether it opens or closes a channel."""
        return self.kind in GATE_KINDS

    @property
    def reduced(self) -> bool:
        """Whether less is in force than was configured."""
        return self.configured is not None and self.effective < self.configured


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organization in a zone: its pool."""

    name: str
    cells: tuple[Cell, ...]
    running: int


@dataclass(frozen=True, slots=True)
class ZoneRows:
    """A zone, its organizations, and what of it no organization has."""

    name: str
    cells: tuple[Cell, ...]
    unallocated: Mapping[LicenceKind, int]
    organizations: tuple[OrganizationRow, ...]
    running: int
    absent: tuple[str, ...]
    """Organizations that do not work in this zone yet."""

    @property
    def is_default(self) -> bool:
        """Whether it is the zone that always exists."""
        return self.name == DEFAULT_NAME


@dataclass(frozen=True, slots=True)
class LicencesView:
    """Everything that the page shows."""

    supply: Supply
    types: tuple[TypeRow, ...]
    kinds: tuple[LicenceKind, ...]
    unused: Mapping[LicenceKind, int]
    zones: tuple[ZoneRows, ...]
    organizations: tuple[str, ...]
    whole: bool
    """Whether the caller sees the whole system, or the pools of one organization."""


def licences_view(tx: Tx, caller: Caller) -> LicencesView:
    """Return what the caller may see of licences, in one read transaction (licensing.md 7)."""
    found = supply.current(tx)
    tree, divided = division.view(tx, found.counts)
    tree = with_defaults(tree)
    whole = caller.organization_id is None
    own = None if whole else _own_names(tx, caller)
    tasks = jobs.tasks(tx, caller.organization_id, job_ids=_living_jobs(tx, caller))
    organizations = tuple(division_store.organizations(tx))
    return LicencesView(
        supply=found,
        types=_types(found, divided, tasks) if whole else (),
        kinds=DIVIDED,
        unused=divided.unused,
        zones=_zones(tree, divided, tasks, own, organizations),
        organizations=organizations if whole else (),
        whole=whole,
    )


def _own_names(tx: Tx, caller: Caller) -> frozenset[str]:
    return frozenset(
        name for name, number in division_store.organizations(tx).items() if number == caller.organization_id
    )


def _living_jobs(tx: Tx, caller: Caller) -> list[int]:
    found = jobs.jobs(tx, caller.organization_id, ended=None, limit=1_000)
    return [job.id for job in found if job.state is not JobState.READY]


def _types(found: Supply, divided: Division, tasks: Sequence[Task]) -> tuple[TypeRow, ...]:
    return tuple(
        TypeRow(
            kind=kind,
            label=("Maximum outbound ports" if kind is LicenceKind.OUTBOUND_PORTS else label),
            authorised=found.counts.get(kind, 0),
            in_zones=sum(counts[kind] for counts in divided.zones.values()),
            in_use=sum(task.in_use for task in tasks if task.kind == kind),
            unused=divided.unused[kind],
        )
        for kind, label in LABELS.items()
        if kind not in PLATFORM_KINDS or kind in found.counts
    )


def _zones(
    tree: Tree,
    divided: Division,
    tasks: Sequence[Task],
    own: frozenset[str] | None,
    organizations: tuple[str, ...],
) -> tuple[ZoneRows, ...]:
    running: dict[PoolName, int] = {}
    for task in tasks:
        if task.standing != Standing.OUT.value:
            pool = PoolName(task.zone_name, task.organization_name)
            running[pool] = running.get(pool, 0) + 1
    found = []
    for zone in sorted(tree.zones, key=lambda each: (each.name != DEFAULT_NAME, each.name)):
        members = [each for each in zone.organizations if own is None or each.name in own]
        if own is not None and not members:
            continue
        rows = tuple(
            OrganizationRow(
                member.name,
                _cells(member.counts, divided.pools[PoolName(zone.name, member.name)]),
                running.get(PoolName(zone.name, member.name), 0),
            )
            for member in sorted(members, key=lambda each: (each.name != DEFAULT_NAME, each.name))
        )
        present = {member.name for member in zone.organizations}
        found.append(
            ZoneRows(
                name=zone.name,
                cells=_cells(zone.counts, divided.zones[zone.name]),
                unallocated=divided.unallocated[zone.name],
                organizations=rows,
                running=sum(row.running for row in rows),
                absent=tuple(name for name in organizations if name not in present),
            )
        )
    return tuple(found)


def _cells(configured: Counts, effective: Counts) -> tuple[Cell, ...]:
    return tuple(Cell(kind, configured.get(kind), effective[kind]) for kind in DIVIDED)
