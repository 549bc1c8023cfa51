"""The documentation says what is true: settings, commands and links are compared with the program."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from outrider.campaigns.strategy_agents import AgentMode
from outrider.campaigns.strategy_document import parse_strategy
from outrider.cli import cli
from outrider.completion.model import DEFAULT_CODES
from outrider.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


def _settings(model: type[BaseModel], prefix: str = "") -> set[str]:
    names: set[str] = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        members = [each for each in get_args(kind) if isinstance(each, type) and issubclass(each, BaseModel)]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= _settings(kind, f"{prefix}{name}.")
        elif members:
            names |= _settings(members[0], f"{prefix}{name}[].")
        else:
            names.add(prefix + name)
    return names


def test_every_setting_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([][a-z_.]+)` \|", text, re.MULTILINE)) == _settings(Settings)


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    context = click.Context(cli)
    assert set(re.findall(r"^\| `outrider ([a-z]+)` \|", text, re.MULTILINE)) == set(
        cli.list_commands(context)
    )
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            row = next(line for line in text.splitlines() if line.startswith(f"| `outrider {name}`"))
            for inner in command.list_commands(context):
                assert f"`{inner}`" in row, f"{name} {inner} is not documented"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_example_strategy_is_valid() -> None:
    text = (ROOT / "docs/reference/strategies.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert tomllib.loads(example)["name"] == parse_strategy(example).name


def test_the_strategies_of_the_page_of_agents_are_valid_one_for_each_mode() -> None:
    text = (ROOT / "docs/how-to/agents.md").read_text(encoding="utf-8")
    modes = []
    for example in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        for action in parse_strategy(example).actions:
            assert action.agents is not None, f"{action.name} is not for agents"
            modes.append(action.agents.mode)
            codes = {code.name for code in DEFAULT_CODES}
            assert set(action.agents.completion_codes) <= codes
    assert sorted(modes) == sorted(AgentMode)


def test_make_help_lists_at_most_twelve_targets_and_readme_names_real_ones() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    assert len(targets) <= 12
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"make ([a-z]+)", readme)) <= targets
