"""The engine ring: vLLM itself on a CPU, with scripted tokens where they must be exact, with real weights elsewhere."""
