"""Everything that must be equal again after a clean-up, as one canonical value.

No times that move, no counters that only AWS may reset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World

MOVING = {"CreationTime"}


def take(world: World) -> dict[str, Any]:
    with world.lock:
        return {
            "functions": world.awslambda.effective(),
            "tables": {name: _table(world.dynamodb.table(name)) for name in world.dynamodb.names()},
            "scalable_targets": _keyed(world.autoscaling.state["targets"], tags=world),
            "policies": _keyed(world.autoscaling.state["policies"]),
            "scheduled_actions": _keyed(world.autoscaling.state["actions"]),
            "alarms": sorted(world.cloudwatch.state["alarms"]),
            "dashboards": {
                name: entry["body"]
                for name, entry in sorted(world.cloudwatch.state["dashboards"].items())
            },
            "services": {
                "/".join(key): _service(service)
                for key, service in sorted(world.ecs.state["services"].items())
            },
            "clusters": {
                name: {s["name"]: s["value"] for s in cluster["settings"]}
                for name, cluster in sorted(world.ecs.state["clusters"].items())
            },
        }


def _table(table: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": table["id"],
        "billing": table["billing"],
        "read": table["read"],
        "write": table["write"],
        "on_demand_throughput": table["on_demand_throughput"],
        "indexes": {
            name: {"read": index["read"], "write": index["write"]}
            for name, index in sorted(table["indexes"].items())
        },
    }


def _keyed(items: dict[Any, dict[str, Any]], tags: World | None = None) -> dict[str, Any]:
    shown = {}
    for key, item in sorted(items.items()):
        text = {k: v for k, v in sorted(item.items()) if k not in MOVING}
        if "Alarms" in text:
            text["Alarms"] = sorted(alarm["AlarmName"] for alarm in text["Alarms"])
        if tags is not None:
            text["Tags"] = tags.autoscaling.state["tags"].get(item["ScalableTargetARN"], {})
        shown[" ".join(key)] = text
    return shown


def _service(service: dict[str, Any]) -> dict[str, Any]:
    return {
        "desired": service["desired"],
        "task_definition": service["task_definition"],
        "deployments": [deployment["id"] for deployment in service["deployments"]],
    }
