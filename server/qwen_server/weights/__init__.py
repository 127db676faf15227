"""Weights before any GPU is held: what the weights Job runs.

    URI ─► listing: commit, names, sizes, hashes ─► what is missing ─► parts ─► verified files ─► marker ─► facts
           hub | bucket (the network)               selection (pure)   disk      arrival          marker    description

It must never import an engine or the HTTP server (the small operator image runs it), never open a pickle, never write
the marker before every byte is verified, and never let a token into an output.
"""
