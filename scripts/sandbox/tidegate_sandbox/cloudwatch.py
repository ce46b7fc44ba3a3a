"""CloudWatch: metrics out of the store, alarms and dashboards.

Speaks every protocol the service has; the Rust SDK and boto3 use CBOR.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from .message import AwsError, Time
from .metricdata import get_metric_data, invalid
from .metrics import MINUTE, Key
from .service import Service

if TYPE_CHECKING:
    from .world import World

LIST_LIMIT = 500
TWO_WEEKS = 14 * 86400
RECENT = 3 * 3600


class CloudWatch(Service):
    operations: ClassVar[dict[str, str]] = {
        "GetMetricData": "get_metric_data",
        "ListMetrics": "list_metrics",
        "PutMetricData": "put_metric_data",
        "DescribeAlarms": "describe_alarms",
        "PutMetricAlarm": "put_metric_alarm",
        "DeleteAlarms": "delete_alarms",
        "SetAlarmState": "set_alarm_state",
        "GetDashboard": "get_dashboard",
        "PutDashboard": "put_dashboard",
        "ListDashboards": "list_dashboards",
        "DeleteDashboards": "delete_dashboards",
    }

    def __init__(self, world: World):
        super().__init__(world)
        self.state: dict[str, Any] = {"alarms": {}, "dashboards": {}}

    # -- metrics

    def get_metric_data(self, params: dict[str, Any]) -> dict[str, Any]:
        return get_metric_data(self.world.metrics, params)

    def list_metrics(self, params: dict[str, Any]) -> dict[str, Any]:
        oldest = time.time() - (RECENT if params.get("RecentlyActive") else TWO_WEEKS)
        found = [
            _metric(key)
            for key in self.world.metrics.all_keys()
            if _wanted(key, params) and (self.world.metrics.latest(key) or 0) >= oldest
        ]
        start = int(params.get("NextToken") or 0)
        result: dict[str, Any] = {"Metrics": found[start : start + LIST_LIMIT]}
        if start + LIST_LIMIT < len(found):
            result["NextToken"] = str(start + LIST_LIMIT)
        return result

    def put_metric_data(self, params: dict[str, Any]) -> None:
        namespace = params["Namespace"]
        if namespace.startswith(("AWS/", ":")):
            raise invalid("The value AWS/ for parameter Namespace is invalid.")
        for datum in params.get("MetricData") or []:
            self.world.metrics.merge(_increment(namespace, datum))

    # -- alarms

    def describe_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        alarms = sorted(self.state["alarms"].values(), key=lambda a: a["AlarmName"])
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
        state, action = params.get("StateValue"), params.get("ActionPrefix")
        found = [
            alarm
            for alarm in alarms
            if (not names or alarm["AlarmName"] in names)
            and (not prefix or alarm["AlarmName"].startswith(prefix))
            and (not state or alarm["StateValue"] == state)
            and (not action or any(a.startswith(action) for a in alarm["AlarmActions"]))
        ]
        if "MetricAlarm" not in (params.get("AlarmTypes") or ["MetricAlarm"]):
            found = []
        start, size = int(params.get("NextToken") or 0), int(params.get("MaxRecords") or 50)
        result: dict[str, Any] = {
            "CompositeAlarms": [],
            "MetricAlarms": found[start : start + size],
        }
        if start + size < len(found):
            result["NextToken"] = str(start + size)
        return result

    def put_metric_alarm(self, params: dict[str, Any]) -> None:
        name = params["AlarmName"]
        now = Time(round(time.time(), 3))
        known = self.state["alarms"].get(name, {})
        alarm = {k: v for k, v in params.items() if k != "Tags"}
        alarm.setdefault("ActionsEnabled", True)
        for actions in ("OKActions", "AlarmActions", "InsufficientDataActions"):
            alarm.setdefault(actions, [])
        alarm.setdefault("Dimensions", [])
        alarm["AlarmArn"] = self.world.arn("cloudwatch", f"alarm:{name}")
        alarm["AlarmConfigurationUpdatedTimestamp"] = now
        alarm["StateValue"] = known.get("StateValue", "INSUFFICIENT_DATA")
        alarm["StateReason"] = known.get("StateReason", "Unchecked: Initial alarm creation")
        alarm["StateUpdatedTimestamp"] = known.get("StateUpdatedTimestamp", now)
        self.state["alarms"][name] = alarm

    def delete_alarms(self, params: dict[str, Any]) -> None:
        names = params.get("AlarmNames") or []
        missing = [n for n in names if n not in self.state["alarms"]]
        for name in names:
            self.state["alarms"].pop(name, None)
        if missing:
            raise AwsError("ResourceNotFound", f"Alarms not found: {', '.join(missing)}", 404)

    def set_alarm_state(self, params: dict[str, Any]) -> None:
        if params["AlarmName"] not in self.state["alarms"]:
            raise AwsError("ResourceNotFound", "Alarm not found", 404)
        self.turn(params["AlarmName"], params["StateValue"], params.get("StateReason", ""))

    def turn(self, name: str, value: str, reason: str) -> None:
        """Moves an alarm to a state; an unknown alarm has none."""
        alarm = self.state["alarms"].get(name)
        if alarm is None or alarm["StateValue"] == value:
            return
        alarm["StateValue"] = value
        alarm["StateReason"] = reason
        alarm["StateUpdatedTimestamp"] = Time(round(time.time(), 3))

    # -- dashboards

    def get_dashboard(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["DashboardName"]
        if name not in self.state["dashboards"]:
            raise AwsError("ResourceNotFound", f"Dashboard {name} does not exist", 404)
        body = self.state["dashboards"][name]["body"]
        return {
            "DashboardArn": f"arn:aws:cloudwatch::{self.world.account}:dashboard/{name}",
            "DashboardBody": body,
            "DashboardName": name,
        }

    def put_dashboard(self, params: dict[str, Any]) -> dict[str, Any]:
        at = Time(round(time.time(), 3))
        entry = {"body": params["DashboardBody"], "at": at}
        self.state["dashboards"][params["DashboardName"]] = entry
        return {"DashboardValidationMessages": []}

    def list_dashboards(self, params: dict[str, Any]) -> dict[str, Any]:
        prefix = params.get("DashboardNamePrefix") or ""
        entries = [
            {
                "DashboardName": name,
                "DashboardArn": f"arn:aws:cloudwatch::{self.world.account}:dashboard/{name}",
                "LastModified": entry["at"],
                "Size": len(entry["body"]),
            }
            for name, entry in sorted(self.state["dashboards"].items())
            if name.startswith(prefix)
        ]
        return {"DashboardEntries": entries}

    def delete_dashboards(self, params: dict[str, Any]) -> dict[str, Any]:
        missing = [n for n in params["DashboardNames"] if n not in self.state["dashboards"]]
        if missing:
            # The whole call fails when any name is unknown.
            code = "DashboardNotFoundError"
            raise AwsError(code, f"Dashboard {missing[0]} does not exist", 404, "ResourceNotFound")
        for name in params["DashboardNames"]:
            del self.state["dashboards"][name]
        return {}


def _metric(key: Key) -> dict[str, Any]:
    namespace, name, dimensions = key
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": n, "Value": v} for n, v in sorted(dimensions)],
    }


def _wanted(key: Key, params: dict[str, Any]) -> bool:
    namespace, name, dimensions = key
    if params.get("Namespace") not in (None, namespace):
        return False
    if params.get("MetricName") not in (None, name):
        return False
    own = dict(dimensions)
    return all(
        d["Name"] in own and d.get("Value") in (None, own[d["Name"]])
        for d in params.get("Dimensions") or []
    )


def _increment(namespace: str, datum: dict[str, Any]) -> dict[str, Any]:
    """A MetricDatum of the API as an increment of the store."""
    point: dict[str, Any] = {
        "namespace": namespace,
        "metric": datum["MetricName"],
        "dimensions": {d["Name"]: d["Value"] for d in datum.get("Dimensions") or []},
        "unit": datum.get("Unit"),
        "minute": int(float(datum.get("Timestamp") or time.time())) // MINUTE * MINUTE,
    }
    if statistics := datum.get("StatisticValues"):
        return point | {
            "sum": statistics["Sum"],
            "min": statistics["Minimum"],
            "max": statistics["Maximum"],
            "count": statistics["SampleCount"],
        }
    values = datum.get("Values") or [datum["Value"]]
    counts = datum.get("Counts") or [1.0] * len(values)
    return point | {
        "sum": sum(v * c for v, c in zip(values, counts, strict=True)),
        "min": min(values),
        "max": max(values),
        "count": sum(counts),
        "values": values,
        "counts": counts,
    }
