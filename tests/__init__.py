"""Tests in rings: each folder says in its own docstring what it needs."""
