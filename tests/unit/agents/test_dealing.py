"""Examples of dealing agents to jobs, as supervisors would tell them."""

from outrider.agents.dealing import Why, deal
from outrider.agents.model import SessionId
from outrider.agents.working import WorkingAgent, WorkingTask
from outrider.ids import TaskId
from outrider.licences.model import LicenceKind

PREDICTIVE, PREVIEW, MANUAL = (
    LicenceKind.PREDICTIVE_AGENTS,
    LicenceKind.PREVIEW_AGENTS,
    LicenceKind.MANUAL_AGENTS,
)
PLENTY = {PREDICTIVE: 50, PREVIEW: 50, MANUAL: 50}


def task(number: int, kind: LicenceKind = PREDICTIVE, **values: object) -> WorkingTask:
    given = {"minimum": 1, "maximum": 30, "priority": 5, **values}
    return WorkingTask(id=TaskId(number), label=f"job {number}", kind=kind, **given)  # type: ignore[arg-type]


def agent(number: int, at: int | None = None, pinned: bool = False, **skills: int) -> WorkingAgent:  # noqa: FBT001, FBT002 - a test's shorthand
    task_id = None if at is None else TaskId(at)
    return WorkingAgent(SessionId(number), skills, task_id=task_id, pinned=pinned)


def test_the_published_example_gives_eight_and_two() -> None:
    tasks = [task(1, PREVIEW, priority=8), task(2, priority=2)]
    dealt = deal(PLENTY, tasks, [agent(number) for number in range(10)])
    assert {job: len(members) for job, members in dealt.agents.items()} == {1: 8, 2: 2}


def test_the_more_proficient_come_first_and_who_is_there_stays() -> None:
    spoken = task(1, maximum=2, skills={"dutch": 3})
    newcomers = [agent(1, dutch=4), agent(2, dutch=9), agent(3, dutch=6), agent(4, dutch=2)]
    dealt = deal(PLENTY, [spoken], newcomers)
    assert dealt.agents[TaskId(1)] == (2, 3)
    assert dealt.left[SessionId(1)].reason == "job job 1 is at its maximum of 2"
    assert dealt.left[SessionId(4)].reason == "no job wants your skills"
    there = [agent(1, at=1, dutch=4), agent(2, dutch=9), agent(3, at=1, dutch=6)]
    assert deal(PLENTY, [spoken], there).agents[TaskId(1)] == (3, 1)


def test_the_least_proficient_leaves_a_job_that_shrinks() -> None:
    there = [agent(1, at=1, dutch=4), agent(2, at=1, dutch=9), agent(3, at=1, dutch=6)]
    dealt = deal(PLENTY, [task(1, maximum=2, skills={"dutch": 1})], there)
    assert dealt.agents[TaskId(1)] == (2, 3)
    assert dealt.left.keys() == {1}


def test_nobody_is_left_over_because_others_could_do_more() -> None:
    dutch, loans = task(1, skills={"dutch": 1}), task(2, skills={"loans": 1})
    both, only_dutch = agent(1, at=1, dutch=9, loans=1), agent(2, dutch=1)
    dealt = deal(PLENTY, [dutch, loans], [both, only_dutch])
    assert dealt.agents == {1: (2,), 2: (1,)}


def test_dear_seats_serve_cheap_jobs_and_nothing_else() -> None:
    pool = {PREDICTIVE: 1, PREVIEW: 1, MANUAL: 1}
    agents = [agent(number) for number in range(4)]
    dealt = deal(pool, [task(1, MANUAL)], agents)
    assert len(dealt.agents[TaskId(1)]) == 3
    assert {left.reason for left in dealt.left.values()} == {
        "no seat: 3 of 3 predictive, preview and manual seats are in use"
    }
    dealt = deal(pool, [task(1)], agents)
    assert len(dealt.agents[TaskId(1)]) == 1
    left = dealt.left[SessionId(3)]
    assert (left.why, left.limit, left.size) == (Why.SEATS, (PREDICTIVE,), 1)
    assert left.reason == "no seat: 1 of 1 predictive seats are in use"
    without = deal({MANUAL: 3}, [task(1)], agents).left[SessionId(0)]
    assert without.reason == "no seat: there is no predictive licence here"


def test_a_newcomer_waits_for_its_whole_minimum() -> None:
    tasks = [task(1, minimum=3, maximum=3), task(2, minimum=2, running=False)]
    dealt = deal(PLENTY, tasks, [agent(number) for number in range(4)])
    assert dealt.waiting == (2,)
    assert dealt.asking == {1: 3, 2: 2}
    (left,) = dealt.left.values()
    assert left.reason == "job job 2 waits: its minimum of 2 agents does not fit"


def test_where_a_supervisor_put_somebody_it_stays() -> None:
    tasks = [task(1, skills={"dutch": 1}), task(2)]
    put = agent(1, at=1, pinned=True)
    dealt = deal(PLENTY, tasks, [put, agent(2, dutch=9)])
    assert dealt.task_of() == {1: 1, 2: 2}


def test_who_prefers_campaigns_works_for_no_other() -> None:
    choosy = WorkingAgent(SessionId(1), campaigns=(9,))
    assert deal(PLENTY, [task(1, campaign_id=1)], [choosy]).left[SessionId(1)].why is Why.CAMPAIGNS
    assert deal(PLENTY, [], [choosy]).left[SessionId(1)].why is Why.NO_JOB
    assert deal(PLENTY, [task(1, campaign_id=9)], [choosy]).task_of() == {1: 1}
