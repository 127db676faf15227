"""The chart, judged without a cluster and without a helm binary: Helm's engine is a library here."""
