"""Messages and texts as prompts, by vLLM's renderer: the model's own template and tokenizer, in its own threads.

It must never let a request choose the template, and never pass on what vLLM says of content. Importing it imports vLLM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vllm.exceptions import VLLMClientError
from vllm.renderers import ChatParams

from qwen_server.engine.base import InvalidRequest, Prompt, TemplateOptions

TOO_LONG = ("input_tokens", "input_text")
"""The parameters that vLLM names when a prompt alone fills the context."""
REFUSED_MESSAGES = "The model's chat template refuses these messages; check their roles, order and tool calls."
REFUSED_TEXT = "The model's tokenizer cannot read this prompt."


TAIL = 8
"""Tokens at the end of a prompt that are told as text: more than any template writes behind the turn's head."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A renderer, and the length of the context in tokens."""

    renderer: Any
    context: int

    def template(self) -> str:
        """The model's chat template; where it has several, all of them."""
        found = getattr(self.renderer.get_tokenizer(), "chat_template", None)
        return "\n".join(found.values()) if isinstance(found, dict) else found or ""

    async def chat(self, messages: Sequence[Mapping[str, object]], options: TemplateOptions) -> Prompt:
        """Messages through the model's template. Raises InvalidRequest."""
        arguments = {
            **options.arguments,
            "tools": list(options.tools) or None,
            "add_generation_prompt": options.add_generation_prompt,
            "continue_final_message": False,
            "tokenize": False,  # as text, so that vLLM looks at its length before the tokenizer has to
        }
        copied = [dict(message) for message in messages]  # vLLM writes into them
        work = self.renderer.render_chat_async([copied], ChatParams(chat_template_kwargs=arguments))
        _, (rendered,) = await self.finished(work, "messages", REFUSED_MESSAGES)
        ids = rendered["prompt_token_ids"]
        return Prompt(ids, rendered, str(self.renderer.get_tokenizer().decode(ids[-TAIL:])))

    def word(self, token: int) -> str:
        """One token's text."""
        return str(self.renderer.get_tokenizer().decode([token]))

    async def text(self, text: str | Sequence[int], *, with_text: bool = False) -> Prompt:
        """A text through the tokenizer, or ids as they are. Raises InvalidRequest."""
        if isinstance(text, str):
            prompt: dict[str, object] = {"prompt": text}
        else:
            if len(text) > self.context:
                raise self.too_long("prompt")
            self.check_ids(text)
            prompt = {"prompt_token_ids": list(text)}
        params = replace(self.renderer.default_cmpl_tok_params, needs_detokenization=with_text)
        (rendered,) = await self.finished(self.renderer.render_cmpl_async([prompt], params), "prompt", REFUSED_TEXT)
        if not rendered["prompt_token_ids"]:
            raise InvalidRequest("prompt is empty; give at least one token.", "prompt")
        shown = (text if isinstance(text, str) else rendered["prompt"]) if with_text else ""
        return Prompt(rendered["prompt_token_ids"], rendered, text=shown)

    def check_ids(self, ids: Sequence[int]) -> None:
        """Raise InvalidRequest for ids that the model does not have."""
        try:
            self.renderer.validate_token_ids(ids)
        except VLLMClientError:
            raise InvalidRequest("prompt holds a token id that the model does not have.", "prompt") from None

    def too_long(self, param: str) -> InvalidRequest:
        """The refusal of a prompt that leaves no room for an answer."""
        message = f"The prompt alone is longer than this model's context of {self.context} tokens; shorten it."
        return InvalidRequest(message, param, "context_length_exceeded")

    async def finished(self, work: Any, param: str, otherwise: str) -> Any:
        """The renderer's result, its refusals in our words."""
        try:
            return await work
        except VLLMClientError as error:
            if getattr(error, "parameter", None) in TOO_LONG:
                raise self.too_long(param) from None
            raise InvalidRequest(otherwise, param) from None
        except (ValueError, TypeError, LookupError):
            raise InvalidRequest(otherwise, param) from None
