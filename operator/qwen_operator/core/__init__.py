"""The pure core: what a QwenModel means, what its children are, and how things stand.

Everything here is a function of its arguments: no clock, no randomness, no logging, no I/O. That is what makes every
decision of the operator a table test, and what lets `qwen-operator render` print them without a cluster.
"""
