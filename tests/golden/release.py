"""Keep the pod templates that this version makes: `python -m tests.golden.release`, once, when it is released.

What is kept is never written again: a later operator that makes another template of the same spec would restart every
replica of it when it is installed.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from qwen_operator.core import resource
from qwen_operator.core.kinds import DEPLOYMENT
from qwen_operator.rendering import Plain, manifests_of
from tests.builders import GOLDEN, SETTINGS, UID
from tests.golden.written import ROOT

RELEASES = GOLDEN / "releases"


def template(body: dict[str, Any]) -> dict[str, Any]:
    """The pod template of a QwenModel's replicas."""
    made = manifests_of(resource.parse(body | {"metadata": body["metadata"] | {"uid": UID}}), SETTINGS)
    found: dict[str, Any] = next(each["spec"]["template"] for each in made if each["kind"] == DEPLOYMENT.kind)
    return found


def main() -> None:
    """Write the file of this version."""
    bodies = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "examples").glob("*.yaml"))]
    kept = [{"model": body, "template": template(body)} for body in bodies]
    RELEASES.mkdir(exist_ok=True)
    path = Path(RELEASES / f"{version('qwen-operator')}.yaml")
    path.write_text(yaml.dump_all(kept, Dumper=Plain, sort_keys=False, explicit_start=True, width=120))


if __name__ == "__main__":
    main()
