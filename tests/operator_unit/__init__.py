"""The operator without any API server."""
