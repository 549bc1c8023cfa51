"""Agents and their sessions as rows, for tests of what hangs on them: legs, claims and results."""

import datetime as dt

from sqlalchemy import insert

from outrider.agents.model import AgentId, SessionId
from outrider.db import schema
from outrider.db.database import Database, Tx


def log_in(database: Database, pool_id: int, name: str, now: dt.datetime) -> tuple[AgentId, SessionId]:
    """Create an agent of the pool's organization, with an open session; return the ids of both."""

    def create(tx: Tx) -> tuple[AgentId, SessionId]:
        pool = tx.execute(schema.pools.select().where(schema.pools.c.id == pool_id)).mappings().one()
        agent_id = tx.execute(
            insert(schema.agents)
            .values(
                organization_id=pool["organization_id"],
                zone_id=pool["zone_id"],
                name=name,
                display_name=name.title(),
                address=f"sip:{name}@example.org",
                preferred_campaigns=[],
                created_at=now,
            )
            .returning(schema.agents.c.id)
        ).scalar_one()
        session_id = tx.execute(
            insert(schema.agent_sessions)
            .values(agent_id=agent_id, pool_id=pool_id, api=False, state="ready", since=now, started_at=now)
            .returning(schema.agent_sessions.c.id)
        ).scalar_one()
        return AgentId(agent_id), SessionId(session_id)

    return database.write_now(create)
