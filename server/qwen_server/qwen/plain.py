"""An answer without markup."""

from collections.abc import Sequence

from qwen_server.qwen.pieces import Piece, Text


class Plain:
    """Passes every text on."""

    def feed(self, text: str) -> Sequence[Piece]:
        """The text itself."""
        return [Text(text)] if text else []

    def end(self) -> Sequence[Piece]:
        """Nothing is held back."""
        return []
