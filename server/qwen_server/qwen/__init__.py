"""The model's own markup: thinking and tool calls. It must never guess from the name of a model."""
