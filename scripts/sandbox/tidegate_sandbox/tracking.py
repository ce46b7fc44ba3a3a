"""The loop of Application Auto Scaling: target tracking, and one-time actions.

Decides once an evaluation minute (shortened by the pace). Reads what the data
plane posted since the last evaluation, so that rates stay rates at any pace.
"""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .message import AwsError
from .metrics import Key, key_of
from .policyalarms import metric_of

if TYPE_CHECKING:
    from .world import World

MINUTE = 60.0
FIVE_MINUTES = 300
OUT_AFTER = 2
IN_AFTER = 15
ECS_LOW = 0.9
DYNAMODB_LOW_POINTS = 20.0
DEFAULT_COOLDOWNS = {"ecs": 300, "dynamodb": 0}


class Tracking:
    def __init__(self, world: World):
        self.world = world
        self._posted: dict[Key, list[float]] = {}
        self._since = time.monotonic()
        self._runs: dict[Any, dict[str, float]] = {}
        self._fired: set[Any] = set()

    def start(self) -> None:
        self._since = time.monotonic()
        self._publish_provisioned()
        self._next()

    def _next(self) -> None:
        self.world.clock.after(MINUTE, self._minute)

    def posted(self, point: dict[str, Any]) -> None:
        """Notes an increment for the evaluation that comes next."""
        key = key_of(point["namespace"], point["metric"], point.get("dimensions") or {})
        entry = self._posted.setdefault(key, [0.0, 0.0])
        entry[0] += float(point["sum"])
        entry[1] += float(point.get("count", 1))

    def _minute(self) -> None:
        self._next()
        posted, self._posted = self._posted, {}
        now = time.monotonic()
        seconds, self._since = max(now - self._since, 0.001), now
        self._publish_provisioned()
        self._fire_actions()
        for key, policy in list(self.world.autoscaling.state["policies"].items()):
            if policy["PolicyType"] == "TargetTrackingScaling":
                self._evaluate(key, policy, posted, seconds)

    # -- target tracking

    def _evaluate(
        self, key: Any, policy: dict[str, Any], posted: dict[Key, list[float]], seconds: float
    ) -> None:
        scalable = self.world.autoscaling.scalable(key[:3])
        try:
            current = scalable.capacity()
            scalable.check()
        except AwsError:
            return  # The resource is gone, or on demand: the policy lies dormant.
        measured = posted.get(key_of(*metric_of(policy)))
        if measured is None or measured[1] == 0:
            return  # No data is no reason to scale.
        namespace = key[0]
        target = float(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
        if namespace == "dynamodb":
            usage = measured[0] / seconds
            utilization = usage / max(current, 1) * 100
            wanted, low = math.ceil(usage * 100 / target), max(target - DYNAMODB_LOW_POINTS, 1)
        else:
            utilization = measured[0] / measured[1]
            wanted, low = math.ceil(current * utilization / target), target * ECS_LOW
        run = self._runs.setdefault(key, {"high": 0, "low": 0, "scaled": -math.inf})
        run["high"] = run["high"] + 1 if utilization > target else 0
        run["low"] = run["low"] + 1 if utilization < low else 0
        self._turn_alarms(policy, run)
        if run["high"] >= OUT_AFTER:
            self._scale(key, policy, max(wanted, current + 1), current, "out", run)
        elif run["low"] >= IN_AFTER:
            self._scale(key, policy, min(wanted, current), current, "in", run)

    def _turn_alarms(self, policy: dict[str, Any], run: dict[str, float]) -> None:
        states = {"-AlarmHigh-": run["high"] >= OUT_AFTER, "-AlarmLow-": run["low"] >= IN_AFTER}
        for alarm in policy["Alarms"]:
            for part, ringing in states.items():
                if part in alarm["AlarmName"]:
                    state = "ALARM" if ringing else "OK"
                    self.world.cloudwatch.turn(alarm["AlarmName"], state, "Threshold Crossed")

    def _scale(
        self,
        key: Any,
        policy: dict[str, Any],
        wanted: int,
        current: int,
        way: str,
        run: dict[str, float],
    ) -> None:
        identity = key[:3]
        target = self.world.autoscaling.target(identity)
        config = policy["TargetTrackingScalingPolicyConfiguration"]
        flag = "DynamicScalingOutSuspended" if way == "out" else "DynamicScalingInSuspended"
        if target["SuspendedState"][flag] or (way == "in" and config.get("DisableScaleIn")):
            return
        cooldown = config.get(f"Scale{way.title()}Cooldown", DEFAULT_COOLDOWNS[identity[0]])
        if time.monotonic() - run["scaled"] < cooldown / self.world.clock.pace:
            return
        activities = self.world.autoscaling.activities
        if activities.busy(identity[1], identity[2]):
            return
        scalable = self.world.autoscaling.scalable(identity)
        cause = self._cause(policy, way)
        capacity = min(max(wanted, target["MinCapacity"]), target["MaxCapacity"])
        if (way == "out" and capacity <= current) or (way == "in" and capacity >= current):
            if run["high"] == OUT_AFTER or run["low"] == IN_AFTER:
                code = "AlreadyAtMaxCapacity" if way == "out" else "AlreadyAtMinCapacity"
                activities.not_scaled(scalable, identity[2], cause, code)
            return
        run["scaled"] = time.monotonic()
        run["high"] = run["low"] = 0
        activities.start(scalable, identity[2], capacity, cause)

    @staticmethod
    def _cause(policy: dict[str, Any], way: str) -> str:
        part = "-AlarmHigh-" if way == "out" else "-AlarmLow-"
        names = [a["AlarmName"] for a in policy["Alarms"] if part in a["AlarmName"]]
        alarm = names[0] if names else "unknown"
        return f"monitor alarm {alarm} in state ALARM triggered policy {policy['PolicyName']}"

    # -- one-time scheduled actions

    def _fire_actions(self) -> None:
        """Fires `at(...)` actions that are due. Recurring ones only exist to be kept."""
        now = datetime.now(UTC)
        for key, action in list(self.world.autoscaling.state["actions"].items()):
            match = re.match(r"^at\((.+)\)$", action["Schedule"])
            mark = (key, action["Schedule"])
            if match is None or mark in self._fired:
                continue
            at = datetime.fromisoformat(match.group(1))
            at = at.replace(tzinfo=ZoneInfo(action.get("Timezone", "UTC")))
            if at > now:
                continue
            self._fired.add(mark)
            suspended = self.world.autoscaling.target(key[:3])["SuspendedState"]
            if not suspended["ScheduledScalingSuspended"]:
                self._fire(key, action)

    def _fire(self, key: Any, action: dict[str, Any]) -> None:
        bounds = action.get("ScalableTargetAction") or {}
        request = dict(
            zip(("ServiceNamespace", "ResourceId", "ScalableDimension"), key[:3], strict=True)
        )
        self.world.autoscaling.register({**request, **bounds})

    # -- what DynamoDB reports of itself

    def _publish_provisioned(self) -> None:
        """Adds a sample of the provisioned units to the current five minutes."""
        minute = int(time.time()) // FIVE_MINUTES * FIVE_MINUTES
        for name, table in self.world.dynamodb.effective().items():
            if table["billing"] == "PAY_PER_REQUEST":
                continue
            owners = [({"TableName": name}, table)]
            for index, units in table["indexes"].items():
                dimensions = {"TableName": name, "GlobalSecondaryIndexName": index}
                owners.append((dimensions, units))
            for dimensions, units in owners:
                for way in ("Read", "Write"):
                    self._sample(
                        f"Provisioned{way}CapacityUnits", dimensions, minute, units[way.lower()]
                    )

    def _sample(self, metric: str, dimensions: dict[str, str], minute: int, value: int) -> None:
        self.world.metrics.merge(
            {
                "namespace": "AWS/DynamoDB",
                "metric": metric,
                "dimensions": dimensions,
                "unit": "Count",
                "minute": minute,
                "sum": value,
                "min": value,
                "max": value,
                "count": 1,
            }
        )
