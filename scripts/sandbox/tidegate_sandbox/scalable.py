"""What Application Auto Scaling can move: which resources, their capacity, and how.

Knows DynamoDB and ECS through their services; nothing of targets or policies.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .message import AwsError

if TYPE_CHECKING:
    from .world import World

TABLE = re.compile(r"^table/([^/]+)$")
INDEX = re.compile(r"^table/([^/]+)/index/([^/]+)$")
SERVICE = re.compile(r"^service/([^/]+)/([^/]+)$")
PATTERNS = {
    "dynamodb:table:ReadCapacityUnits": TABLE,
    "dynamodb:table:WriteCapacityUnits": TABLE,
    "dynamodb:index:ReadCapacityUnits": INDEX,
    "dynamodb:index:WriteCapacityUnits": INDEX,
    "ecs:service:DesiredCount": SERVICE,
}
ROLES = {
    "dynamodb": ("dynamodb", "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"),
    "ecs": ("ecs", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
}


class Scalable:
    """One resource and dimension that exists, or a refusal."""

    def __init__(self, world: World, namespace: str, resource_id: str, dimension: str):
        pattern = PATTERNS.get(dimension)
        match = pattern.match(resource_id) if pattern else None
        if match is None or dimension.split(":")[0] != namespace:
            raise invalid("Unsupported service namespace, resource type or scalable dimension")
        self.world = world
        self.namespace = namespace
        self.resource_id = resource_id
        self.names = match.groups()
        self.unit = "read" if "Read" in dimension else "write"

    @property
    def label(self) -> str:
        return "desired count" if self.namespace == "ecs" else f"{self.unit} capacity units"

    @property
    def least(self) -> int:
        return 0 if self.namespace == "ecs" else 1

    @property
    def role_arn(self) -> str:
        service, name = ROLES[self.namespace]
        path = f"role/aws-service-role/{service}.application-autoscaling.amazonaws.com/{name}"
        return f"arn:aws:iam::{self.world.account}:{path}"

    def check(self) -> None:
        """Refuses what is missing, and what has no units to move."""
        if self.namespace == "ecs":
            if self.world.ecs.find(*self.names) is None:
                raise invalid(f"ECS service doesn't exist: {self.resource_id}")
            return
        try:
            table = self.world.dynamodb.table(self.names[0])
        except AwsError:
            raise invalid(f"DynamoDB table does not exist: table/{self.names[0]}") from None
        if len(self.names) > 1 and self.names[1] not in table["indexes"]:
            raise invalid(f"DynamoDB index does not exist: {self.resource_id}")
        if table["billing"] == "PAY_PER_REQUEST":
            raise invalid(
                f"DynamoDB table {self.names[0]} has billing mode PAY_PER_REQUEST; its capacity "
                "cannot be scaled"
            )

    def capacity(self) -> int:
        if self.namespace == "ecs":
            return int(self.world.ecs.service(*self.names)["desired"])
        index = self.names[1] if len(self.names) > 1 else None
        return self.world.dynamodb.capacity(self.names[0], index, self.unit)

    def move(self, capacity: int) -> None:
        if self.namespace == "ecs":
            cluster, service = self.names
            self.world.ecs.set_desired(cluster, service, capacity, by="autoscaling")
            return
        index = self.names[1] if len(self.names) > 1 else None
        self.world.dynamodb.set_capacity(self.names[0], index, self.unit, capacity)

    def settled(self) -> bool:
        """Whether the last move has taken effect."""
        if self.namespace == "ecs":
            service = self.world.ecs.service(*self.names)
            return self.world.ecs.tasks.running(service) == int(service["desired"])
        return self.world.dynamodb.settled(self.names[0])


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
