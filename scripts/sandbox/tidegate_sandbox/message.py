"""HTTP messages as plain values, and the errors AWS answers with.

Knows nothing of sockets, of services, or of wire protocols.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Request:
    """One HTTP request, read whole. Header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    @property
    def query(self) -> str:
        return self.target.split("?", 1)[1] if "?" in self.target else ""


@dataclass
class Response:
    """One HTTP answer. ``dropped`` means: close the connection without a byte."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    dropped: bool = False
    error: str | None = None


DROPPED = Response(status=0, dropped=True, error="dropped")


class AwsError(Exception):
    """A refusal in the words of AWS, not yet in the shape of a protocol."""

    def __init__(self, code: str, message: str, status: int = 400, query_code: str | None = None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        # CloudWatch kept the error names of its first protocol beside the new ones.
        self.query_code = query_code or code


class Time(float):
    """Seconds since the epoch that are a timestamp on the wire, not a number."""
