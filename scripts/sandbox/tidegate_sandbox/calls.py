"""The log of AWS calls: every one, in order of arrival, faulted ones too."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from .wire import Call


class CallLog:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[dict[str, Any]] = []

    def arrive(self, call: Call) -> dict[str, Any]:
        """Enters a call; the caller completes the entry when it is answered."""
        entry: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": call.service,
            "operation": call.operation,
            "resource": call.resource,
            "region": call.region,
            "status": None,
            "error": None,
            "fault": None,
            "mutating": call.mutating,
            "user_agent": call.request.headers.get("user-agent", ""),
        }
        with self._lock:
            entry["n"] = len(self._calls) + 1
            self._calls.append(entry)
        return entry

    def since(self, n: int) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(entry) for entry in self._calls[n:]]

    def clear(self) -> None:
        with self._lock:
            self._calls = []
