"""What every endpoint needs, in one frozen record: the engine, the model's name, the rules, the clock."""

from collections.abc import Callable
from dataclasses import dataclass, field

from qwen_server.beside import Beside
from qwen_server.drain import Lifecycle
from qwen_server.engine.base import Engine, ModelFacts
from qwen_server.errors import STARTING, ApiError
from qwen_server.health import Pulse
from qwen_server.journal import Journal
from qwen_server.limits import Limits
from qwen_server.parsers import Parsers
from qwen_server.qwen.choice import chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One served model. `created` and `now()` are in seconds since 1970."""

    served_name: str
    version: str
    created: int
    clamp: bool
    engine: Engine
    lifecycle: Lifecycle
    pulse: Pulse
    journal: Journal
    now: Callable[[], int]
    limits: Limits = field(default_factory=Limits)
    parsers: Parsers = field(default_factory=Parsers)
    """As asked for."""
    beside: Beside = field(default_factory=Beside)

    def facts(self) -> ModelFacts:
        """What the loaded engine says of its model. Raises ApiError (503) before it is loaded."""
        if self.lifecycle.facts is None:
            raise ApiError(STARTING)
        return self.lifecycle.facts

    def parsers_in_use(self) -> Parsers:
        """Those of the loaded model's answers, without AUTO. Raises ApiError (503) before it is loaded."""
        return chosen(self.parsers, self.facts().chat_template)
