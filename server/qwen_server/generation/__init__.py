"""Pure: a request becomes prompt and sampling, deltas become a reply or chunks. No clock, no randomness, no I/O."""
