"""What the corrected services have in common.

A service names the operations it answers itself; everything else is moto's. Its
``state`` is plain data, so that it can be copied and put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from . import wire
from .message import AwsError, Response

if TYPE_CHECKING:
    from .world import World


class Service:
    operations: ClassVar[dict[str, str]] = {}
    state: Any

    def __init__(self, world: World):
        self.world = world

    def apply(self, call: wire.Call) -> Response | None:
        """The answer of a corrected operation, or None when it is moto's."""
        name = self.operations.get(call.operation)
        if name is None:
            return self.forward(call)
        result = getattr(self, name)(call.params)
        if isinstance(result, Response):
            return result
        return wire.answer(call, result)

    def forward(self, call: wire.Call) -> Response | None:
        """A chance to look at what goes to moto."""
        return None


def page(items: list[Any], params: dict[str, Any], key: str, limit: int) -> dict[str, Any]:
    """One page of a list in the way of MaxResults and NextToken."""
    token = str(params.get("NextToken") or params.get("nextToken") or 0)
    if not token.isdigit() or int(token) > len(items):
        raise AwsError("InvalidNextTokenException", "The next token is invalid.")
    start = int(token)
    size = min(int(params.get("MaxResults") or params.get("maxResults") or limit), limit)
    result: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        result["NextToken"] = str(start + size)
    return result
