"""What the operator promises, proven on the emulator in simulated time; docs/reliability.md says what, and how often.

Each run is made from a seed: the same seed is the same run, to the byte. A run that fails prints it.
"""
