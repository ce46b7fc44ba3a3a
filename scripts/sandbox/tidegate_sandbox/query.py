"""The XML query protocol of CloudWatch, for old clients.

Guided by botocore's model; the service itself prefers CBOR now.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from .message import Time

NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/"


@lru_cache(maxsize=1)
def _model() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("cloudwatch", "service-2"), "cloudwatch")


def parse(operation: str, form: dict[str, str]) -> dict[str, Any]:
    """The flat form of a request as the structure the model describes."""
    if operation not in _model().operation_names:
        return dict(form)
    shape = _model().operation_model(operation).input_shape
    return _parse(shape, form, "") or {} if shape else {}


def _parse(shape: Any, form: dict[str, str], prefix: str) -> Any:
    if shape.type_name == "structure":
        members = {
            name: _parse(member, form, f"{prefix}.{name}" if prefix else name)
            for name, member in shape.members.items()
        }
        return {k: v for k, v in members.items() if v is not None} or None
    if shape.type_name == "list":
        items: list[Any] = []
        while True:
            item = _parse(shape.member, form, f"{prefix}.member.{len(items) + 1}")
            if item is None:
                return items or None
            items.append(item)
    text = form.get(prefix)
    return None if text is None else _scalar(shape.type_name, text)


def _scalar(kind: str, text: str) -> Any:
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return text.lower() == "true"
    if kind == "timestamp":
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return Time((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return text


def render(operation: str, result: Any) -> bytes:
    inner = _render(result or {})
    return (
        f'<{operation}Response xmlns="{NAMESPACE}"><{operation}Result>{inner}</{operation}Result>'
        f"<ResponseMetadata><RequestId>sandbox</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def _render(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{k}>{_render(v)}</{k}>" for k, v in value.items() if v is not None)
    if isinstance(value, (list, tuple)):
        return "".join(f"<member>{_render(v)}</member>" for v in value)
    if isinstance(value, Time):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
