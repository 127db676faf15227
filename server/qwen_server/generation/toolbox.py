"""A chat's tools: what the model is told of them, and whether earlier calls and their results fit together.

It must never let what a tool said, or was called with, into a message.
"""

from collections.abc import Iterator

from qwen_server.errors import IMPOSSIBLE, UNSUPPORTED, ApiError
from qwen_server.parsers import ToolCallParser
from qwen_server.qwen.choice import Tools
from qwen_server.qwen.json_reader import is_object
from qwen_server.wire.chat import AssistantMessage, ChatRequest, ToolMessage
from qwen_server.wire.tools import Tool


def told(request: ChatRequest) -> Tools:
    """The tools as a template reads them; none where the model is not to call any."""
    if not request.tools or request.tool_choice == "none":
        return []
    return [plain_tool(tool) for tool in request.tools]


def plain_tool(tool: Tool) -> dict[str, object]:
    """What is given of a tool. Its parameters are not copied: that takes long where they are many."""
    return {"type": tool.type, "function": {name: value for name, value in tool.function if value is not None}}


def template_arguments(request: ChatRequest) -> dict[str, object]:
    """What the request says to the template."""
    given = request.chat_template_kwargs
    return given.model_dump(exclude_none=True) if given else {}


def check_tools(request: ChatRequest, parser: ToolCallParser) -> None:
    """Raises ApiError where the model's calls are not read, or an earlier call or result makes no sense.

    Who sends tools expects calls: markup in the text would be taken for an answer. A call that must be made needs no
    parser: the engine holds the answer to it.
    """
    if request.tool_choice in (None, "auto") and told(request) and parser is ToolCallParser.NONE:
        remedy = "leave it out, or demand a call by tool_choice"
        message = f"tools is not supported by this model: its calls are not read; {remedy}."
        raise ApiError(UNSUPPORTED, message, "tools")
    for param, complaint in complaints(request):
        raise ApiError(IMPOSSIBLE, f"{param} {complaint}.", param)


def complaints(request: ChatRequest) -> Iterator[tuple[str, str]]:
    """Where earlier calls and results do not fit: the place, and why. Some clients send nothing as no arguments."""
    called: set[str] = set()
    for index, message in enumerate(request.messages):
        if isinstance(message, AssistantMessage):
            for number, call in enumerate(message.tool_calls or ()):
                called.add(call.id)
                if call.function.arguments.strip() and not is_object(call.function.arguments):
                    yield f"messages[{index}].tool_calls[{number}].function.arguments", "must be a JSON object as text"
        elif isinstance(message, ToolMessage) and message.tool_call_id not in called:
            yield f"messages[{index}].tool_call_id", "names no tool call of an earlier message"
