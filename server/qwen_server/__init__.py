"""The server: OpenAI's HTTP interface on vLLM's engine.

    bytes ─► wire request ─► prompt + sampling ─► engine.generate ─► deltas ─► reply | chunks ─► bytes
             api/ + wire/     generation/          engine/            generation/       api/ + sse.py

It must never log, echo or keep a prompt, a completion or a key.
"""
