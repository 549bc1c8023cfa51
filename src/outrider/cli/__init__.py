"""The `outrider` command line (click): thin commands, one module per group, loaded when first used.

`__main__` calls `main`. Errors that a person can act on become one line on standard error; exit status
2 means bad usage or bad input, 1 means that the work was tried and failed.
"""

import importlib
import sys

import click

from outrider import __version__
from outrider.errors import OutriderError

COMMANDS = {
    "agents": ("outrider.cli.agents", "agents", "Agents: accounts, phones, skills; import from CSV."),
    "carrier": ("outrider.cli.carrier", "carrier", "Run the simulated carrier as a process of its own."),
    "check": ("outrider.cli.serve", "check", "Compare every cached sum with the rows behind it."),
    "connections": ("outrider.cli.connections", "connections", "SIP and H.323 connections of the platform."),
    "contacts": ("outrider.cli.contacts", "contacts", "Import contacts; do-not-contact lists."),
    "demo": ("outrider.cli.demo", "demo", "Run three competing jobs over real files, and report."),
    "licences": ("outrider.cli.licences", "licences", "Share, replay, sign and inspect licences."),
    "mail": ("outrider.cli.mail", "mail", "Try the mail server; make DKIM keys."),
    "media": ("outrider.cli.media", "media", "Media servers: register, drain, try for real, configure."),
    "migrate": ("outrider.cli.serve", "migrate", "Bring the database to the schema of this version."),
    "serve": ("outrider.cli.serve", "serve", "Serve the console and the API, and dial."),
    "simulate": (
        "outrider.cli.simulate",
        "simulate",
        "Simulate campaigns: a month in a minute, with a report.",
    ),
    "sms": ("outrider.cli.sms", "sms", "Try message centres; count segments; simulate a centre."),
    "speech": ("outrider.cli.speech", "speech", "Speech servers and their licensed connections."),
    "users": ("outrider.cli.users", "users", "Users, their passwords and API tokens."),
    "worker": ("outrider.cli.serve", "worker", "Dial for a system that another process serves."),
}
"""name -> (module, attribute, one line of help). Loaded late: `outrider licences share` starts fast."""


class LateGroup(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command, or None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="outrider")
def cli() -> None:
    """Outrider: campaigns that call and mail, sharing a limited number of licences."""


def main() -> None:
    """Run the command line; an OutriderError is one line on standard error and exit status 1 or 2."""
    try:
        cli()
    except OutriderError as error:
        click.echo(f"outrider: {error.message}", err=True)
        sys.exit(2 if error.code in {"invalid_input", "import_file", "licence_file"} else 1)
