"""What the operator writes, kept as files so that a change of it is seen in review.

`children/` holds the children of each example, `said.yaml` what is said about each situation recorded from a real
cluster (`pods/`, `claims/`). `python -m tests.golden` writes `children/` and `said.yaml` anew.
"""
