"""The one error that a person is meant to read."""


class ClusterError(Exception):
    """What is wrong and what would help, in whole sentences. The command line prints it and exits with status 1."""
