"""The report of a run as text for a terminal, and as data for a JSON file. Pure.

`cli/demo.py` prints it when all jobs have ended. Definitions stand in the report itself.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Final

from outrider.demo import series
from outrider.demo.figures import ImportFigures, JobFigures, RunFigures

LABEL: Final = 22
OUTCOMES: Final = {
    "answered": "answered",
    "machine": "machine",
    "busy": " busy",
    "no_answer": "no answer",
    "congestion": "congested",
    "failed": "failed",
    "interrupted": "cut",
}
"""Outcomes of calls, and the heads of their columns."""

TRIGGERS: Final = ("start", "change", "supply", "pause", "resume", "stop", "idle", "return")
NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab"}


def text(run: RunFigures) -> str:
    """Return the whole report, at most 100 columns wide."""
    sections = (
        _head(run),
        _imports(run.imports),
        _attempts(run),
        _charts(run),
        _agents(run),
        _servers(run),
        _speech(run),
        _lending(run),
        _mail(run),
        _outside(run),
        ["", f"Check: {'no drift' if not run.drifts else f'{len(run.drifts)} drifts'} (outrider check)"],
    )
    return "\n".join(line for section in sections for line in section)


def data(run: RunFigures, problems: Sequence[str]) -> dict[str, Any]:
    """Return the report as JSON data, with the reasons why the run failed, if any."""
    document = dataclasses.asdict(run)
    for entry in document["imports"]:
        written = entry.pop("written")
        entry["expected"] = {name: written[name] for name in ("rows", "valid", "duplicates", "rejected")}
    for entry, job in zip(document["jobs"], run.jobs, strict=True):
        entry["attempts"] = job.attempts
    return {**document, "problems": list(problems)}


def _head(run: RunFigures) -> list[str]:
    dialing = run.real_seconds - run.setup_seconds
    line = (
        f"{_span(run.simulated_seconds)} of dialing in {dialing:.0f} s of {run.real_seconds:.0f} s in all "
        f"({'real time' if run.speed == 1 else f'{run.speed:g} times real time'}; seed {run.seed})"
    )
    return ["", "REPORT", line]


def _imports(imports: Iterable[ImportFigures]) -> Iterable[str]:
    yield ""
    yield "Contact files (good rows kept; numbers compared with those that the files were made of)"
    yield f"  {'file':<20} {'read as':<18} {'rows':>6} {'added':>6} {'twice':>6} {'rejected':>8}  countries"
    reasons: dict[str, int] = {}
    for each in imports:
        read_as = f"{each.encoding}, {NAMES.get(each.delimiter, each.delimiter)}"
        countries = ", ".join(f"{name} {count:,}" for name, count in each.countries.items())
        yield (
            f"  {each.file_name:<20} {read_as:<18} {each.rows:>6,} {each.added:>6,} {each.duplicates:>6,} "
            f"{each.rejected:>8,}  {countries}"
        )
        for reason, count in each.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    if reasons:
        yield "  rejected rows by reason:"
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {count:>5}  {reason}"


def _attempts(run: RunFigures) -> Iterable[str]:
    yield ""
    yield "Attempts and their outcomes"
    head = "".join(f" {name:>5}" for name in OUTCOMES.values())
    yield f"  {'job':<{LABEL}} {'contacts':>8} {'attempts':>8}{head}"
    for job in run.jobs:
        if job.calls:
            counts = "".join(
                f" {job.outcomes[name].attempts if name in job.outcomes else 0:>{max(5, len(head))},}"
                for name, head in OUTCOMES.items()
            )
            yield f"  {job.name:<{LABEL}} {job.contacts:>8,} {job.attempts:>8,}{counts}"
    calls = [job for job in run.jobs if job.calls]
    dialing = max(run.real_seconds - run.setup_seconds, 1e-6)
    attempts = sum(job.attempts for job in run.jobs)
    reached = sum(job.outcomes["answered"].final for job in calls if "answered" in job.outcomes)
    yield (
        f"  {sum(job.attempts for job in calls):,} calls, {reached:,} of "
        f"{sum(job.contacts for job in calls):,} contacts answered in person; "
        f"{attempts / dialing:.0f} attempts/s, all stored"
    )


def _charts(run: RunFigures) -> Iterable[str]:
    yield ""
    top = max(job.maximum for job in run.jobs if job.calls)
    yield f"Licences over time (above: quota, below: in use; full height {top}, all ports {run.pool.ports})"
    for job in run.jobs:
        if job.calls:
            limits = f"{job.allocation}, {job.minimum} to {job.maximum}, priority {job.priority}"
            yield f"  {job.name} ({limits})"
            yield f"    |{series.bars(job.quota_over_time, top)}|"
            yield (
                f"    |{series.bars(job.in_use_over_time, top)}| "
                f"mean {job.mean_in_use:.1f}, most {job.most_in_use}"
            )
    granted, in_use = run.pool.mean_while_contested
    yield "  all ports"
    yield (
        f"    |{series.bars(run.pool.in_use_over_time, run.pool.ports)}| mean {run.pool.mean_in_use:.1f}, "
        f"most {run.pool.most_in_use}"
    )
    yield (
        f"  while two jobs or more ran: {granted:.1f} of {run.pool.ports} granted, {in_use:.1f} in use; "
        f"never more than {run.pool.most_held} held"
    )


def _agents(run: RunFigures) -> Iterable[str]:
    for each in run.agents:
        job = next(job for job in run.jobs if job.job_id == each.job_id)
        yield ""
        yield f"Agents ({each.mode}; simulated people on the real Agent Web API; full height {each.seats})"
        yield (
            f"  {each.name}: {job.contacts:,} contacts, {job.attempts:,} calls; "
            f"agents talked to {each.talked:,} = {each.told:,} on desktops"
        )
        yield (
            f"    |{series.bars(each.busy_over_time, each.seats)}| busy {each.busy_share:.0%}, "
            f"{each.most_seated} of {each.seats} seats used"
        )
        yield (
            f"  abandoned (nobody free within 2 s): {each.abandoned:,} of {each.live:,} live answers, "
            f"{each.share:.1%}; its budget is {each.limit:.1%} of {each.days} days"
        )
        codes = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in each.codes.items())
        yield f"  completion codes: {codes}"
        yield (
            f"  audit: contacts with two agents {each.shared_contacts}; "
            f"talks begun before the agent's last was over {each.doubled_agents}"
        )


def _servers(run: RunFigures) -> Iterable[str]:
    if not run.servers:
        return
    top = max(1.0, *(max(each.quota_over_time) for each in run.servers))
    yield ""
    yield "Telephony ports per media server over time (above: its part, below: in use)"
    for each in run.servers:
        release = each.version.partition("+")[0]
        yield f"  {each.name} (Asterisk {release}; {each.quota} ports, {each.calls:,} calls)"
        yield f"    |{series.bars(each.quota_over_time, top)}|"
        yield (
            f"    |{series.bars(each.in_use_over_time, top)}| mean {each.mean_in_use:.1f}, "
            f"most {each.most_in_use}"
        )


def _speech(run: RunFigures) -> Iterable[str]:
    if not run.speech:
        return
    yield ""
    yield "Licensed speech connections in use (ASR: to the end of the call; TTS: while a text is said)"
    for each in run.speech:
        yield (
            f"  {each.kind.upper()}|{series.bars(each.in_use_over_time, each.licensed)}| "
            f"mean {each.mean_in_use:.1f}, most {each.most_in_use} of {each.licensed}"
        )


def _outside(run: RunFigures) -> Iterable[str]:
    if not run.counted_outside:
        return
    yield ""
    yield "Counted outside, by those who were called and written to, and by us"
    for each in run.counted_outside:
        mark = "=" if each.ours == each.theirs else "NOT"
        yield f"  {each.what:<44} {each.theirs:>6,} {mark:^3} {each.ours:>6,}  {each.as_}"


def _lending(run: RunFigures) -> Iterable[str]:
    yield ""
    yield "Donated (taken by an idle recalculation) and borrowed (gained by it), until the quotas move back"
    yield (
        f"  {'job':<{LABEL}} {'donated':>8} {'port-min':>9} {'returned':>9} {'borrowed':>9} {'port-min':>9} "
        f"{'at maximum':>11} {'ran':>8}"
    )
    for job in run.jobs:
        if job.calls:
            yield _account(job)
    yield "  port-min: ports times minutes; at maximum: time with the whole maximum granted"
    counts = [f"{name} {run.recalculations[name]}" for name in TRIGGERS if name in run.recalculations]
    yield f"  recalculations: {', '.join(counts)}"
    yield from (f"  {move}" for move in run.moves[:12])
    if len(run.moves) > 12:  # noqa: PLR2004 - what fits a screen
        yield f"    ... and {len(run.moves) - 12} more"


def _account(job: JobFigures) -> str:
    account = job.lending
    return (
        f"  {job.name:<{LABEL}} {account.donated:>8} {account.donated_seconds / 60:>9.1f} "
        f"{account.returned:>9} {account.borrowed:>9} {account.borrowed_seconds / 60:>9.1f} "
        f"{_span(job.seconds_at_maximum):>11} {_span(job.seconds):>8}"
    )


def _mail(run: RunFigures) -> Iterable[str]:
    mail = run.mail
    yield ""
    yield "Mail over SMTP (our count = the mail server's)"
    for job in run.jobs:
        if job.kind == "email":
            without = job.outcomes["expired"].final if "expired" in job.outcomes else 0
            yield f"  {job.name}: {job.contacts:,} contacts, {without:,} without an address"
    yield (
        f"  delivered {mail.delivered:,} = {mail.server_accepted:,}; "
        f"bounced for good {mail.hard_bounces:,} = {mail.server_no_mailbox:,}; "
        f"for now {mail.soft_bounces:,} = {mail.server_refused_for_now:,}; "
        f"refused by policy {mail.failed:,} = {mail.server_refused_by_policy:,}"
    )


def _span(seconds: float) -> str:
    """Return simulated time as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
