"""A system with one organization and a list, and imports into it, for the tests of contacts."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import insert, select

from outrider.clock import Clock, RealClock
from outrider.contacts import service
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.files import ImportFiles, save_upload
from outrider.contacts.imports.model import Import, ImportOptions
from outrider.contacts.model import Contact, ContactList
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.runtime.importing import ImportRunner

NOW = RealClock().now()


@dataclass
class Contacts:
    """One organization ("acme") with contact lists, over a real database and a data folder."""

    database: Database
    folder: Path
    organization_id: int = field(init=False)
    zone_id: int = field(init=False)

    def __post_init__(self) -> None:
        """Insert the organization and the default zone."""
        self.organization_id = self.organization("acme")
        table = schema.zones
        statement = insert(table).values(name="default", created_at=NOW).returning(table.c.id)
        self.zone_id = self.database.write_now(lambda tx: int(tx.execute(statement).scalar_one()))

    def organization(self, name: str) -> int:
        """Insert another organization and return its id."""
        table = schema.organizations
        statement = insert(table).values(name=name, created_at=NOW).returning(table.c.id)
        return self.database.write_now(lambda tx: int(tx.execute(statement).scalar_one()))

    def make_list(
        self, name: str = "customers", country: str = "DE", duplicates_by: str = "phone"
    ) -> ContactList:
        """Create a list of the organization."""
        return self.database.write_now(
            service.create_list,
            NOW,
            organization_id=self.organization_id,
            actor="test",
            name=name,
            default_country=country,
            duplicates_by=duplicates_by,
        )

    def queue(
        self, target: ContactList, content: bytes | Path, options: ImportOptions | None = None
    ) -> Import:
        """Save content, or a file, and queue its import."""
        if isinstance(content, Path):
            return self.queue_file(target, content, options)
        return self._queue(target, io.BytesIO(content), options)

    def queue_file(self, target: ContactList, path: Path, options: ImportOptions | None = None) -> Import:
        """Save a file of any size and queue its import."""
        with path.open("rb") as file:
            return self._queue(target, file, options)

    def _queue(self, target: ContactList, source: BinaryIO, options: ImportOptions | None) -> Import:
        saved = save_upload(self.folder, source, "contacts.csv")
        return self.database.write_now(
            imports.request_import,
            NOW,
            organization_id=self.organization_id,
            actor="test",
            list_id=target.id,
            file_name="contacts.csv",
            file_size=saved.size,
            file_digest=saved.digest,
            spool=saved.spool,
            options=options or ImportOptions(),
        )

    def runner(self, *, lease_clock: Clock | None = None, rows: int = 5_000) -> ImportRunner:
        """Return a runner that reports after every chunk."""
        return ImportRunner(
            self.database,
            self.folder,
            RealClock(),
            lease_clock=lease_clock,
            report_seconds=0,
            rows_per_transaction=rows,
        )

    def run(self, target: ContactList, content: bytes | Path, options: ImportOptions | None = None) -> Import:
        """Import a file to its end and return the import."""
        queued = self.queue(target, content, options)
        runner = self.runner()
        assert runner.claim_next(queued.id) == queued.id
        ended = runner.run_one(queued.id)
        assert ended is not None
        return ended

    def contacts(self, target: ContactList) -> list[Contact]:
        """Return all contacts of a list, by id."""
        found: list[Contact] = []
        while page := self.database.read_now(
            service.contacts_page,
            organization_id=None,
            list_id=target.id,
            after=found[-1].id if found else 0,
            limit=1000,
        ):
            found += page
        return found

    def counted(self, target: ContactList) -> int:
        """Return what the list's own counter says."""
        return self.database.read_now(service.get_list, organization_id=None, list_id=target.id).contacts

    def rejects(self, ended: Import) -> list[list[str]]:
        """Return the rows of the rejects file below its header."""
        path = ImportFiles(self.folder, ended.spool).rejects
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))[1:]

    def working_files(self) -> list[str]:
        """Return the names of files that an ended import should have removed."""
        return [
            path.name
            for path in (self.folder / "imports").glob("*")
            if not path.name.endswith(".rejects.csv")
        ]

    def snapshot(self) -> list[object]:
        """Return all that an import could change on lists, to see that it did not."""

        def read(tx: Tx) -> list[object]:
            contacts = tx.execute(select(schema.contacts).order_by(schema.contacts.c.id)).all()
            lists = tx.execute(select(schema.contact_lists).order_by(schema.contact_lists.c.id)).all()
            return [tuple(row) for row in (*contacts, *lists)]

        return self.database.read_now(read)


def plain(contact: Contact) -> tuple[object, ...]:
    """Return a contact without its ids, to compare lists."""
    return (
        contact.external_id,
        contact.phone,
        contact.other_phones,
        contact.email,
        contact.time_zone,
        dict(contact.attributes),
    )


def german_rows(count: int, start: int = 0) -> bytes:
    """Return a file of `count` valid rows: id, name, phone and city."""
    lines = ["id;name;phone;city"]
    lines += [
        f"C{number};Name {number};0171 {2000000 + number};Köln" for number in range(start, start + count)
    ]
    return "\n".join(lines).encode()
