"""`outrider licences ...`: share a problem, replay a timeline; licence files and the licence server.

The pure rules do the work; these commands read files and print JSON (licensing.md 9). The commands of
LATE_MODULES are imported when one of them, or the list of all, is asked for.
"""

import importlib
import io
import json
import sys
from pathlib import Path

import click

from outrider.errors import InvalidInputError

LATE_MODULES = (
    "outrider.cli.licence_files",
    "outrider.cli.licence_server",
    "outrider.cli.licence_server_files",
)
"""Their `COMMANDS` are the further commands of the group; they load much that `share` never needs."""


class LicenceGroup(click.Group):
    """A group whose own commands start fast and whose others are imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *_late_commands()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, importing the late ones only for a name that is not among its own."""
        return super().get_command(ctx, cmd_name) or _late_commands().get(cmd_name)


def _late_commands() -> dict[str, click.Command]:
    modules = [importlib.import_module(name) for name in LATE_MODULES]
    return {command.name: command for module in modules for command in module.COMMANDS}


@click.group(cls=LicenceGroup)
def licences() -> None:
    """Share, replay, sign and inspect licences."""


@licences.command("share")
@click.argument("file")
@click.option("--policy", type=click.Choice(["weighted", "strict"]), help="Instead of the problem's own.")
@click.option("--explain", is_flag=True, help="Add `why`: what decided each quota.")
def share_command(file: str, policy: str | None, *, explain: bool) -> None:
    """Share the pool of the JSON problem FILE (- for standard input) and print the answer as JSON."""
    # each command imports its own rules, so that the other one's never slow it down
    from dataclasses import replace  # noqa: PLC0415 - see above

    from outrider.licences.explain import explain_json, why  # noqa: PLC0415 - see above
    from outrider.licences.model import Policy  # noqa: PLC0415 - see above
    from outrider.licences.problem import answer_json, read_problem  # noqa: PLC0415 - see above
    from outrider.licences.share import share  # noqa: PLC0415 - see above

    problem = read_problem(_text_of(file), file)
    if policy is not None:
        problem = replace(problem, policy=Policy(policy))
    answer = share(problem)
    shown = answer_json(answer)
    if explain:
        shown["why"] = {name: explain_json(reason) for name, reason in why(problem, answer).items()}
    click.echo(json.dumps(shown))


@licences.command("replay")
@click.argument("file")
def replay_command(file: str) -> None:
    """Replay the timeline FILE (JSON Lines, - for standard input): one JSON line per recalculation."""
    from outrider.licences.replay import record_json, replay  # noqa: PLC0415 - as in share_command
    from outrider.licences.timeline import read_timeline  # noqa: PLC0415 - as in share_command

    options, events = read_timeline(io.StringIO(_text_of(file)), file)
    # nothing may be printed when a later line is bad, so the lines are kept until the end
    lines = [json.dumps(record_json(record)) for record in replay(options, events)]
    if lines:
        click.echo("\n".join(lines))


def _text_of(file: str) -> str:
    """Return the text of `file`; InvalidInputError says what is wrong with it in one line."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidInputError(f"{file}: cannot be read: {reason}", where=file) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInputError(
            f"{file}: line {line}: byte {error.start} is not UTF-8; save the file as UTF-8",
            where=f"line {line}",
        ) from None
