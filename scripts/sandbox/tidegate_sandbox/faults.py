"""Faults that a test orders, and calls that are held until the test lets them go.

Decides whether a call is faulted and how; the gateway carries it out. Knows
nothing of services.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from .wire import Call

KINDS = {
    "error",
    "delay",
    "drop",
    "apply-drop",
    "late",
    "stale",
    "hold-before",
    "hold-after",
}


@dataclass
class Fault:
    """One order, and how often it was matched and used."""

    operation: str
    kind: str
    service: str | None = None
    resource: str | None = None
    nth: int | None = None
    times: int | None = None
    code: str = "InternalServerError"
    status: int = 400
    message: str = "ordered by a test"
    delay_ms: float = 0.0
    seen: int = 0
    used: int = 0

    @staticmethod
    def parse(spec: dict[str, Any]) -> Fault:
        kind = spec.get("kind")
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {kind!r}; one of {sorted(KINDS)}")
        unknown = set(spec) - set(Fault.__dataclass_fields__)
        if unknown:
            raise ValueError(f"unknown keys of a fault: {sorted(unknown)}")
        given = {k: v for k, v in spec.items() if v is not None}
        return Fault(**{"operation": "*", **given})

    def matches(self, call: Call) -> bool:
        if self.service and self.service != call.service:
            return False
        if self.resource and self.resource != call.resource:
            return False
        if self.kind == "stale" and call.mutating:
            return False
        if self.operation == "mutating":
            return call.mutating
        return self.operation in ("*", call.operation)

    def take(self, call: Call) -> bool:
        """Counts a matching call, and says whether the fault strikes it."""
        if not self.matches(call):
            return False
        self.seen += 1
        if self.nth is not None:
            # From the nth on, once unless `times` says how often.
            struck = self.nth <= self.seen < self.nth + (self.times or 1)
        else:
            struck = self.times is None or self.used < self.times
        self.used += struck
        return struck


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def replace(self, specs: list[dict[str, Any]]) -> None:
        faults = [Fault.parse(spec) for spec in specs]
        with self._lock:
            self._faults = faults

    def clear(self) -> None:
        self.replace([])

    def strike(self, call: Call) -> Fault | None:
        """The fault of this call, if any. Every fault counts, the first one strikes."""
        with self._lock:
            struck = [fault for fault in self._faults if fault.take(call)]
        return struck[0] if struck else None


class Held:
    """Calls that wait for a release."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[int, dict[str, Any]] = {}
        self._outcomes: dict[int, str] = {}
        self._next = 1

    def wait(self, n: int, operation: str, kind: str) -> str:
        """Holds the calling thread; answers with the outcome of the release."""
        with self._changed:
            hold = self._next
            self._next += 1
            self._waiting[hold] = {"id": hold, "n": n, "operation": operation, "kind": kind}
            self._changed.notify_all()
            while hold not in self._outcomes:
                self._changed.wait()
            return self._outcomes.pop(hold)

    def list(self, seconds: float) -> list[dict[str, Any]]:
        """What is held; waits until something is, up to a number of seconds."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._waiting:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return list(self._waiting.values())

    def release(self, hold: int | None, outcome: str) -> int:
        """Lets one held call go, or all; says how many."""
        if outcome not in ("drop", "continue"):
            raise ValueError(f"unknown outcome: {outcome!r}")
        with self._changed:
            chosen = [h for h in self._waiting if hold is None or h == hold]
            for h in chosen:
                del self._waiting[h]
                self._outcomes[h] = outcome
            self._changed.notify_all()
        return len(chosen)
