"""How the operator logs: one line an event, plain or JSON, without any content.

Why it exists: libraries print whole objects at DEBUG, API keys included, so their loggers are held at a level of our
choice, whatever the operator is asked for. It must never be set up at import.
"""

import logging
import sys

import msgspec

LIBRARIES = {
    "kopf": logging.INFO,
    "kubernetes": logging.INFO,
    "kopf.objects": logging.WARNING,
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
}
"""The lowest level of each library's loggers: below it, kopf prints bodies and patches."""


KNOWN = ("qwen_operator", "kopf", "aiohttp")
"""Packages whose exceptions end a run in its normal course: no API server, no Lease, a watch that failed for good."""
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("plain", "json")


class AsJson(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and a traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def ending(error: BaseException) -> None:
    """Say why a run ended. A crash-only process may end; only a bug deserves a traceback."""
    log = logging.getLogger("qwen_operator")
    known = isinstance(error, OSError) or type(error).__module__.split(".")[0] in KNOWN
    log.error("ended, to be started anew: %s: %s", type(error).__name__, error, exc_info=None if known else error)


def configure(level: str, *, as_json: bool) -> None:
    """Log to standard error.

    :param level: debug, info, warning or error; libraries stay at their own, higher one.
    """
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    handler.setFormatter(AsJson() if as_json else plain)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, lowest in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(lowest, root.level))
