"""The rationing of decreases: four in a UTC day, then one an hour after the last.

The table and each index have a budget of their own; one call that lowers several
is refused whole when any is spent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .message import AwsError

if TYPE_CHECKING:
    from .throughput import Change

FREE_PER_DAY = 4
HOUR = 3600.0


class Budget:
    @staticmethod
    def used_today(owner: dict[str, Any]) -> int:
        last = owner["last_decrease"]
        if last is None or _day(last) != _day(_now()):
            return 0
        return int(owner["decreases"])

    @staticmethod
    def spend(table: dict[str, Any], change: Change, now: float) -> None:
        """Refuses the whole change when one of its decreases is not allowed."""
        for owner in change.lowered(table):
            used = Budget.used_today(owner)
            last = owner["last_decrease"]
            if used < FREE_PER_DAY or now - last >= HOUR:
                continue
            allowed = min(last + HOUR, _midnight_after(now))
            raise AwsError(
                "LimitExceededException",
                "Subscriber limit exceeded: Provisioned throughput decreases are limited within "
                f"a given UTC day. After the first {FREE_PER_DAY} decreases, each subsequent "
                "decrease in the same UTC day can be performed at most once every 3600 seconds. "
                f"Number of decreases today: {used}. Last decrease at {_human(last)}. "
                f"Next decrease can be made at {_human(allowed)}",
            )


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _day(moment: float) -> Any:
    return datetime.fromtimestamp(moment, UTC).date()


def _midnight_after(moment: float) -> float:
    day = datetime.fromtimestamp(moment, UTC) + timedelta(days=1)
    return day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _human(moment: float) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return at.strftime("%A, %B %-d, %Y at %-I:%M:%S %p Coordinated Universal Time")
