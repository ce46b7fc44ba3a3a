"""What an UpdateTable asks of a table's capacity, checked as AWS checks it.

Pure: from a table's state and a request to a change, or to a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .message import AwsError

THROUGHPUT_KEYS = {
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexUpdates",
    "OnDemandThroughput",
}
ON_DEMAND = "PAY_PER_REQUEST"
Units = tuple[int, int]


@dataclass
class Change:
    """A checked change; units are (read, write)."""

    billing: str | None = None
    units: Units | None = None
    index_units: dict[str, Units] = field(default_factory=dict)
    on_demand_throughput: dict[str, int] | None = None
    repeats_on_demand: bool = False

    @property
    def touches_table(self) -> bool:
        return self.units is not None or self.billing is not None

    @property
    def takes_time(self) -> bool:
        return self.touches_table or bool(self.index_units)

    @property
    def kind(self) -> str:
        if self.billing:
            return "to-on-demand" if self.billing == ON_DEMAND else "to-provisioned"
        return "throughput"

    def owners(self, table: dict[str, Any]) -> list[tuple[dict[str, Any], Units]]:
        pairs = [(table["indexes"][name], units) for name, units in self.index_units.items()]
        return ([(table, self.units)] if self.units else []) + pairs

    def lowered(self, table: dict[str, Any]) -> list[dict[str, Any]]:
        if self.billing:
            return []
        return [
            owner
            for owner, (read, write) in self.owners(table)
            if read < owner["read"] or write < owner["write"]
        ]

    def take_effect(self, table: dict[str, Any], accepted: float) -> None:
        from .decreases import Budget

        if self.billing == ON_DEMAND:
            table["on_demand_since"] = accepted
            for owner in [table, *table["indexes"].values()]:
                owner["read"] = owner["write"] = 0
        lowered = self.lowered(table)
        for owner, (read, write) in self.owners(table):
            if any(owner is one for one in lowered):
                owner["decreases"] = Budget.used_today(owner) + 1
                owner["last_decrease"] = accepted
            if read > owner["read"] or write > owner["write"]:
                owner["last_increase"] = accepted
            owner["read"], owner["write"] = read, write
        table["billing"] = self.billing or table["billing"]
        if table["billing"] != ON_DEMAND:
            table["on_demand_throughput"] = {}

    def merge_on_demand(self, table: dict[str, Any]) -> None:
        merged = {**table["on_demand_throughput"], **(self.on_demand_throughput or {})}
        table["on_demand_throughput"] = {k: v for k, v in merged.items() if v != -1}


def plan(table: dict[str, Any], params: dict[str, Any]) -> Change:
    """The change a request asks for, or the refusal of AWS."""
    if not THROUGHPUT_KEYS & set(params):
        raise _invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
            "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
        )
    change = Change(
        units=_read_units(params.get("ProvisionedThroughput")),
        index_units=_read_indexes(table, params),
        on_demand_throughput=params.get("OnDemandThroughput"),
    )
    _plan_billing(table, change, params.get("BillingMode"))
    if not change.billing:
        _refuse_unchanged(table, change)
    return change


def _plan_billing(table: dict[str, Any], change: Change, wanted: str | None) -> None:
    mode = wanted or table["billing"]
    if mode == ON_DEMAND and (change.units or change.index_units):
        raise _invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
            "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
        )
    if mode != ON_DEMAND and change.on_demand_throughput is not None:
        raise _invalid(
            "One or more parameter values were invalid: OnDemandThroughput can only be specified "
            "when BillingMode is PAY_PER_REQUEST"
        )
    if wanted is None:
        return
    if wanted == table["billing"]:
        if wanted == ON_DEMAND:
            change.repeats_on_demand = change.on_demand_throughput is None
        elif not change.units and not change.index_units:
            raise _invalid(
                "One or more parameter values were invalid: ProvisionedThroughput must be "
                "specified when BillingMode is PROVISIONED"
            )
        return
    if wanted != ON_DEMAND:
        _refuse_missing_units(table, change)
    change.billing = wanted


def _refuse_missing_units(table: dict[str, Any], change: Change) -> None:
    if not change.units:
        raise _invalid(
            "One or more parameter values were invalid: ProvisionedThroughput must be specified "
            "when BillingMode is PROVISIONED"
        )
    missing = [name for name in table["indexes"] if name not in change.index_units]
    if missing:
        raise _invalid(
            "One or more parameter values were invalid: ProvisionedThroughput must be specified "
            f"for index: {','.join(missing)}"
        )


def _read_units(given: dict[str, Any] | None) -> Units | None:
    if given is None:
        return None
    for key in ("ReadCapacityUnits", "WriteCapacityUnits"):
        name = f"provisionedThroughput.{key[0].lower()}{key[1:]}"
        if given.get(key) is None:
            raise _invalid(
                f"1 validation error detected: Value null at '{name}' failed to satisfy "
                "constraint: Member must not be null"
            )
        if given[key] < 1:
            raise _invalid(
                f"1 validation error detected: Value '{given[key]}' at '{name}' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1"
            )
    return int(given["ReadCapacityUnits"]), int(given["WriteCapacityUnits"])


def _read_indexes(table: dict[str, Any], params: dict[str, Any]) -> dict[str, Units]:
    wanted = {}
    for update in params.get("GlobalSecondaryIndexUpdates") or []:
        name = update["Update"]["IndexName"]
        if name not in table["indexes"]:
            raise AwsError(
                "ResourceNotFoundException",
                f"Requested resource not found: Index: {name} not found",
            )
        units = _read_units(update["Update"].get("ProvisionedThroughput"))
        if units:
            wanted[name] = units
    return wanted


def _refuse_unchanged(table: dict[str, Any], change: Change) -> None:
    labels = {id(i): f"the index {name}" for name, i in table["indexes"].items()}
    for owner, (read, write) in change.owners(table):
        if (owner["read"], owner["write"]) != (read, write):
            continue
        label = labels.get(id(owner), "the table")
        raise _invalid(
            f"The provisioned throughput for {label} will not change. The requested value equals "
            f"the current value. Current ReadCapacityUnits provisioned for {label}: {read}. "
            f"Requested ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for "
            f"{label}: {write}. Requested WriteCapacityUnits: {write}. Refer to the Amazon "
            "DynamoDB Developer Guide for current limits and how to request higher limits."
        )


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
