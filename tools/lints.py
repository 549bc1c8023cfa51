"""House rules that no ready-made linter knows; `make check` runs them: `python -m tools.lints`.

Each rule has its reason in its message, and a test in tests/unit/test_lints.py that shows it biting.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "outrider"
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


@dataclass(frozen=True)
class Finding:
    """A place that breaks a house rule, and why the rule exists."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        """Return `file:line: message`."""
        shown = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{shown}:{self.line}: {self.message}"


Rule = Callable[[Path, str, ast.Module], Iterator[Finding]]


def clock(path: Path, _text: str, tree: ast.Module) -> Iterator[Finding]:
    """Only clock.py reads the machine's time: everything else must run on scaled and virtual time too."""
    if path.name == "clock.py":
        return
    forbidden = {"datetime.now", "dt.datetime.now", "datetime.utcnow", "dt.datetime.utcnow", "time.time"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in forbidden:
            yield Finding(path, node.lineno, f"{ast.unparse(node.func)}: {clock.__doc__}")


def tasks(path: Path, _text: str, tree: ast.Module) -> Iterator[Finding]:
    """A task that nobody refers to may be collected while it runs: use a TaskGroup, or keep it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func)
            dropped = called.endswith(".create_task") and "group" not in called.lower()
            if dropped or called in {"asyncio.create_task", "asyncio.ensure_future"}:
                yield Finding(path, node.lineno, f"{called}: {tasks.__doc__}")


def commits(path: Path, _text: str, tree: ast.Module) -> Iterator[Finding]:
    """Transactions begin and end in db/database.py and its writer: elsewhere they split what is one."""
    if path.name in {"database.py", "single_writer.py"}:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in {"commit", "rollback"} and not node.args:
                yield Finding(path, node.lineno, f".{name}(): {commits.__doc__}")


def dialects(path: Path, _text: str, tree: ast.Module) -> Iterator[Finding]:
    """How databases differ is known in db/dialect.py (and column types) only, so that both stay tested."""
    if path.name in {"dialect.py", "types.py"} and path.parent.name == "db":
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("dialect.name"):
            yield Finding(path, node.lineno, f"dialect.name: {dialects.__doc__}")


def libraries(path: Path, _text: str, tree: ast.Module) -> Iterator[Finding]:
    """SQL lives in db/ and */store.py, the web in web/ and */api.py: then each can be read in one place."""
    parts = path.relative_to(SOURCE).parts if path.is_relative_to(SOURCE) else path.parts
    has_sql = "db" in parts or path.stem.endswith("store")
    has_web = "web" in parts or path.stem in {"api", "app"} or path.stem.endswith(("_api", "schemas"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            root = module.split(".")[0]
            if (root == "sqlalchemy" and not has_sql) or (root in {"fastapi", "starlette"} and not has_web):
                yield Finding(path, node.lineno, f"{module}: {libraries.__doc__}")


def sizes(path: Path, text: str, tree: ast.Module) -> Iterator[Finding]:
    """Small files and functions can be read in one go."""
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        yield Finding(path, 1, f"{lines} lines, more than {LONGEST_FILE}: {sizes.__doc__}")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                reason = f"{length} lines, more than {LONGEST_FUNCTION}: {sizes.__doc__}"
                yield Finding(path, node.lineno, f"{node.name}: {reason}")


def docstrings(path: Path, _text: str, tree: ast.Module) -> Iterator[Finding]:
    """A module says in two to five lines what it is for and who calls it."""
    said = ast.get_docstring(tree)
    if said is None:
        yield Finding(path, 1, f"no docstring: {docstrings.__doc__}")


def spelling(path: Path, text: str, _tree: ast.Module) -> Iterator[Finding]:
    """The noun is spelt licence everywhere, in code too: two spellings make two names for one thing."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"licens(?!ed\b|ing\b|ee\b)", line, re.IGNORECASE) and "licensing.md" not in line:
            yield Finding(path, number, f"license: {spelling.__doc__}")


def names(path: Path, _text: str, _tree: ast.Module) -> Iterator[Finding]:
    """What has no better name than utils has no home."""
    if path.stem in {"utils", "util", "helpers", "helper", "common", "misc", "manager2"}:
        yield Finding(path, 1, f"{path.name}: {names.__doc__}")


RULES: tuple[Rule, ...] = (clock, tasks, commits, dialects, libraries, sizes, docstrings, spelling, names)


def findings(path: Path, text: str) -> list[Finding]:
    """Return what one file breaks, in order of lines."""
    tree = ast.parse(text)
    found = [finding for rule in RULES for finding in rule(path, text, tree)]
    return sorted(found, key=lambda finding: finding.line)


def main() -> int:
    """Check every source file; print the findings and return 1 when there are any."""
    files = [path for path in sorted(SOURCE.rglob("*.py")) if "versions" not in path.parts]
    found = [finding for path in files for finding in findings(path, path.read_text(encoding="utf-8"))]
    for finding in found:
        print(finding)
    print(f"house rules: {len(files)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
