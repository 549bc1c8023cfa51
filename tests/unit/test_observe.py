"""Logs hide secrets and keep local variables out; metrics show requests and the program's gauges."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from outrider.observe import Metrics, set_up_logging


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_hide_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("json")
    structlog.stdlib.get_logger("test").info("signed in", user="root", password="4711", api_token="4712")
    logging.getLogger("another.logger").warning("careful")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["user"], first["level"]) == ("signed in", "root", "info")
    assert first["password"] == first["api_token"] == "***"
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["logger"], second["level"]) == ("careful", "another.logger", "warning")


@pytest.mark.parametrize("output", ["json", "console"])
def test_a_logged_exception_shows_no_local_variables(capsys: pytest.CaptureFixture[str], output: str) -> None:
    set_up_logging("json" if output == "json" else "console")

    def fail() -> None:
        hidden = "4711"
        raise ValueError(len(hidden))

    try:
        fail()
    except ValueError:
        structlog.stdlib.get_logger("test").exception("failed")
    logged = capsys.readouterr().err
    assert "ValueError: 4" in logged
    assert "4711'" not in logged


def test_levels_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("console", "warning")
    structlog.stdlib.get_logger("test").info("quiet")
    structlog.stdlib.get_logger("test").warning("loud")
    logged = capsys.readouterr().err
    assert "quiet" not in logged
    assert "loud" in logged


def test_gauges_are_asked_at_each_scrape() -> None:
    values = iter([{"jobs_running": 3.0}, {"jobs_running": 4.0}])
    metrics = Metrics(lambda: next(values))
    metrics.requests.labels("GET", "/healthz", "200").inc()
    first, second = metrics.render().decode(), metrics.render().decode()
    assert "outrider_jobs_running 3.0" in first
    assert "outrider_jobs_running 4.0" in second
    assert 'outrider_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in first
