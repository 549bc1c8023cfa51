"""Did the demo show what it is to show? Every reason why not, for the exit status. Pure.

`cli/demo.py` prints them; none means success.
"""

from collections.abc import Iterable

from outrider.demo.figures import (
    AgentFigures,
    ImportFigures,
    JobFigures,
    MailFigures,
    RunFigures,
    ServerFigures,
)


def findings(run: RunFigures) -> list[str]:
    """Return what went wrong, one sentence each; empty when everything came out as the scenario says."""
    found = [problem for each in run.imports for problem in _of_import(each)]
    found += [
        f"job {job.name!r} is {job.state} with {job.done:,} of {job.contacts:,} contacts done"
        for job in run.jobs
        if job.state != "finished"
    ]
    found += _of_sharing(run)
    found += _of_mail(run.mail)
    found += [problem for each in run.agents for problem in _of_agents(each)]
    found += [problem for each in run.servers for problem in _of_server(each)]
    found += [
        f"{each.most_in_use} {each.kind} connections were in use at once, and {each.licensed} are licensed"
        for each in run.speech
        if each.most_in_use > each.licensed
    ]
    found += [
        f"{each.what}: we count {each.ours:,} ({each.as_}), and outside {each.theirs:,} were counted"
        for each in run.counted_outside
        if each.ours != each.theirs
    ]
    found += [f"drift: {line}" for line in run.drifts]
    if run.alarms:
        found.append(f"{run.alarms} recalculations failed their certificate")
    return found


def _of_import(figures: ImportFigures) -> Iterable[str]:
    written = figures.written
    if figures.state != "done":
        yield f"the import of {figures.file_name} is {figures.state}"
        return
    for what, counted, expected in (
        ("rows", figures.rows, written.rows),
        ("added", figures.added, written.valid),
        ("duplicates", figures.duplicates, written.duplicates),
        ("rejected", figures.rejected, written.rejected),
        ("reasons of rejected rows", sum(figures.reasons.values()), written.rejected),
        ("numbers read wrongly", figures.wrong_numbers, 0),
    ):
        if counted != expected:
            yield f"{figures.file_name}: {what} {counted:,}, and it was written with {expected:,}"


def _of_sharing(run: RunFigures) -> Iterable[str]:
    calls = [job for job in run.jobs if job.calls]
    if not any(job.lending.donated for job in calls):
        yield "no job lent licences: no idle recalculation was seen"
    elif not any(job.lending.returned for job in calls):
        yield "no job got licences back: no return recalculation was seen"
    ports = run.pool.ports
    if run.pool.most_held > ports:
        yield f"{run.pool.most_held} ports were granted or in use at once, and there are {ports}"
    if run.pool.most_granted < ports:
        yield f"never more than {run.pool.most_granted} of {ports} ports were granted at once"
    yield from (
        f"job {job.name!r} had {job.most_in_use} calls at once, and its maximum is {job.maximum}"
        for job in calls
        if job.most_in_use > job.maximum
    )
    yield from (problem for job in calls for problem in _of_reserved(job))


def _of_reserved(job: JobFigures) -> Iterable[str]:
    if job.allocation == "reserved" and job.lending.donations:
        yield f"job {job.name!r} is reserved and lost {job.lending.donated} licences to an idle recalculation"


def _of_agents(agents: AgentFigures) -> Iterable[str]:
    if not agents.talked:
        yield f"no agent of {agents.name!r} talked to anybody"
    if agents.talked != agents.told:
        yield (
            f"{agents.name}: agents talked to {agents.talked:,} contacts, "
            f"and desktops were told of {agents.told:,}"
        )
    if agents.most_seated > agents.seats:
        yield f"{agents.name}: {agents.most_seated} agents had seats at once, and there are {agents.seats}"
    if agents.shared_contacts:
        yield f"{agents.name}: {agents.shared_contacts} contacts were with more than one agent"
    if agents.doubled_agents:
        yield f"{agents.name}: {agents.doubled_agents} times an agent had two contacts at once"


def _of_server(server: ServerFigures) -> Iterable[str]:
    if server.most_above > 0:
        yield f"media server {server.name} had {server.most_above} ports more in use than its part"
    if not server.calls:
        yield f"media server {server.name} made no call"


def _of_mail(mail: MailFigures) -> Iterable[str]:
    for what, ours, theirs in (
        ("delivered", mail.delivered, mail.server_accepted),
        ("without a mailbox", mail.hard_bounces, mail.server_no_mailbox),
        ("refused for now", mail.soft_bounces, mail.server_refused_for_now),
        ("refused by policy", mail.failed, mail.server_refused_by_policy),
    ):
        if ours != theirs:
            yield f"mails {what}: we count {ours:,}, the mail server {theirs:,}"
    if not mail.delivered:
        yield "no mail was delivered"
