"""Model folders for trying and testing: real small weights out of a package, and random tiny ones.

Runs inside `.venv-engine`. Nothing here may be needed to serve a model that a user already has.
"""
