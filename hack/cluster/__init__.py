"""A real one-node Kubernetes for a machine without Docker, built from Go modules and run without systemd.

For a person: `python -m hack.cluster up|down|status|build`. For other programs:

- `hack.cluster.lifecycle`: `up`, `down`, `status`, which tell their steps to a report (`hack.cluster.steps`)
- `hack.cluster.control_plane`: `ControlPlane`, an API server for tests
- `hack.cluster.layout`: `cluster_layout()`, where things lie; `hack.cluster.network`: `REGISTRY` and the addresses
- `hack.cluster.errors`: `ClusterError`, the one exception, a sentence for a person

Nothing is imported here, so that the node's own processes stay small.
"""
