"""Whether a node is as an affinity demands, by its labels.

Why it exists: the memory of GPUs is read from the nodes that may run a replica, and from no others. It must never ask
for what the scheduler alone can know: other pods, taints, room.
"""

from qwen_operator.core.fit.nodes import Labels
from qwen_operator.core.resource.affinity import Affinity, NodeRequirement


def allows(affinity: Affinity | None, node: Labels) -> bool:
    """Whether the node is as one of the required terms says, if there are such."""
    of_nodes = affinity.node_affinity if affinity else None
    required = of_nodes.required_during_scheduling_ignored_during_execution if of_nodes else None
    if required is None:
        return True
    return any(all(_holds(asked, node) for asked in term.match_expressions) for term in required.node_selector_terms)


def _holds(asked: NodeRequirement, node: Labels) -> bool:
    """One requirement, as the scheduler reads it: a label that is missing is not in any list."""
    value = node.get(asked.key)
    match asked.operator:
        case "In":
            return value in asked.values
        case "NotIn":
            return value not in asked.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(asked, value)


def _compares(asked: NodeRequirement, value: str | None) -> bool:
    if value is None or not value.isdecimal():
        return False
    limit = int(asked.values[0])
    return int(value) > limit if asked.operator == "Gt" else int(value) < limit
