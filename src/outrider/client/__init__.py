"""A client of the Agent Web API for Python programs: third-party desktops, tests, simulated agents.

docs/how-to/agent-web-api.md shows it at work. Commands and notifications are the server's own records, of
`outrider.agents.commands` and `outrider.agents.notifications`.
"""

from outrider.client.agent import AgentClient
from outrider.client.errors import AgentApiError
from outrider.client.following import Told

__all__ = ["AgentApiError", "AgentClient", "Told"]
