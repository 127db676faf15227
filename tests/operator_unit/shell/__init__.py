"""The parts around the pure core, alone: queue, caches, Lease, probes."""
