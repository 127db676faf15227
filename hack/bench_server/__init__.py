"""The server against vLLM's own, on one machine and the same engine without a model: `make bench-server`.

What is compared is everything around the engine. It must never switch off on either side what is on by default there.
"""
