"""Generated files: what the sources already say, written where Kubernetes, Helm and readers want it.

`python -m hack.generate` writes them, `--check` only compares. Nothing here may know a fact of its own: a field comes
from the resource, a right from the table of kinds, a flag from the command's own help, a value from the
chart's schema.
"""
