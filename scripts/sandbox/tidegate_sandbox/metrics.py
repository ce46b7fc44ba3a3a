"""The store of metric data: one datum a minute for each exact set of dimensions.

Merges increments, and answers with statistics over a stretch of time. Knows
nothing of the CloudWatch API.
"""

from __future__ import annotations

import bisect
import math
import re
import threading
from dataclasses import dataclass, field
from typing import Any

MINUTE = 60
EXACT_VALUES = 4096
Dimensions = frozenset[tuple[str, str]]
Key = tuple[str, str, Dimensions]
PERCENTILE = re.compile(r"^p(\d{1,2}(?:\.\d{1,10})?|100)$")
TRIMMED = re.compile(r"^tm(\d{1,2}(?:\.\d{1,10})?|100)$")
SIMPLE = {"SampleCount", "Sum", "Average", "Minimum", "Maximum"}


@dataclass
class Datum:
    """What is known of one stretch of time."""

    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    count: float = 0.0
    values: dict[float, float] = field(default_factory=dict)

    def merge(self, other: Datum) -> None:
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.count += other.count
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count
        if len(self.values) > EXACT_VALUES:
            self._coarsen()

    def _coarsen(self) -> None:
        """Keeps a busy minute small: three digits are enough for a percentile."""
        coarse: dict[float, float] = {}
        for value, count in self.values.items():
            rounded = float(f"{value:.3g}")
            coarse[rounded] = coarse.get(rounded, 0.0) + count
        self.values = coarse

    def _distribution(self) -> dict[float, float] | None:
        """Raw values, or None when only statistics were published."""
        if self.count and math.isclose(sum(self.values.values()), self.count):
            return self.values
        if self.count and (self.low == self.high or self.count == 1):
            return {self.low: self.count}
        return None

    def statistic(self, name: str) -> float | None:
        """The statistic, or None when this datum cannot give it."""
        if name == "SampleCount":
            return float(self.count)
        if name == "Sum":
            return float(self.total)
        if name == "Minimum":
            return float(self.low)
        if name == "Maximum":
            return float(self.high)
        if name == "Average":
            return self.total / self.count if self.count else None
        values = self._distribution()
        if values is None or min(values) < 0:
            return None
        if match := PERCENTILE.match(name):
            return _percentile(values, float(match.group(1)))
        match = TRIMMED.match(name)
        return _trimmed_mean(values, float(match.group(1))) if match else None


def _percentile(values: dict[float, float], rank: float) -> float:
    """The smallest value at or below which `rank` per cent of the values lie."""
    needed = sum(values.values()) * rank / 100
    reached = 0.0
    for value in sorted(values):
        reached += values[value]
        if reached >= needed - 1e-9:
            return float(value)
    return float(max(values))


def _trimmed_mean(values: dict[float, float], rank: float) -> float:
    left = sum(values.values()) * rank / 100
    total = taken = 0.0
    for value in sorted(values):
        part = min(values[value], left - taken)
        total += value * part
        taken += part
    return total / taken if taken else 0.0


def is_statistic(name: str) -> bool:
    return name in SIMPLE or bool(PERCENTILE.match(name) or TRIMMED.match(name))


def key_of(namespace: str, metric: str, dimensions: dict[str, str]) -> Key:
    return namespace, metric, frozenset(dimensions.items())


class Series:
    """The data of one metric, in order of time."""

    def __init__(self, unit: str):
        self.unit = unit
        self.minutes: list[int] = []
        self.data: dict[int, Datum] = {}

    def merge(self, minute: int, datum: Datum) -> None:
        if minute not in self.data:
            bisect.insort(self.minutes, minute)
            self.data[minute] = Datum()
        self.data[minute].merge(datum)

    def buckets(self, start: int, end: int, period: int) -> list[tuple[int, Datum]]:
        """Non-empty stretches of one period from `start`, before `end`, oldest first."""
        found: dict[int, Datum] = {}
        first = bisect.bisect_left(self.minutes, start)
        last = bisect.bisect_left(self.minutes, end)
        for minute in self.minutes[first:last]:
            at = start + (minute - start) // period * period
            found.setdefault(at, Datum()).merge(self.data[minute])
        return sorted(found.items())


class MetricStore:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[Key, Series] = {}

    def merge(self, point: dict[str, Any]) -> None:
        """Adds one posted increment to its minute."""
        values = point.get("values") or []
        counts = point.get("counts") or [1.0] * len(values)
        datum = Datum(
            total=float(point["sum"]),
            low=float(point["min"]),
            high=float(point["max"]),
            count=float(point.get("count", 1)),
        )
        for value, count in zip(values, counts, strict=True):
            datum.values[float(value)] = datum.values.get(float(value), 0.0) + float(count)
        minute = int(point["minute"]) // MINUTE * MINUTE
        key = key_of(point["namespace"], point["metric"], point.get("dimensions") or {})
        with self._lock:
            if key not in self._series:
                self._series[key] = Series(point.get("unit") or "None")
            self._series[key].merge(minute, datum)

    def query(
        self, key: Key, start: int, end: int, period: int, unit: str | None = None
    ) -> list[tuple[int, Datum]]:
        with self._lock:
            series = self._series.get(key)
            # A wrong unit finds nothing, silently; that is how it is.
            if series is None or (unit and unit != series.unit):
                return []
            return series.buckets(start, end, period)

    def all_keys(self) -> list[Key]:
        with self._lock:
            return sorted(self._series, key=lambda k: (k[0], k[1], sorted(k[2])))

    def latest(self, key: Key) -> int | None:
        with self._lock:
            series = self._series.get(key)
            return series.minutes[-1] if series and series.minutes else None
