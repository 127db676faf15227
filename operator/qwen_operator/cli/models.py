"""A QwenModel of the cluster, as types.

Why it exists: most verbs need what a spec means, and an object that means nothing is one sentence. It must never decide
what is done about it.
"""

from qwen_operator.cli.access import Access
from qwen_operator.cli.endings import Unknowable
from qwen_operator.core.resource import InvalidResource, QwenModel, parse


async def parsed(access: Access, name: str) -> QwenModel:
    """A model of the namespace.

    :raises Unknowable: the API server has an object that is no model, as after a change of the definition.
    """
    try:
        return parse(await access.model(name))
    except InvalidResource as invalid:
        raise Unknowable(invalid.problem.message) from None
