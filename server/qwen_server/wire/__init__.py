"""OpenAI's JSON as types, and nothing else: no defaults of ours, no rules that need a model."""
