"""`outrider simulate`: a day or a month of campaigns in seconds, with the production rules, and a report.

Also `--fault-seed`, which plays one fault simulation of the test suite again.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.errors import InvalidInputError

if TYPE_CHECKING:
    from outrider.simulate.result import RunResult
    from outrider.simulate.scenario import Scenario

HOUR, DAY = 3_600.0, 86_400.0


@click.command()
@click.argument("scenario", required=False)
@click.option("--list", "listed", is_flag=True, help="List the ready scenarios.")
@click.option("--seed", type=click.IntRange(0), help="Other draws; default: the scenario's.")
@click.option("--set", "values", multiple=True, metavar="NAME=NUMBER", help="A parameter of the scenario.")
@click.option("--hours", type=click.FloatRange(0.01, 9_600), help="How long, in hours.")
@click.option("--days", type=click.FloatRange(0.01, 400), help="How long, in days.")
@click.option("--compare", metavar="SCENARIO", help="Another scenario, shown beside it with differences.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Report as JSON.")
@click.option(
    "--html", "page_file", type=click.Path(dir_okay=False, path_type=Path), help="Report as a page."
)
@click.option("--fault-seed", type=click.IntRange(0), help="Play one fault simulation, with all checks.")
def simulate(
    *,
    scenario: str | None,
    listed: bool,
    seed: int | None,
    values: Sequence[str],
    hours: float | None,
    days: float | None,
    compare: str | None,
    json_file: Path | None,
    page_file: Path | None,
    fault_seed: int | None,
) -> None:
    """Simulate SCENARIO: a TOML file, or the name of a ready one (--list)."""
    from outrider.simulate import packaged, report_page, report_text, result  # noqa: PLC0415 - loads much

    if fault_seed is not None:
        _play_faults(fault_seed)
        return
    if listed or scenario is None:
        for name in packaged.names():
            click.echo(f"{name:20} {packaged.load(name).about}")
        if scenario is None and not listed:
            raise click.UsageError("name a scenario: a file, or one of the list above")
        return
    length = None if hours is None and days is None else (hours or 0.0) * HOUR + (days or 0.0) * DAY
    given = _parameters(values)
    first = _run(_changed(packaged.load(scenario, given), seed, length))
    if compare is None:
        click.echo(report_text.as_text(first), nl=False)
        document, page = result.to_json(first), report_page.as_page
        text = page(first) if page_file else ""
    else:
        second = _run(_changed(packaged.load(compare), seed, length))
        click.echo(report_text.as_compared_text(first, second), nl=False)
        document = {"format": result.FORMAT, "first": result.to_json(first), "second": result.to_json(second)}
        text = report_page.as_compared_page(first, second) if page_file else ""
    if json_file is not None:
        _write(json_file, json.dumps(document, indent=1) + "\n")
    if page_file is not None:
        _write(page_file, text)


def _run(scenario: "Scenario") -> "RunResult":
    """Run a scenario, with a bar on a terminal."""
    from outrider.simulate.running import run  # noqa: PLC0415 - as above

    if not sys.stderr.isatty():
        return run(scenario)
    with click.progressbar(length=100, label=scenario.name, file=sys.stderr) as bar:
        return run(scenario, lambda share: bar.update(round(100 * share) - bar.pos))


def _changed(scenario: "Scenario", seed: int | None, length: float | None) -> "Scenario":
    if seed is not None:
        scenario = replace(scenario, seed=seed)
    if length is not None:
        scenario = replace(scenario, length=length, warm_up=min(scenario.warm_up, length / 10))
    return scenario


def _parameters(values: Sequence[str]) -> dict[str, float]:
    found = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            found[name] = float(number)
        except ValueError as error:
            raise InvalidInputError(f"--set {value}: write a name and a number, such as N=20") from error
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}", where=str(path)) from error
    click.echo(f"written: {path}", err=True)


def _play_faults(seed: int) -> None:
    """Play one seed, and say what happened; exit status 1 when an invariant breaks."""
    from outrider.simulate.audit import BrokenInvariantError  # noqa: PLC0415 - as above
    from outrider.simulate.faults import run_seed  # noqa: PLC0415 - as above

    try:
        played = run_seed(seed)
    except BrokenInvariantError as error:
        click.echo(str(error))
        sys.exit(1)
    for line in played.trace:
        click.echo(f"  {line}")
    click.echo(
        f"fault seed {seed}: every invariant held at each of {played.steps} steps;"
        f" {played.attempts} attempts, {played.crashes} crashes, {played.recalculations} recalculations"
    )
