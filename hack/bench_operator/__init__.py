"""How fast and how small the operator is: many models on the API emulator, with the operator as a process of its own.

Counts carry over to any cluster; times are those of this machine's cores, shared with an API server written in Python,
over plain HTTP. What it is held to stands in `limits.yaml`.
"""
