"""Which engine a command line means. vLLM is imported here and nowhere before, because that takes seconds."""

from prometheus_client import CollectorRegistry

from qwen_server.engine.base import Engine
from qwen_server.engine.scripted import ScriptedEngine, read_script
from qwen_server.journal import Journal
from qwen_server.settings import EngineName, Settings


def chosen_engine(settings: Settings, registry: CollectorRegistry, journal: Journal) -> Engine:
    """The engine, not yet started. Raises EngineStartFailed for settings that it can refuse at once."""
    if settings.engine is EngineName.SCRIPTED:
        return ScriptedEngine(read_script(settings.script), settings.engine_settings.max_model_len)
    from qwen_server.engine.vllm import VllmEngine

    return VllmEngine(settings.engine_settings, registry, journal=journal)
