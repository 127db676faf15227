"""Clients as people use them, against a real process with the scripted engine; nothing is bent for any of them.

Those in JavaScript need the packages that `make test-unit` brings.
"""
