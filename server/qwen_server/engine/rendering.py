"""Messages and texts as prompts, by vLLM's renderer: the model's own template and tokenizer.

Light ones are rendered at once, so that many that come together reach the engine one by one, not all after the last.

It must never let a request choose the template, and never pass on what vLLM says of content. Importing it imports vLLM.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from vllm.exceptions import VLLMClientError
from vllm.renderers import ChatParams

from qwen_server.engine.base import InvalidRequest, Prompt, TemplateOptions
from qwen_server.engine.tokens import LIGHT, Tokens, tokens

TOO_LONG = ("input_tokens", "input_text")
"""The parameters that vLLM names when a prompt alone fills the context."""
REFUSED_MESSAGES = "The model's chat template refuses these messages; check their roles, order and tool calls."
REFUSED_TEXT = "The model's tokenizer cannot read this prompt."
TAIL = 100
"""Characters at the end of a prompt that are told as text: more than any template writes behind the turn's head."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A renderer, and the length of the context in tokens."""

    renderer: Any
    context: int
    tokens: Tokens | None = None
    """None where vLLM has to tokenise."""

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
        params = ChatParams(chat_template_kwargs=arguments)
        with refusals_as_ours("messages", REFUSED_MESSAGES, self.context):
            if options.size <= LIGHT:
                _, text = self.renderer.render_messages(copied, params)
            else:
                _, text = await self.renderer.render_messages_async(copied, params)
            rendered = await self.tokenised(text, self.renderer.default_chat_tok_params)
        return Prompt(rendered["prompt_token_ids"], rendered, text["prompt"][-TAIL:])

    async def tokenised(self, prompt: dict[str, Any], params: Any) -> Any:
        """A text or ids as what the engine takes. Raises what vLLM raises, of a text too long before it is read."""
        if self.tokens is not None and "prompt_token_ids" not in prompt:
            text = params.apply_pre_tokenization(self.renderer.tokenizer, prompt)["prompt"]
            prompt = {"prompt_token_ids": await self.tokens.ids(text, special=params.add_special_tokens)}
            (rendered,) = self.renderer.render_cmpl([prompt], params)
        else:
            (rendered,) = await self.renderer.render_cmpl_async([prompt], params)
        return rendered

    def word(self, token: int) -> str:
        """One token's text."""
        return str(self.renderer.get_tokenizer().decode([token]))

    async def text(self, text: str | Sequence[int], *, with_text: bool = False) -> Prompt:
        """A text through the tokenizer, or ids as they are. Raises InvalidRequest."""
        if isinstance(text, str):
            prompt: dict[str, Any] = {"prompt": text}
        else:
            if len(text) > self.context:
                raise too_long("prompt", self.context)
            self.check_ids(text)
            prompt = {"prompt_token_ids": list(text)}
        unread = with_text and not isinstance(text, str)
        params = replace(self.renderer.default_cmpl_tok_params, needs_detokenization=unread)
        with refusals_as_ours("prompt", REFUSED_TEXT, self.context):
            rendered = await self.tokenised(prompt, params)
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


def too_long(param: str, context: int) -> InvalidRequest:
    """The refusal of a prompt that leaves no room for an answer."""
    message = f"The prompt alone is longer than this model's context of {context} tokens; shorten it."
    return InvalidRequest(message, param, "context_length_exceeded")


@contextmanager
def refusals_as_ours(param: str, otherwise: str, context: int) -> Iterator[None]:
    """The renderer's refusals in our words. Raises InvalidRequest."""
    try:
        yield
    except VLLMClientError as error:
        if getattr(error, "parameter", None) in TOO_LONG:
            raise too_long(param, context) from None
        raise InvalidRequest(otherwise, param) from None
    except (ValueError, TypeError, LookupError):
        raise InvalidRequest(otherwise, param) from None


def rendering(renderer: Any, context: int) -> Rendering:
    """How a loaded engine renders."""
    return Rendering(renderer, context, tokens(renderer.tokenizer))
