"""What the operator writes, kept as files so that a change of it is seen in review.

`children/` holds the children of each example, `said.yaml` what is said about each situation recorded from a real
cluster (`pods/`, `claims/`), `why.txt` what `kubectl qwen why` shows of it. `python -m tests.golden` writes all but the
recordings anew.
"""
