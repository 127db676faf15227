"""Fetching, verifying and describing weights, against real servers that run in the test. Needs nothing."""
