"""What the commands of `outrider media` share: the key of stored passwords, and --json."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from outrider.db.sealed import Sealer, load_sealer
from outrider.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def sealer_of(settings: Settings) -> Sealer:
    """Return what opens the stored passwords of these settings. StoreError, InvalidInputError."""
    settings.make_data_folder()
    return load_sealer(settings.data_folder, settings.secret_key.get_secret_value())


def json_option(command: Command) -> Command:
    """Give a command --json, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
