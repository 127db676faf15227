"""The engine's contract in vLLM's words and back: sampling, outputs, errors. Pure, on the path of every token.

It must never keep or log what passes through it. Importing it imports vLLM.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from vllm.logprobs import Logprob
from vllm.outputs import CompletionOutput, RequestOutput
from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams
from vllm.v1.structured_output.backend_xgrammar import has_xgrammar_unsupported_json_features

from qwen_server.engine.base import Delta, EngineError, InvalidRequest, OutputSchema, Sampling, TokenLogprob
from qwen_server.engine.enforceable import enforceable
from qwen_server.engine.structure import structure

Params = TypeVar("Params", bound=SamplingParams)

GREEDY = 1e-5
"""Temperatures below are greedy to vLLM (`_SAMPLING_EPS` in sampling_params.py)."""
LOWEST_LOGPROB = -9999.0
"""In the place of minus infinity, which JSON cannot say; vLLM's own server sends the same."""
FIELDS = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty")
PLAIN = frozenset((*FIELDS, "seed", "n", "logprobs", "logit_bias", "max_tokens", "min_tokens"))
"""Parameters that are numbers, so that vLLM's own sentence about them holds no content."""
ENDS = {"stop": "stop", "length": "length", "abort": "abort", "repetition": "stop"}


def chosen_temperature(sampling: Sampling, defaults: Mapping[str, Any]) -> float:
    """The caller's temperature, else the model's, else 1."""
    given = sampling.temperature
    return float(defaults.get("temperature", 1.0) if given is None else given)


def copies(sampling: Sampling, defaults: Mapping[str, Any]) -> int:
    """How many equal choices one greedy computation stands for; 1 where each choice is drawn for itself."""
    return sampling.n if chosen_temperature(sampling, defaults) < GREEDY else 1


class Verified(SamplingParams):  # type: ignore[misc]
    """Parameters that have been looked at: vLLM would do it again, in the event loop."""

    def verify(self, *_: object) -> None:
        """Nothing is left to look at."""


def verified_params(sampling: Sampling, defaults: Mapping[str, Any], processor: Any, *, stream: bool) -> Verified:
    """The same for a request with a schema, looked at here: that may take seconds, and is no work for the event loop.

    :param processor: the engine's InputProcessor.
    """
    params = sampling_params(sampling, defaults, stream=stream, kind=Verified)
    config = (processor.model_config, processor.speculative_config, processor.structured_outputs_config)
    SamplingParams.verify(params, *config, processor.tokenizer)
    return params


def sampling_params(
    sampling: Sampling, defaults: Mapping[str, Any], *, stream: bool, kind: type[Params] = SamplingParams
) -> Params:
    """vLLM's parameters for one request. Raises vLLM's client errors for values out of range."""
    given = {name: getattr(sampling, name) for name in FIELDS}
    known = {name: value for name, value in defaults.items() if name in FIELDS}
    params: Params = kind(
        **known | {name: value for name, value in given.items() if value is not None},
        n=1 if copies(sampling, defaults) > 1 else sampling.n,
        max_tokens=sampling.max_tokens,
        min_tokens=sampling.min_tokens,
        seed=sampling.seed,
        stop=list(sampling.stop),
        logprobs=sampling.logprobs,
        prompt_logprobs=sampling.logprobs if sampling.prompt_logprobs else None,
        logit_bias=dict(sampling.logit_bias) if sampling.logit_bias else None,
        ignore_eos=sampling.ignore_eos,
        structured_outputs=structured_outputs(sampling.schema) if sampling.schema else None,
        extra_args=dict(sampling.extra) or None,
        output_kind=RequestOutputKind.DELTA if stream else RequestOutputKind.FINAL_ONLY,
        skip_clone=True,
    )
    return params


def structured_outputs(schema: OutputSchema) -> StructuredOutputsParams:
    """What the answer is held to. Raises ValueError where xgrammar would pass over a part of the schema."""
    plain = dict(schema.json)
    if not enforceable(plain):
        raise ValueError
    if schema.preface is None and schema.instead is None:
        return StructuredOutputsParams(json=plain)
    if has_xgrammar_unsupported_json_features(plain):  # vLLM looks for them in plain schemas alone
        raise ValueError
    return StructuredOutputsParams(structural_tag=json.dumps(structure(schema)))


def token_logprob(found: Logprob, top: Sequence[Logprob] = ()) -> TokenLogprob:
    """One token's text and logprob, with alternatives, the likeliest first."""
    alternatives = tuple(token_logprob(each) for each in top)
    return TokenLogprob(found.decoded_token or "", max(found.logprob, LOWEST_LOGPROB), alternatives)


def at_position(found: Mapping[int, Logprob], token: int, asked: int) -> TokenLogprob:
    """The logprobs of one place in a text. vLLM lists the token that stands there beside the `asked` likeliest ones."""
    likeliest = sorted(found.values(), key=lambda each: each.rank or 0)[:asked]
    return token_logprob(found[token], likeliest)


def token_logprobs(output: CompletionOutput, asked: int) -> tuple[TokenLogprob, ...]:
    """The logprobs of each token in an output."""
    pairs = zip(output.token_ids, output.logprobs or (), strict=False)
    return tuple(at_position(found, token, asked) for token, found in pairs)


def of_prompt(output: RequestOutput, ids: Sequence[int], first: str, asked: int) -> Delta:
    """The prompt's own logprobs, which vLLM gives with the first output. `first` is the text of its first token."""
    pairs = zip(ids[1:], output.prompt_logprobs[1:], strict=False)
    later = (at_position(found, token, asked) for token, found in pairs)
    return Delta(0, "", 0, None, (TokenLogprob(first, None), *later))


def delta(output: CompletionOutput, asked_logprobs: int | None) -> Delta:
    """What one output adds to one choice. Raises EngineError when the engine gave this request up."""
    ends = output.finish_reason
    if ends is not None and ends not in ENDS:
        raise EngineError("The engine failed on this request; try again.")
    logprobs = None if asked_logprobs is None else token_logprobs(output, asked_logprobs)
    return Delta(output.index, output.text, len(output.token_ids), ENDS[ends] if ends else None, logprobs)


def repeated(deltas: Sequence[Delta], times: int) -> Sequence[Delta]:
    """The deltas of the one choice there is, for as many choices."""
    if times == 1:
        return deltas
    return [
        Delta(index, each.text, each.tokens, each.finish_reason, each.logprobs)
        for index in range(times)
        for each in deltas
    ]


def refusal(error: Exception, schema: OutputSchema | None) -> InvalidRequest:
    """vLLM's refusal for the caller. Its text is passed on only where it is about a number.

    :param schema: the request's, which is to blame where nothing else is named.
    """
    param = getattr(error, "parameter", None)
    if param in PLAIN and error.args:
        return InvalidRequest(" ".join(str(error.args[0]).split()), param)
    if param not in PLAIN and schema is not None:
        return InvalidRequest(f"{schema.param} cannot be enforced; write a simpler JSON schema.", schema.param)
    return InvalidRequest("The engine cannot compute this request.", param if param in PLAIN else None)
