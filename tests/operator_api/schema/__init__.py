"""What a real API server makes of the definition and of the children; skipped where its binary is not built."""
