"""The alarms that a target-tracking policy makes for itself.

Names and thresholds only; CloudWatch keeps them, the policy's owner removes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World

MEMORY = "ECSServiceAverageMemoryUtilization"


def metric_of(policy: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
    """Namespace, metric and dimensions that the policy watches."""
    names = policy["ResourceId"].split("/")
    if policy["ServiceNamespace"] == "ecs":
        kind = _predefined(policy)
        metric = "MemoryUtilization" if kind == MEMORY else "CPUUtilization"
        return "AWS/ECS", metric, {"ClusterName": names[1], "ServiceName": names[2]}
    way = "Read" if "Read" in policy["ScalableDimension"] else "Write"
    dimensions = {"TableName": names[1]}
    if len(names) > 2:
        dimensions["GlobalSecondaryIndexName"] = names[3]
    return "AWS/DynamoDB", f"Consumed{way}CapacityUnits", dimensions


def _predefined(policy: dict[str, Any]) -> str:
    config = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    kind = (config.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType", "")
    return str(kind)


def make(world: World, policy: dict[str, Any]) -> list[dict[str, str]]:
    """Creates the alarms, or brings those the policy already has up to date."""
    if policy["PolicyType"] != "TargetTrackingScaling":
        return []
    known = [alarm["AlarmName"] for alarm in policy.get("Alarms") or []]
    made = []
    for kind, spec in _specs(world, policy).items():
        prefix = f"TargetTracking-{policy['ResourceId']}-{kind}-"
        name = next((n for n in known if n.startswith(prefix)), prefix + world.new_id())
        world.cloudwatch.put_metric_alarm({"AlarmName": name, **spec})
        made.append({"AlarmName": name, "AlarmARN": world.arn("cloudwatch", f"alarm:{name}")})
    return made


def remove(world: World, policy: dict[str, Any]) -> None:
    for alarm in policy.get("Alarms") or []:
        world.cloudwatch.state["alarms"].pop(alarm["AlarmName"], None)


def _specs(world: World, policy: dict[str, Any]) -> dict[str, dict[str, Any]]:
    namespace, metric, dimensions = metric_of(policy)
    target = float(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
    action = policy["PolicyARN"]
    base = {
        "Namespace": namespace,
        "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
        "AlarmActions": [action],
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.",
    }
    high = {"ComparisonOperator": "GreaterThanThreshold"}
    low = {"ComparisonOperator": "LessThanThreshold"}
    if namespace == "AWS/ECS":
        each = {
            **base,
            "MetricName": metric,
            "Statistic": "Average",
            "Period": 60,
            "Unit": "Percent",
        }
        return {
            "AlarmHigh": {**each, **high, "EvaluationPeriods": 3, "Threshold": target},
            "AlarmLow": {**each, **low, "EvaluationPeriods": 15, "Threshold": target * 0.9},
        }
    units = _provisioned(world, policy)
    used = {**base, "MetricName": metric, "Statistic": "Sum", "Period": 60}
    had = {
        **base,
        "MetricName": metric.replace("Consumed", "Provisioned"),
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": float(units),
    }
    return {
        "AlarmHigh": {
            **used,
            **high,
            "EvaluationPeriods": 2,
            "Threshold": units * 60 * target / 100,
        },
        "AlarmLow": {
            **used,
            **low,
            "EvaluationPeriods": 15,
            "Threshold": units * 60 * max(target - 20, 1) / 100,
        },
        "ProvisionedCapacityHigh": {**had, **high},
        "ProvisionedCapacityLow": {**had, **low},
    }


def _provisioned(world: World, policy: dict[str, Any]) -> int:
    from .scalable import Scalable

    return Scalable(
        world, policy["ServiceNamespace"], policy["ResourceId"], policy["ScalableDimension"]
    ).capacity()
