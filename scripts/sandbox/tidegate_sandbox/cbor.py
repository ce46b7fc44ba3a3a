"""CBOR as Smithy RPC v2 wants it: definite maps, 64-bit floats, tag 1 for times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import cbor2

from .message import Time

EPOCH_TAG = 1


def load(body: bytes) -> dict[str, Any]:
    """A request body; an empty one is an empty input."""
    return _inward(cbor2.loads(body)) if body else {}


def dump(value: Any) -> bytes:
    return cbor2.dumps(_outward(value if value is not None else {}))


def _inward(value: Any) -> Any:
    if isinstance(value, datetime):
        return Time(value.timestamp())
    if isinstance(value, dict):
        return {k: _inward(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_inward(v) for v in value]
    return value


def _outward(value: Any) -> Any:
    if isinstance(value, Time):
        # Whole seconds travel as integers, like the service writes them.
        whole = int(value)
        return cbor2.CBORTag(EPOCH_TAG, whole if whole == value else float(value))
    if isinstance(value, dict):
        return {k: _outward(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_outward(v) for v in value]
    return value
