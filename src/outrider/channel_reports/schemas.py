"""What the API says of ways out."""

import datetime as dt

from pydantic import BaseModel

from outrider.channel_reports.model import Channel, Kind, Sight


class ChannelView(BaseModel):
    """A way out: how it is configured, and how it stands as the living workers see it together.

    `sentences` say what is wrong; `affected` of `workers` see it so.
    """

    channel: str
    kind: Kind
    name: str
    configured: str
    checkable: bool
    sight: Sight
    sentences: list[str]
    since: dt.datetime | None
    workers: int
    affected: int

    @classmethod
    def of(cls, channel: Channel) -> "ChannelView":
        """Return the view of a way out."""
        way, standing = channel.way, channel.standing
        return cls(
            channel=way.key,
            kind=way.kind,
            name=way.name,
            configured=way.configured,
            checkable=way.checkable,
            sight=Sight.UNTRIED if standing is None else standing.sight,
            sentences=[] if standing is None else list(standing.sentences),
            since=None if standing is None else standing.since,
            workers=0 if standing is None else standing.workers,
            affected=0 if standing is None else standing.affected,
        )
