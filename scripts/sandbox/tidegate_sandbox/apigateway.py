"""API Gateway: the account's throttle. APIs and stages are moto's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .service import Service

if TYPE_CHECKING:
    from .world import World


class ApiGateway(Service):
    operations: ClassVar[dict[str, str]] = {"GetAccount": "get_account"}

    def __init__(self, world: World):
        super().__init__(world)
        self.state: dict[str, Any] = {"rate": 10000.0, "burst": 5000}

    def get_account(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "throttleSettings": {
                "burstLimit": self.state["burst"],
                "rateLimit": self.state["rate"],
            },
            "features": ["UsagePlans"],
            "apiKeyVersion": "4",
        }
