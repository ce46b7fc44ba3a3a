"""Load balancers: where they really listen, and the targets that tasks are.

Balancers and groups are moto's; the address of the data plane is put in here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .service import Service

if TYPE_CHECKING:
    from .world import World


class Elbv2(Service):
    def __init__(self, world: World):
        super().__init__(world)
        self.state: dict[str, Any] = {}

    def _backend(self) -> Any:
        return self.world.moto.backend("elbv2", self.world.region)

    def listen_at(self, port: int) -> None:
        """Moves every HTTP listener to the port of the data plane."""
        for balancer in self._backend().load_balancers.values():
            balancer.dns_name = "localhost"
            balancer.state = "active"
            for listener in balancer.listeners.values():
                listener.port = str(port)

    def register(self, group_arn: str, address: str, port: int) -> None:
        group = self._backend().target_groups.get(group_arn)
        if group is not None:
            group.register([{"Id": address, "Port": port}])

    def deregister(self, group_arn: str, address: str) -> None:
        group = self._backend().target_groups.get(group_arn)
        if group is not None and address in group.targets:
            group.deregister([{"Id": address}])
