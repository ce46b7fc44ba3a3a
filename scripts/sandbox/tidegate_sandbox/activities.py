"""Scaling activities: moves of capacity, from Pending to how they ended.

Carries moves out and keeps the record that DescribeScalingActivities shows. Must
not know why a move was wanted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .message import AwsError
from .scalable import Scalable

if TYPE_CHECKING:
    from .world import World

START_SECONDS = 0.3
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 60.0
KEPT = 1000


class Activities:
    """Acts on `state["activities"]` of its owner, newest first."""

    def __init__(self, world: World):
        self.world = world

    @property
    def _list(self) -> list[dict[str, Any]]:
        return self.world.autoscaling.state["activities"]

    def record(self, target: Scalable, dimension: str, capacity: int, cause: str) -> dict[str, Any]:
        description = f"Setting {target.label} to {capacity}."
        return self._enter(target, dimension, description, cause, "Pending")

    def not_scaled(self, target: Scalable, dimension: str, cause: str, code: str) -> None:
        activity = self._enter(target, dimension, "Attempting to scale.", cause, "Unfulfilled")
        activity["EndTime"] = activity["StartTime"]
        activity["NotScaledReasons"] = [{"Code": code, "CurrentCapacity": target.capacity()}]

    def _enter(
        self, target: Scalable, dimension: str, description: str, cause: str, status: str
    ) -> dict[str, Any]:
        activity = {
            "ActivityId": self.world.new_id(),
            "ServiceNamespace": target.namespace,
            "ResourceId": target.resource_id,
            "ScalableDimension": dimension,
            "Description": description,
            "Cause": cause,
            "StartTime": round(time.time(), 3),
            "StatusCode": status,
        }
        self._list.insert(0, activity)
        del self._list[KEPT:]
        return activity

    def start(self, target: Scalable, dimension: str, capacity: int, cause: str) -> None:
        """Records a move and carries it out a moment later."""
        activity = self.record(target, dimension, capacity, cause)
        key = activity["ActivityId"]
        give_up = time.monotonic() + PATIENCE_SECONDS
        self.world.clock.after(START_SECONDS, lambda: self._move(key, target, capacity, give_up))

    def _find(self, key: str) -> dict[str, Any] | None:
        return next((a for a in self._list if a["ActivityId"] == key), None)

    def _move(self, key: str, target: Scalable, capacity: int, give_up: float) -> None:
        activity = self._find(key)
        if activity is None:
            return
        try:
            target.move(capacity)
        except AwsError as error:
            if error.code == "ResourceInUseException" and time.monotonic() < give_up:
                self.world.clock.after(
                    POLL_SECONDS, lambda: self._move(key, target, capacity, give_up)
                )
                return
            if "will not change" in error.message:
                self._end(activity, "Successful", _done(target, capacity))
                return
            reason = f"Failed to set {target.label} to {capacity}. Reason: {error.message}"
            self._end(activity, "Failed", reason)
            return
        activity["StatusCode"] = "InProgress"
        self.world.clock.after(POLL_SECONDS, lambda: self._watch(key, target, capacity))

    def _watch(self, key: str, target: Scalable, capacity: int) -> None:
        activity = self._find(key)
        if activity is None:
            return
        try:
            settled = target.settled()
        except AwsError as error:
            self._end(activity, "Failed", error.message)
            return
        if settled:
            self._end(activity, "Successful", _done(target, capacity))
        else:
            self.world.clock.after(POLL_SECONDS, lambda: self._watch(key, target, capacity))

    @staticmethod
    def _end(activity: dict[str, Any], status: str, message: str) -> None:
        activity["StatusCode"] = status
        activity["StatusMessage"] = message
        activity["EndTime"] = round(time.time(), 3)

    def busy(self, resource_id: str, dimension: str) -> bool:
        """Whether a move of this resource is under way."""
        return any(
            a["ResourceId"] == resource_id
            and a["ScalableDimension"] == dimension
            and a["StatusCode"] in ("Pending", "InProgress")
            for a in self._list
        )


def _done(target: Scalable, capacity: int) -> str:
    by = "dynamodb" if target.namespace == "dynamodb" else "ecs"
    return f"Successfully set {target.label} to {capacity}. Change successfully fulfilled by {by}."
