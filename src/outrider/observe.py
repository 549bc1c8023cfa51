"""Logs (structlog: console or JSON, secrets removed) and metrics (Prometheus).

`cli/` sets logging up once per process; `web/app.py` serves the metrics at /metrics.
"""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "private_key")
HIDDEN = "***"

Gauges = Callable[[], Mapping[str, float]]
"""Gives the present values of gauges by name, such as `jobs_running`; called at each scrape, on a thread."""


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of fields whose names tell that they are secret; a structlog processor."""
    for name in event:
        if any(word in name.lower() for word in SECRET_WORDS):
            event[name] = HIDDEN
    return event


def set_up_logging(
    output: Literal["console", "json"] = "console",
    level: Literal["debug", "info", "warning", "error"] = "info",
) -> None:
    """Send our logs and those of the libraries to standard error, in one format. Call once per process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    final: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if output == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The default one shows local variables, among which are passwords.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # One line per request says little that the metrics do not; warnings still come through.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)


class Metrics:
    """One registry per program (no globals, so that tests can make many)."""

    def __init__(self, gauges: Gauges | None = None) -> None:
        """`gauges` gives the jobs, tasks and licences of the moment, when the program has any."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "outrider_http_requests", "HTTP requests.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "outrider_http_request_seconds",
            "Time to begin an answer to an HTTP request.",
            ("method", "route"),
            registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 2.0),
        )
        if gauges is not None:
            self.registry.register(_Gauges(gauges))

    def render(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self.registry)


class _Gauges(Collector):
    """Asks for the values of gauges at the time of a scrape."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> list[GaugeMetricFamily]:
        """Return one family per gauge."""
        return [
            GaugeMetricFamily(f"outrider_{name}", name.replace("_", " ").capitalize() + ".", value=value)
            for name, value in self._gauges().items()
        ]
