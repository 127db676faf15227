"""The error of making weights that a person is meant to read."""


class WeightsError(Exception):
    """What is wrong and what would help, in whole sentences. The command line prints it and exits with status 1."""
