"""What the simulator tells those who watch it: figures of a run, audits of fault simulations.

`worker`, `desk` and `dialer` call a Watcher; this one watches nothing.
"""

from outrider.agents.actions import Changed
from outrider.channels.model import Prompt
from outrider.dialing.attempt import Claim
from outrider.dialing.commands import Finish
from outrider.ids import AttemptId, TaskId


class Watcher:
    """Base of those who watch; every method does nothing."""

    def started(self, claim: Claim) -> None:
        """Note that a call is being made."""

    def answered(self, claim: Claim) -> None:
        """Note that somebody took a call."""

    def sought(self, claim: Claim) -> None:
        """Note that an agent is looked for."""

    def joined(self, call_id: AttemptId) -> None:
        """Note that a contact and an agent hear each other."""

    def playing(self, claim: Claim, prompt: Prompt) -> None:
        """Note that something is said to a contact."""

    def finished(self, claim: Claim, finish: Finish) -> None:
        """Note that an attempt is over."""

    def changed(self, action: Changed) -> None:
        """Note that a session is another one now."""

    def bound(self, task_id: TaskId, why: str) -> None:
        """Note why no (further) contact of a task is called now; "" when nothing keeps it."""
