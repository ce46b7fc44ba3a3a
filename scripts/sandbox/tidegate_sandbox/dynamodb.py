"""DynamoDB: throughput, billing mode, states and the budget of decreases.

Tables themselves are moto's; what DescribeTable says about capacity is owned
here. A change is accepted at once and takes effect after a while, UPDATING.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from . import wire
from .decreases import Budget
from .message import AwsError, Response
from .service import Service
from .throughput import THROUGHPUT_KEYS, Change, plan

if TYPE_CHECKING:
    from .world import World

UPDATING_SECONDS = 0.6
BILLING_SECONDS = 1.2


class DynamoDb(Service):
    operations: ClassVar[dict[str, str]] = {
        "DescribeTable": "describe_table",
        "UpdateTable": "update_table",
        "DescribeLimits": "describe_limits",
    }

    def __init__(self, world: World):
        super().__init__(world)
        self.state: dict[str, Any] = {"tables": {}}

    # -- what is there

    def names(self) -> list[str]:
        return sorted(self._backend().tables)

    def _backend(self) -> Any:
        return self.world.moto.backend("dynamodb", self.world.region)

    def table(self, name: str) -> dict[str, Any]:
        """The capacity side of a table; refuses an unknown one like AWS."""
        name = name.rsplit("/", 1)[-1] if name.startswith("arn:") else name
        found = self._backend().tables.get(name)
        if found is None:
            self.state["tables"].pop(name, None)
            raise AwsError(
                "ResourceNotFoundException",
                f"Requested resource not found: Table: {name} not found",
            )
        if name not in self.state["tables"]:
            self.state["tables"][name] = self._adopt(name, found)
        return self.state["tables"][name]

    def _adopt(self, name: str, found: Any) -> dict[str, Any]:
        on_demand = found.billing_mode == "PAY_PER_REQUEST"
        units = found.throughput or {}
        now = self._now()
        return {
            "name": name,
            "id": self.world.new_id(),
            "billing": "PAY_PER_REQUEST" if on_demand else "PROVISIONED",
            "on_demand_since": now if on_demand else None,
            "status": "ACTIVE",
            "on_demand_throughput": {},
            "updating": None,
            **_units(units, on_demand),
            "indexes": {
                index.name: {
                    "status": "ACTIVE",
                    "on_demand_throughput": {},
                    **_units(index.throughput or {}, on_demand),
                }
                for index in found.global_indexes
            },
        }

    def effective(self) -> dict[str, Any]:
        tables = {}
        for name in self.names():
            table = self.table(name)
            tables[name] = {
                "billing": table["billing"],
                "read": table["read"],
                "write": table["write"],
                "indexes": {
                    i: {"read": v["read"], "write": v["write"]} for i, v in table["indexes"].items()
                },
            }
        return tables

    @staticmethod
    def _now() -> float:
        return round(datetime.now(UTC).timestamp(), 3)

    # -- reads

    def describe_table(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"Table": self.description(self.table(params["TableName"]))}

    def description(self, table: dict[str, Any]) -> dict[str, Any]:
        """moto's description with the capacity as it is here."""
        found = self._backend().tables[table["name"]]
        text: dict[str, Any] = json.loads(
            json.dumps(found.describe("Table")["Table"], default=_epoch)
        )
        text["TableId"] = table["id"]
        text["TableStatus"] = table["status"]
        text["ProvisionedThroughput"] = _throughput(table)
        text.pop("BillingModeSummary", None)
        text.pop("OnDemandThroughput", None)
        if table["on_demand_since"] is not None:
            text["BillingModeSummary"] = {
                "BillingMode": table["billing"],
                "LastUpdateToPayPerRequestDateTime": table["on_demand_since"],
            }
        if table["on_demand_throughput"]:
            text["OnDemandThroughput"] = table["on_demand_throughput"]
        for index in text.get("GlobalSecondaryIndexes") or []:
            own = table["indexes"][index["IndexName"]]
            index["IndexStatus"] = own["status"]
            index["ProvisionedThroughput"] = _throughput(own)
            if own["on_demand_throughput"]:
                index["OnDemandThroughput"] = own["on_demand_throughput"]
        return {k: v for k, v in text.items() if v not in (None, [], {})}

    def describe_limits(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "AccountMaxReadCapacityUnits": 80000,
            "AccountMaxWriteCapacityUnits": 80000,
            "TableMaxReadCapacityUnits": 40000,
            "TableMaxWriteCapacityUnits": 40000,
        }

    # -- changes

    def forward(self, call: wire.Call) -> Response | None:
        if call.operation == "DeleteTable":
            self.state["tables"].pop(call.params.get("TableName"), None)
        return None

    def apply(self, call: wire.Call) -> Response | None:
        if call.operation == "UpdateTable" and not _is_throughput(call.params):
            self.table(call.params["TableName"])
            self.state["tables"].pop(call.params["TableName"]) if _remakes(call.params) else None
            return None
        return super().apply(call)

    def update_table(self, params: dict[str, Any]) -> dict[str, Any]:
        table = self.table(params["TableName"])
        if self._dropped_reversal(table, params):
            return {"TableDescription": self.description(table)}
        self._refuse_while_updating(table)
        change = plan(table, params)
        if change.repeats_on_demand:
            echo = self.description(table)
            return {"TableDescription": {**echo, "TableStatus": "UPDATING"}}
        self._begin(table, change)
        return {"TableDescription": self.description(table)}

    @staticmethod
    def _dropped_reversal(table: dict[str, Any], params: dict[str, Any]) -> bool:
        """Taking back a switch to provisioned in flight answers 200, and does nothing."""
        return (
            table["updating"] == "to-provisioned" and params.get("BillingMode") == "PAY_PER_REQUEST"
        )

    @staticmethod
    def _refuse_while_updating(table: dict[str, Any]) -> None:
        busy = [n for n, i in table["indexes"].items() if i["status"] != "ACTIVE"]
        if table["status"] == "ACTIVE" and not busy:
            return
        what = f"Table: {table['name']}" + (f", index: {busy[0]}" if busy else "")
        raise AwsError(
            "ResourceInUseException",
            "Attempt to change a resource which is still in use: Table IOPS are currently being "
            f"updated. {what}",
        )

    def _begin(self, table: dict[str, Any], change: Change) -> None:
        now = self._now()
        Budget.spend(table, change, now)
        if change.on_demand_throughput is not None:
            change.merge_on_demand(table)
        if not change.takes_time:
            return
        if change.touches_table:
            table["status"] = "UPDATING"
        table["updating"] = change.kind
        for index in change.index_units:
            table["indexes"][index]["status"] = "UPDATING"
        seconds = BILLING_SECONDS if change.billing else UPDATING_SECONDS
        name, identity = table["name"], table["id"]
        self.world.clock.after(seconds, lambda: self._finish(name, identity, change, now))

    def _finish(self, name: str, identity: str, change: Change, accepted: float) -> None:
        table = self.state["tables"].get(name)
        if table is None or table["id"] != identity:
            return
        change.take_effect(table, accepted)
        table["status"] = "ACTIVE"
        table["updating"] = None
        for index in table["indexes"].values():
            index["status"] = "ACTIVE"
        self._tell_moto(table)

    def _tell_moto(self, table: dict[str, Any]) -> None:
        # ListTables and the data plane of moto need no more than this.
        found = self._backend().tables.get(table["name"])
        if found is not None:
            found.billing_mode = table["billing"]

    # -- for Application Auto Scaling

    def capacity(self, name: str, index: str | None, dimension: str) -> int:
        """`dimension` is read or write."""
        table = self.table(name)
        owner = table["indexes"][index] if index else table
        return int(owner[dimension])

    def set_capacity(self, name: str, index: str | None, dimension: str, units: int) -> None:
        """What Application Auto Scaling does; refused like any other UpdateTable."""
        table = self.table(name)
        owner = table["indexes"][index] if index else table
        wanted = {"read": owner["read"], "write": owner["write"], dimension: units}
        throughput = {
            "ReadCapacityUnits": wanted["read"],
            "WriteCapacityUnits": wanted["write"],
        }
        params: dict[str, Any] = {"TableName": name}
        if index:
            update = {"IndexName": index, "ProvisionedThroughput": throughput}
            params["GlobalSecondaryIndexUpdates"] = [{"Update": update}]
        else:
            params["ProvisionedThroughput"] = throughput
        self.update_table(params)

    def settled(self, name: str) -> bool:
        table = self.table(name)
        return table["status"] == "ACTIVE" and all(
            i["status"] == "ACTIVE" for i in table["indexes"].values()
        )

    # -- for tests

    def consume_decreases(self, name: str, count: int, last: float) -> None:
        """Makes decreases of today look spent, for the table and its indexes."""
        table = self.table(name)
        for owner in [table, *table["indexes"].values()]:
            owner["decreases"] = count
            owner["last_decrease"] = last


def _epoch(moment: datetime) -> float:
    """moto keeps naive times in UTC; the wire wants seconds."""
    return round(moment.replace(tzinfo=UTC).timestamp(), 3)


def _units(units: dict[str, Any], on_demand: bool) -> dict[str, Any]:
    return {
        "read": 0 if on_demand else int(units.get("ReadCapacityUnits", 0)),
        "write": 0 if on_demand else int(units.get("WriteCapacityUnits", 0)),
        "decreases": 0,
        "last_decrease": None,
        "last_increase": None,
    }


def _throughput(owner: dict[str, Any]) -> dict[str, Any]:
    text: dict[str, Any] = {
        "NumberOfDecreasesToday": Budget.used_today(owner),
        "ReadCapacityUnits": owner["read"],
        "WriteCapacityUnits": owner["write"],
    }
    if owner["last_decrease"] is not None:
        text["LastDecreaseDateTime"] = owner["last_decrease"]
    if owner["last_increase"] is not None:
        text["LastIncreaseDateTime"] = owner["last_increase"]
    return text


def _is_throughput(params: dict[str, Any]) -> bool:
    """Whether an UpdateTable is about capacity; the rest is moto's."""
    updates = params.get("GlobalSecondaryIndexUpdates") or []
    if any("Create" in u or "Delete" in u for u in updates):
        return False
    return bool(THROUGHPUT_KEYS & set(params)) or set(params) == {"TableName"}


def _remakes(params: dict[str, Any]) -> bool:
    return "GlobalSecondaryIndexUpdates" in params
