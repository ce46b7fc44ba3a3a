"""Time in the sandbox: what happens later, and how much sooner under a pace.

Jobs run under the lock of the world, in order of their due time. Nothing here
knows what a job does.
"""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable


class Clock:
    """A heap of due jobs and the thread that runs them."""

    def __init__(self, pace: float, lock: threading.RLock):
        self.pace = max(pace, 0.001)
        self._lock = lock
        self._jobs: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    def after(self, seconds: float, job: Callable[[], None]) -> None:
        """Runs a job after a waiting time of AWS, shortened by the pace."""
        self.after_real(seconds / self.pace, job)

    def after_real(self, seconds: float, job: Callable[[], None]) -> None:
        """Runs a job after a time the pace does not touch."""
        with self._wake:
            heapq.heappush(self._jobs, (time.monotonic() + seconds, next(self._order), job))
            self._wake.notify()

    def clear(self) -> None:
        with self._wake:
            self._jobs.clear()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._jobs:
                    self._wake.wait()
                wait = self._jobs[0][0] - time.monotonic()
                if wait > 0:
                    self._wake.wait(wait)
                    continue
            with self._lock:
                job = self._take()
                if job:
                    self._guarded(job)

    def _take(self) -> Callable[[], None] | None:
        # Taken again under both locks: a reset in between must win.
        with self._wake:
            if self._jobs and self._jobs[0][0] <= time.monotonic():
                return heapq.heappop(self._jobs)[2]
        return None

    @staticmethod
    def _guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:  # One broken job must not stop the clock.
            traceback.print_exc(file=sys.stderr)
