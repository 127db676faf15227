"""Changes of each field on both API servers: it takes those of which the page tells an effect, and refuses others."""

from typing import Any

import pytest

from hack.generate import changes
from hack.generate.probes import PROBES, SMALLER
from qwen_operator import crd
from qwen_operator.core.kinds import QWEN_MODEL
from tests.operator_api.schema.answers import ApiServer
from tests.operator_api.schema.test_rules import body

SCHEMA: dict[str, Any] = crd.document()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
REFUSED = {row.path: row.refused for row in changes.changes(SCHEMA) if row.refused}


@pytest.mark.parametrize("path", PROBES)
def test_a_change_is_taken(api_server: ApiServer, path: str) -> None:
    """Both values are allowed, one after the other."""
    name = f"changes-{list(PROBES).index(path)}"
    before, after = changes.pair(path)
    api_server.apply(QWEN_MODEL, body(before, name))

    stored = api_server.apply(QWEN_MODEL, body(after, name))

    assert stored["metadata"]["generation"] == 2


@pytest.mark.parametrize("path", SMALLER)
def test_a_change_that_can_have_no_effect_is_refused(api_server: ApiServer, path: str) -> None:
    """With the page's sentence."""
    name = f"refused-{list(SMALLER).index(path)}"
    before, after = changes.smaller(path)
    api_server.apply(QWEN_MODEL, body(before, name))

    with pytest.raises(AssertionError) as refusal:
        api_server.apply(QWEN_MODEL, body(after, name))

    assert REFUSED[path] in str(refusal.value)
