"""The scenarios that come with Outrider, and how a scenario is found: by its file, or by its name here."""

from collections.abc import Mapping
from pathlib import Path

from outrider.errors import InvalidInputError
from outrider.simulate.read_scenario import parse_scenario
from outrider.simulate.scenario import Scenario

FOLDER = Path(__file__).with_name("scenarios")


def names() -> list[str]:
    """Return the names of the ready scenarios."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, parameters: Mapping[str, float] | None = None) -> Scenario:
    """Return a scenario from a file, or a ready one by its name. InvalidInputError for anything else.

    Strategies that it names are files beside it.
    """
    path = Path(name)
    if not path.is_file() and name in names():
        path = FOLDER / f"{name}.toml"
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        known = ", ".join(names())
        raise InvalidInputError(
            f"the scenario {name} cannot be read: {reason}. Ready scenarios: {known}", where=name
        ) from error

    def strategy(file: str) -> str:
        return (path.parent / file).read_text(encoding="utf-8-sig")

    return parse_scenario(source, strategy, parameters, str(path))
