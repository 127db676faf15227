"""A real S3-compatible server for tests: Versity's gateway, built once from its Go module and kept in the user's cache.

Nothing here may be needed to fetch weights from a store that a user has.
"""
