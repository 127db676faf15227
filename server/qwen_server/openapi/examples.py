"""Requests and answers as the published interface shows them. The tests send each request and read each answer."""

HEALTH = {"status": "ok", "model": "qwen3", "version": "0.1.0", "running": 1, "waiting": 0}

CHAT_REQUEST = {
    "model": "qwen3",
    "messages": [{"role": "user", "content": "Hello, how are you?"}],
    "max_tokens": 100,
}
CHAT_REQUEST_IN_FULL = {
    "model": "qwen3",
    "messages": [
        {"role": "system", "content": "You are a helpful coding assistant."},
        {"role": "user", "content": "Write a Python function to calculate fibonacci numbers"},
    ],
    "max_tokens": 1000,
    "temperature": 0.7,
    "top_p": 0.95,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "stop": None,
    "stream": False,
}
CHAT_STREAM_REQUEST = {
    "model": "qwen3",
    "messages": [{"role": "user", "content": "Count to 10"}],
    "stream": True,
    "max_tokens": 100,
}
CHAT_REPLY = {
    "id": "chatcmpl-6f1c0a",
    "object": "chat.completion",
    "created": 1754001981,
    "model": "qwen3",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Generated response here..."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 25, "completion_tokens": 66, "total_tokens": 91},
}
CHAT_CHUNK = {
    "id": "chatcmpl-6f1c0a",
    "object": "chat.completion.chunk",
    "created": 1754001981,
    "model": "qwen3",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "1"}, "finish_reason": None}],
}
TEXT_REQUEST = {"model": "qwen3", "prompt": "The capital of France is", "max_tokens": 10, "temperature": 0.0}
TEXT_REPLY = {
    "id": "cmpl-6f1c0a",
    "object": "text_completion",
    "created": 1754001981,
    "model": "qwen3",
    "choices": [{"text": " Paris.", "index": 0, "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}
TEXT_CHUNK = {
    "id": "cmpl-6f1c0a",
    "object": "text_completion",
    "created": 1754001981,
    "model": "qwen3",
    "choices": [{"index": 0, "text": " Paris", "logprobs": None, "finish_reason": None}],
}
