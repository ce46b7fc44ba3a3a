"""Lambda: reserved concurrency with its floor, and the account's settings.

Functions themselves are moto's. Owns every reservation.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from . import wire
from .message import AwsError, Response
from .service import Service

if TYPE_CHECKING:
    from .world import World


class Lambda(Service):
    operations: ClassVar[dict[str, str]] = {
        "GetFunctionConcurrency": "get_concurrency",
        "PutFunctionConcurrency": "put_concurrency",
        "DeleteFunctionConcurrency": "delete_concurrency",
        "GetAccountSettings": "account_settings",
    }

    def __init__(self, world: World):
        super().__init__(world)
        self.state: dict[str, Any] = {
            "account_concurrency": 1000,
            "unreserved_floor": 100,
            "reserved": {},
        }

    def effective(self) -> dict[str, Any]:
        return {name: {"reserved": self.state["reserved"].get(name)} for name in self.names()}

    def names(self) -> list[str]:
        backend = self.world.moto.backend("lambda", self.world.region)
        return sorted({f.function_name for f in backend.list_functions()})

    def _name(self, params: dict[str, Any]) -> str:
        """The plain name out of a name, a partial ARN or a full one."""
        given = params["FunctionName"]
        match = re.match(
            r"^(?:arn:aws[\w-]*:lambda:[\w-]+:)?(?:\d{12}:)?(?:function:)?([\w-]+)", given
        )
        name = match.group(1) if match else given
        if name not in self.names():
            arn = self.world.arn("lambda", f"function:{name}")
            raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        return name

    def get_concurrency(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._concurrency(self._name(params))

    def _concurrency(self, name: str) -> dict[str, Any]:
        reserved = self.state["reserved"].get(name)
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def put_concurrency(self, params: dict[str, Any]) -> dict[str, Any]:
        name = self._name(params)
        wanted = params.get("ReservedConcurrentExecutions")
        if not isinstance(wanted, int) or wanted < 0:
            raise AwsError(
                "InvalidParameterValueException",
                f"Value '{wanted}' at 'reservedConcurrentExecutions' failed to satisfy constraint: "
                "Member must have value greater than or equal to 0",
            )
        others = sum(n for f, n in self.state["reserved"].items() if f != name)
        floor = self.state["unreserved_floor"]
        # Zero takes nothing from the pool, so it is always allowed.
        if wanted and self.state["account_concurrency"] - others - wanted < floor:
            raise AwsError(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{floor}].",
            )
        self.state["reserved"][name] = wanted
        return self._concurrency(name)

    def delete_concurrency(self, params: dict[str, Any]) -> Response:
        self.state["reserved"].pop(self._name(params), None)
        return Response(204, {"content-type": "application/json"})

    def forward(self, call: wire.Call) -> Response | None:
        if call.operation == "DeleteFunction":
            self.state["reserved"].pop(call.params.get("FunctionName"), None)
        if call.operation != "GetFunction":
            return None
        concurrency = self._concurrency(self._name(call.params))
        response = self.world.moto.forward(call.request)
        if response.status == 200:
            body = json.loads(response.body)
            body.pop("Concurrency", None)
            if concurrency:
                body["Concurrency"] = concurrency
            response.body = json.dumps(body).encode()
        return response

    def account_settings(self, _: dict[str, Any]) -> dict[str, Any]:
        cap = self.state["account_concurrency"]
        return {
            "AccountLimit": {
                "TotalCodeSize": 80530636800,
                "CodeSizeUnzipped": 262144000,
                "CodeSizeZipped": 52428800,
                "ConcurrentExecutions": cap,
                "UnreservedConcurrentExecutions": cap - sum(self.state["reserved"].values()),
            },
            "AccountUsage": {"TotalCodeSize": 3 * 1024 * 1024, "FunctionCount": len(self.names())},
        }
