"""The operator against an API server: the emulator, and a real one where its binary is."""
