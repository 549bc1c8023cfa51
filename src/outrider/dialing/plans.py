"""What a worker needs to know of a task, read once: its strategy, action and the job's other tasks.

The worker keeps a plan for as long as it dials a task; recovery makes plans for attempts of former lives.
"""

from functools import lru_cache

from outrider.campaigns import service as campaigns
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Action, Strategy
from outrider.campaigns.strategy_document import parse_strategy
from outrider.contacts.model import Contact
from outrider.contacts.store import contact_of
from outrider.db.database import Row, Tx
from outrider.dialing import store
from outrider.dialing.attempt import Claim, Ended, TaskPlan
from outrider.dialing.targets import counters_of
from outrider.dialing.text_rates import TextTask
from outrider.ids import AttemptId, CampaignId, JobId, OrganizationId, PoolId, TargetId, TaskId, ZoneId
from outrider.media import service as media
from outrider.speech import service as speech


def admitted_plans(tx: Tx, known: frozenset[TaskId]) -> tuple[frozenset[TaskId], list[TaskPlan]]:
    """Return the ids of all tasks that may dial now, and the plans of those that are not in `known`."""
    rows = store.runnable_tasks(tx)
    return (
        frozenset(TaskId(row["id"]) for row in rows),
        [plan_of(tx, row) for row in rows if row["id"] not in known],
    )


def text_tasks(tx: Tx) -> list[TextTask]:
    """Return every SMS task that runs, for sharing the rate of the message centres."""
    return [
        TextTask(TaskId(row["id"]), row["priority"], float(row["started"]), row["pace"])
        for row in store.text_tasks(tx)
    ]


def orphans(tx: Tx, owners: list[str]) -> list[Claim]:
    """Return the open attempts of workers that are gone, as claims, so that they can be ended or taken over.

    A contact that was deleted meanwhile is replaced by an empty one: its attempt must be closed all the same.
    """
    rows = store.attempts_of_owners(tx, owners)
    plans: dict[int, TaskPlan] = {}
    claims = []
    found = store.contacts(tx, sorted({row["contact_id"] for row in rows}), attributes=True)
    servers = {server.id: server.name for server in media.servers(tx)}
    held = speech.held(tx, [row["id"] for row in rows])
    for row in rows:
        task_id = row["task_id"]
        if task_id not in plans:
            task = store.task_row(tx, task_id)
            if task is None:
                continue
            plans[task_id] = plan_of(tx, task)
        plan = plans[task_id]
        kept = found.get(row["contact_id"])
        contact = Contact(id=row["contact_id"], list_id=0) if kept is None else contact_of(kept)
        found_at = contact.addresses(plan.action.addresses)
        counters = counters_of(row["counters"], row["number"] - 1).with_attempt()
        claims.append(
            Claim(
                attempt_id=AttemptId(row["id"]),
                plan=plan,
                target_id=TargetId(row["target_id"]),
                contact=contact,
                address=row["address"],
                address_index=min(row["address_index"], max(0, len(found_at) - 1)),
                addresses=len(found_at),
                counters=counters,
                profile="" if kept is None else kept["carrier_profile"],
                server=servers.get(row["server_id"], ""),
                server_id=row["server_id"],
                held=held.get(AttemptId(row["id"]), frozenset()),
                session_id=row["session_id"],
                preview=row["preview"],
                ended_before=_ended(row),
            )
        )
    return claims


def _ended(row: Row) -> Ended | None:
    """Return how the target of an open attempt had ended before an agent took it up again."""
    if row["finished_at"] is None or row["outcome"] is None:
        return None
    return Ended(Outcome(row["outcome"]), row["disposition"])


def plan_of(tx: Tx, row: Row) -> TaskPlan:
    """Return the plan of one of the store's planned tasks."""
    strategy = _parsed(campaigns.strategy(tx, row["strategy_id"], None).source)
    return TaskPlan(
        task_id=TaskId(row["id"]),
        job_id=JobId(row["job_id"]),
        pool_id=PoolId(row["pool_id"]),
        zone_id=ZoneId(row["zone_id"]),
        organization_id=OrganizationId(row["organization_id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        strategy=strategy,
        action=strategy.action(row["action"]),
        needs_attributes=_needs_attributes(strategy.action(row["action"])),
        task_of=store.tasks_by_action(tx, row["job_id"], PoolId(row["pool_id"])),
    )


def addresses(tx: Tx, plan: TaskPlan, contact_id: int) -> int:
    """Return how many addresses a contact has for the plan's action; none if it was deleted."""
    kept = store.contacts(tx, [contact_id], attributes=False).get(contact_id)
    contact = Contact(id=contact_id, list_id=0) if kept is None else contact_of(kept)
    return len(contact.addresses(plan.action.addresses))


@lru_cache(maxsize=200)
def _parsed(source: str) -> Strategy:
    """Parse a document once: receipts and bounces ask for the same plan again and again."""
    return parse_strategy(source)


def _needs_attributes(action: Action) -> bool:
    """Return whether an action looks at more than a contact's numbers: attributes take long to read."""
    call = action.call
    # Agents see them on the card, and their script is filled in with them.
    if call is None or action.agents is not None or action.condition is not None or call.caller_ids:
        return True
    choices = () if call.menu is None else call.menu.choices
    prompts = (call.prompt, *(choice.say for choice in choices if choice.say is not None))
    return any("{" in (prompt.text or "") for prompt in prompts)
