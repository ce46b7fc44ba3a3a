"""Application Auto Scaling: scalable targets, policies, scheduled actions, tags.

All of the API is here; moto's is too far from it. Moves of capacity are the
business of `activities`, decisions that of `tracking`.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, ClassVar

from . import policyalarms
from .activities import Activities
from .message import AwsError
from .scalable import Scalable, invalid
from .service import Service, page

if TYPE_CHECKING:
    from .world import World

FLAGS = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
LIMIT = 50
Identity = tuple[str, str, str]


class AutoScaling(Service):
    operations: ClassVar[dict[str, str]] = {
        "RegisterScalableTarget": "register",
        "DeregisterScalableTarget": "deregister",
        "DescribeScalableTargets": "describe_targets",
        "PutScalingPolicy": "put_policy",
        "DeleteScalingPolicy": "delete_policy",
        "DescribeScalingPolicies": "describe_policies",
        "PutScheduledAction": "put_action",
        "DeleteScheduledAction": "delete_action",
        "DescribeScheduledActions": "describe_actions",
        "DescribeScalingActivities": "describe_activities",
        "ListTagsForResource": "list_tags",
        "TagResource": "tag",
        "UntagResource": "untag",
    }

    def __init__(self, world: World):
        super().__init__(world)
        self.state: dict[str, Any] = {
            "targets": {},
            "policies": {},
            "actions": {},
            "activities": [],
            "tags": {},
        }
        self.activities = Activities(world)

    # -- targets

    def scalable(self, identity: Identity) -> Scalable:
        return Scalable(self.world, *identity)

    def register(self, params: dict[str, Any]) -> dict[str, Any]:
        identity = _identity(params)
        scalable = self.scalable(identity)
        scalable.check()
        target = self.state["targets"].get(identity)
        low = params.get("MinCapacity", target and target["MinCapacity"])
        high = params.get("MaxCapacity", target and target["MaxCapacity"])
        self._check_range(scalable, low, high)
        if target is None:
            target = self._new_target(identity, scalable)
            for key, value in (params.get("Tags") or {}).items():
                self.state["tags"].setdefault(target["ScalableTargetARN"], {})[key] = value
        elif params.get("Tags"):
            raise invalid("Tags can only be specified when a scalable target is first registered")
        target["MinCapacity"], target["MaxCapacity"] = low, high
        suspended = params.get("SuspendedState") or {}
        # A partial structure leaves the other flags as they are.
        target["SuspendedState"].update({k: v for k, v in suspended.items() if k in FLAGS})
        self.state["targets"][identity] = target
        self._clamp(scalable, identity, low, high)
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    @staticmethod
    def _check_range(scalable: Scalable, low: int | None, high: int | None) -> None:
        for name, value in (("MinCapacity", low), ("MaxCapacity", high)):
            if value is None:
                raise invalid(f"{name} is required when registering a new scalable target")
            if value < scalable.least:
                raise invalid(f"{name} must be greater than or equal to {scalable.least}")
        if low is not None and high is not None and low > high:
            raise invalid("Maximum capacity cannot be less than minimum capacity")

    def _new_target(self, identity: Identity, scalable: Scalable) -> dict[str, Any]:
        arn = self.world.arn("application-autoscaling", f"scalable-target/{self.world.new_hex(36)}")
        return {
            "ServiceNamespace": identity[0],
            "ResourceId": identity[1],
            "ScalableDimension": identity[2],
            "RoleARN": scalable.role_arn,
            "CreationTime": round(time.time(), 3),
            "SuspendedState": dict.fromkeys(FLAGS, False),
            "ScalableTargetARN": arn,
        }

    def _clamp(self, scalable: Scalable, identity: Identity, low: int, high: int) -> None:
        """Moves capacity into the range, some time after the call; suspended or not."""
        now = scalable.capacity()
        inside = min(max(now, low), high)
        if inside != now:
            bound = "min" if inside > now else "max"
            cause = f"{bound} capacity was set to {inside}"
            self.activities.start(scalable, identity[2], inside, cause)

    def target(self, identity: Identity) -> dict[str, Any]:
        target = self.state["targets"].get(identity)
        if target is None:
            raise _missing("No scalable target registered for", identity)
        return target  # type: ignore[no-any-return]

    def deregister(self, params: dict[str, Any]) -> dict[str, Any]:
        identity = _identity(params)
        self.scalable(identity)
        if identity not in self.state["targets"]:
            raise _missing("No scalable target found for", identity)
        arn = self.state["targets"].pop(identity)["ScalableTargetARN"]
        self.state["tags"].pop(arn, None)
        for key in [k for k in self.state["policies"] if k[:3] == identity]:
            policyalarms.remove(self.world, self.state["policies"].pop(key))
        for key in [k for k in self.state["actions"] if k[:3] == identity]:
            del self.state["actions"][key]
        return {}

    def describe_targets(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("ResourceIds") or []
        found = [
            t
            for t in _matching(self.state["targets"].values(), params)
            if not wanted or t["ResourceId"] in wanted
        ]
        return page(found, params, "ScalableTargets", LIMIT)

    # -- policies

    def put_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        identity = _identity(params)
        self.scalable(identity)
        self.target(identity)
        key = (*identity, params["PolicyName"])
        known = self.state["policies"].get(key)
        policy = dict(known) if known else self._new_policy(key)
        policy["PolicyType"] = params.get("PolicyType", policy.get("PolicyType", "StepScaling"))
        configs = [k for k in params if k.endswith("ScalingPolicyConfiguration")]
        if configs:
            policy = {k: v for k, v in policy.items() if not k.endswith("PolicyConfiguration")}
            policy[configs[0]] = params[configs[0]]
        self._check_policy(policy)
        policy["Alarms"] = policyalarms.make(self.world, policy)
        self.state["policies"][key] = policy
        return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}

    def _new_policy(self, key: tuple[str, str, str, str]) -> dict[str, Any]:
        namespace, resource_id, dimension, name = key
        path = f"scalingPolicy:{self.world.new_id()}:resource/{namespace}/{resource_id}"
        return {
            "PolicyARN": self.world.arn("autoscaling", f"{path}:policyName/{name}"),
            "PolicyName": name,
            "ServiceNamespace": namespace,
            "ResourceId": resource_id,
            "ScalableDimension": dimension,
            "CreationTime": round(time.time(), 3),
        }

    @staticmethod
    def _check_policy(policy: dict[str, Any]) -> None:
        kind = policy["PolicyType"]
        if kind == "StepScaling" and policy["ServiceNamespace"] == "dynamodb":
            raise invalid("StepScaling is not supported for service namespace: dynamodb")
        config = policy.get(f"{kind}PolicyConfiguration")
        if config is None:
            raise invalid(f"{kind}PolicyConfiguration is required for policy type {kind}")
        if kind != "TargetTrackingScaling":
            return
        value = config.get("TargetValue")
        if value is None:
            raise invalid("TargetValue is required")
        if policy["ServiceNamespace"] == "dynamodb" and not 20 <= value <= 90:
            raise invalid("Target utilization must be between 20 and 90 percent")
        if value <= 0:
            raise invalid("TargetValue must be greater than 0")

    def delete_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        identity = _identity(params)
        policy = self.state["policies"].pop((*identity, params["PolicyName"]), None)
        if policy is None:
            name = params["PolicyName"]
            raise _missing("No scaling policy found for", identity, f", policy name: {name}")
        policyalarms.remove(self.world, policy)
        return {}

    def describe_policies(self, params: dict[str, Any]) -> dict[str, Any]:
        names = params.get("PolicyNames") or []
        found = [
            p
            for p in _matching(self.state["policies"].values(), params)
            if not names or p["PolicyName"] in names
        ]
        return page(found, params, "ScalingPolicies", LIMIT)

    # -- scheduled actions

    def put_action(self, params: dict[str, Any]) -> dict[str, Any]:
        identity = _identity(params)
        self.scalable(identity)
        self.target(identity)
        key = (*identity, params["ScheduledActionName"])
        known = self.state["actions"].get(key)
        if known is None and "Schedule" not in params:
            raise invalid("Schedule is required")
        action = dict(known) if known else self._new_action(key)
        # Times that are left out of an update are deleted; the rest stays.
        for name in ("StartTime", "EndTime"):
            action.pop(name, None)
        for name in ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction"):
            if params.get(name) is not None:
                action[name] = params[name]
        if not re.match(r"^(at|rate|cron)\(.+\)$", action["Schedule"]):
            raise invalid(f"Invalid schedule expression: {action['Schedule']}")
        self.state["actions"][key] = action
        return {}

    def _new_action(self, key: tuple[str, str, str, str]) -> dict[str, Any]:
        namespace, resource_id, dimension, name = key
        path = f"scheduledAction:{self.world.new_id()}:resource/{namespace}/{resource_id}"
        return {
            "ScheduledActionName": name,
            "ScheduledActionARN": self.world.arn(
                "autoscaling", f"{path}:scheduledActionName/{name}"
            ),
            "ServiceNamespace": namespace,
            "ResourceId": resource_id,
            "ScalableDimension": dimension,
            "CreationTime": round(time.time(), 3),
        }

    def delete_action(self, params: dict[str, Any]) -> dict[str, Any]:
        identity = _identity(params)
        name = params["ScheduledActionName"]
        if self.state["actions"].pop((*identity, name), None) is None:
            raise _missing(
                "No scheduled action found for", identity, f", scheduled action name: {name}"
            )
        return {}

    def describe_actions(self, params: dict[str, Any]) -> dict[str, Any]:
        names = params.get("ScheduledActionNames") or []
        found = [
            a
            for a in _matching(self.state["actions"].values(), params)
            if not names or a["ScheduledActionName"] in names
        ]
        return page(found, params, "ScheduledActions", LIMIT)

    # -- activities and tags

    def describe_activities(self, params: dict[str, Any]) -> dict[str, Any]:
        found = [
            a
            for a in _matching(self.state["activities"], params)
            if params.get("IncludeNotScaledActivities") or "NotScaledReasons" not in a
        ]
        return page(found, params, "ScalingActivities", LIMIT)

    def _tags(self, params: dict[str, Any]) -> dict[str, str]:
        arn = params["ResourceARN"]
        if not any(t["ScalableTargetARN"] == arn for t in self.state["targets"].values()):
            raise AwsError(
                "ResourceNotFoundException", f"The specified resource doesn't exist: {arn}"
            )
        return self.state["tags"].setdefault(arn, {})  # type: ignore[no-any-return]

    def list_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self._tags(params)}

    def tag(self, params: dict[str, Any]) -> dict[str, Any]:
        self._tags(params).update(params["Tags"])
        return {}

    def untag(self, params: dict[str, Any]) -> dict[str, Any]:
        tags = self._tags(params)
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}


def _identity(params: dict[str, Any]) -> Identity:
    return params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]


def _matching(items: Any, params: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        item
        for item in items
        if item["ServiceNamespace"] == params["ServiceNamespace"]
        and params.get("ResourceId") in (None, item["ResourceId"])
        and params.get("ScalableDimension") in (None, item["ScalableDimension"])
    ]


def _missing(start: str, identity: Identity, end: str = "") -> AwsError:
    namespace, resource_id, dimension = identity
    return AwsError(
        "ObjectNotFoundException",
        f"{start} service namespace: {namespace}, resource ID: {resource_id}, "
        f"scalable dimension: {dimension}{end}",
    )
