"""The evaluation of metric alarms that a caller made.

Alarms of target tracking turn with the decisions of `tracking`; they are left
alone here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .metrics import Datum, key_of

if TYPE_CHECKING:
    from .world import World

EVERY_SECONDS = 10.0
BREACHES = {
    "GreaterThanThreshold": lambda value, limit: value > limit,
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
    "LessThanThreshold": lambda value, limit: value < limit,
    "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
}


class Alarms:
    def __init__(self, world: World):
        self.world = world

    def start(self) -> None:
        self.world.clock.after(EVERY_SECONDS, self._round)

    def _round(self) -> None:
        self.start()
        for name, alarm in list(self.world.cloudwatch.state["alarms"].items()):
            if name.startswith("TargetTracking-") or "MetricName" not in alarm:
                continue
            state = self.judge(alarm, time.time())
            if state is not None:
                self.world.cloudwatch.turn(name, state, "Threshold Crossed")

    def judge(self, alarm: dict[str, Any], now: float) -> str | None:
        """The state an alarm ought to have, or None to leave it as it is."""
        breaches = [self._breach(alarm, datum) for datum in self._periods(alarm, now)]
        known = [b for b in breaches if b is not None]
        missing = alarm.get("TreatMissingData", "missing")
        if not known and missing == "ignore":
            return None
        if not known and missing == "missing":
            return "INSUFFICIENT_DATA"
        if missing == "breaching":
            known += [True] * (len(breaches) - len(known))
        needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
        return "ALARM" if sum(known) >= needed else "OK"

    def _periods(self, alarm: dict[str, Any], now: float) -> list[Datum | None]:
        """The newest periods, the one under way among them when it has data."""
        period, count = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
        current = int(now) // period * period
        start = current - count * period
        dimensions = {d["Name"]: d["Value"] for d in alarm["Dimensions"]}
        key = key_of(alarm["Namespace"], alarm["MetricName"], dimensions)
        end = current + period
        found = dict(self.world.metrics.query(key, start, end, period, alarm.get("Unit")))
        first = start + period if current in found else start
        return [found.get(first + n * period) for n in range(count)]

    @staticmethod
    def _breach(alarm: dict[str, Any], datum: Datum | None) -> bool | None:
        if datum is None:
            return None
        value = datum.statistic(alarm.get("Statistic") or alarm["ExtendedStatistic"])
        compare = BREACHES.get(alarm["ComparisonOperator"])
        if value is None or compare is None:
            return None
        return bool(compare(value, alarm["Threshold"]))
