"""The options that all commands which open the database share, and how they open it.

Flags win over OUTRIDER_ environment variables, which win over the settings file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from outrider.db.database import Database
from outrider.db.migrate import upgrade
from outrider.settings import Settings, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])


def database_options(command: Command) -> Command:
    """Give a command --settings, --database and --data-folder, as arguments of `settings_of`."""
    for option in (
        click.option(
            "--data-folder", type=click.Path(file_okay=False, path_type=Path), help="Folder of our files."
        ),
        click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME."),
        click.option(
            "--settings",
            "settings_file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="TOML file of settings.",
        ),
    ):
        command = option(command)
    return command


def settings_of(settings_file: Path | None, database: str | None, data_folder: Path | None) -> Settings:
    """Return the settings with those flags that were given. InvalidInputError."""
    flags: dict[str, object] = {}
    if database is not None:
        flags["database"] = database
    if data_folder is not None:
        flags["data_folder"] = data_folder
    return load_settings(settings_file, flags)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Give the database, brought to the schema of this version. StoreError."""
    settings.make_data_folder()
    database = Database(settings.database_url)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()
