"""The error of the demo's own steps that a person is meant to read."""


class DemoError(Exception):
    """What is wrong and what would help, in whole sentences; the step's name and the log are added where it is told."""
