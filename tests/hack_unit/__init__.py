"""The scripts of hack/, without a cluster."""
