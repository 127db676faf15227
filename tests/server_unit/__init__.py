"""The server without vLLM: pure parts, HTTP with the scripted engine, and real processes with it."""
