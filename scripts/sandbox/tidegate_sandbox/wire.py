"""Reading which AWS call an HTTP request is, and writing answers in its protocol.

Owns the protocols (json, rest-json, rest-xml, query, rpc-v2-cbor). Must not know
what any operation does.
"""

from __future__ import annotations

import gzip
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from . import cbor, query
from .message import AwsError, Request, Response, Time

JSON_TARGETS = {
    "DynamoDB_20120810": "dynamodb",
    "AnyScaleFrontendService": "application-autoscaling",
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "Logs_20140328": "logs",
    "AmazonSSM": "ssm",
    "ServiceQuotasV20190624": "service-quotas",
}
SIGNING_NAMES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "apigateway": "apigateway",
    "execute-api": "execute-api",
}
REST_SERVICES = {"lambda", "apigateway", "apigatewayv2", "scheduler", "s3", "fis"}
CBOR_PATH = re.compile(r"^/service/GraniteServiceVersion20100801/operation/(\w+)$")
JSON_CONTENT = "application/x-amz-json-1.1"
READS = re.compile(
    r"^(Get|List|Describe|Head|Query$|Scan|BatchGet|TransactGet|Lookup|Filter|Search|Select|"
    r"Simulate|Validate|Check|Test)"
)
RESOURCE_KEYS = (
    "FunctionName",
    "TableName",
    "ResourceId",
    "service",
    "AlarmName",
    "DashboardName",
    "cluster",
    "restApiId",
    "RoleName",
    "Name",
    "Bucket",
)


@dataclass
class Call:
    """One AWS call, understood."""

    service: str
    operation: str
    protocol: str
    region: str
    request: Request
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def mutating(self) -> bool:
        return not READS.match(self.operation)

    @property
    def resource(self) -> str | None:
        for key in RESOURCE_KEYS:
            value = self.params.get(key)
            if isinstance(value, str):
                return value.rsplit(":", 1)[-1] if value.startswith("arn:") else value
        names = self.params.get("services") or self.params.get("ResourceIds")
        return names[0].rsplit("/", 1)[-1] if isinstance(names, list) and names else None


def read(request: Request) -> Call:
    """Understands a request, or calls it unknown."""
    if request.headers.get("content-encoding") == "gzip":
        request.body = gzip.decompress(request.body)
    signing, region = _credential_scope(request.headers.get("authorization", ""))
    match = CBOR_PATH.match(request.path)
    if match:
        params = cbor.load(request.body)
        return Call("cloudwatch", match.group(1), "cbor", region, request, params)
    target = request.headers.get("x-amz-target")
    if target:
        prefix, _, operation = target.partition(".")
        service = JSON_TARGETS.get(prefix, SIGNING_NAMES.get(signing, signing))
        params = json.loads(request.body or b"{}")
        return Call(service, operation, "json", region, request, params)
    service = SIGNING_NAMES.get(signing, signing)
    if service in REST_SERVICES:
        return _read_rest(service, region, request)
    return _read_query(service, region, request)


def _credential_scope(authorization: str) -> tuple[str, str]:
    match = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", authorization)
    return (match.group(2), match.group(1)) if match else ("unknown", "us-east-1")


def _read_query(service: str, region: str, request: Request) -> Call:
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    form = form or dict(parse_qsl(request.query, keep_blank_values=True))
    operation = form.get("Action", "Unknown")
    params: dict[str, Any] = form
    if service == "cloudwatch":
        params = query.parse(operation, form)
    return Call(service, operation, "query", region, request, params)


def _read_rest(service: str, region: str, request: Request) -> Call:
    protocol = "rest-xml" if service == "s3" else "rest-json"
    for method, pattern, literal, operation in _routes(service):
        match = pattern.match(request.path)
        if method != request.method or not match or literal not in request.query:
            continue
        params: dict[str, Any] = {k: unquote(v) for k, v in match.groupdict().items()}
        params.update(parse_qsl(request.query, keep_blank_values=True))
        body = _json_object(request.body) if protocol == "rest-json" else {}
        return Call(service, operation, protocol, region, request, {**body, **params})
    return Call(service, f"{request.method} {request.path}", protocol, region, request)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str, str]]:
    from botocore.loaders import Loader

    model = Loader().load_service_model(service, "service-2")
    routes = []
    for name, operation in model["operations"].items():
        uri, _, literal = operation["http"]["requestUri"].partition("?")
        pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", _group, re.escape(uri))
        routes.append((operation["http"]["method"], re.compile(f"^{pattern}/?$"), literal, name))
    # The most literal route wins, as in AWS: fewest placeholders, then longest.
    routes.sort(key=lambda r: (r[1].groups, -len(r[1].pattern), not r[2]))
    return routes


def _group(match: re.Match[str]) -> str:
    name = match.group(1).replace("__", "_")
    return f"(?P<{name}>.+)" if match.group(2) else f"(?P<{name}>[^/]+)"


def answer(call: Call, result: Any, status: int = 200) -> Response:
    """The result of a corrected operation in the protocol of the call."""
    if call.protocol == "cbor":
        headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return _finish(Response(status, headers, cbor.dump(result)))
    if call.protocol == "query":
        headers = {"content-type": "text/xml"}
        return _finish(Response(status, headers, query.render(call.operation, result)))
    if call.protocol == "rest-json":
        body = b"" if result is None else json.dumps(result).encode()
        return _finish(Response(status, {"content-type": "application/json"}, body))
    return _finish(Response(status, _json_headers(call), json.dumps(result or {}).encode()))


def _json_headers(call: Call) -> dict[str, str]:
    return {"content-type": call.request.headers.get("content-type", JSON_CONTENT)}


def refusal(call: Call, error: AwsError) -> Response:
    """An error in the protocol of the call."""
    side = "Receiver" if error.status >= 500 else "Sender"
    if call.protocol == "cbor":
        headers = {
            "content-type": "application/cbor",
            "smithy-protocol": "rpc-v2-cbor",
            "x-amzn-query-error": f"{error.query_code};{side}",
        }
        kind = f"com.amazonaws.cloudwatch#{error.code}"
        body = cbor.dump({"__type": kind, "message": error.message})
    elif call.protocol in ("query", "rest-xml"):
        headers = {"content-type": "text/xml"}
        body = _xml_error(call, error, side)
    elif call.protocol == "rest-json":
        headers = {"content-type": "application/json", "x-amzn-errortype": error.code}
        key = "message" if call.service == "apigateway" else "Message"
        # Both spellings are in use on AWS; SDKs take either.
        body = json.dumps({"Type": "User", key: error.message, "message": error.message}).encode()
    else:
        headers = _json_headers(call)
        kind = _json_type(call.service, error.code)
        body = json.dumps({"__type": kind, "message": error.message}).encode()
        if call.service == "cloudwatch":
            headers["x-amzn-query-error"] = f"{error.query_code};{side}"
    response = _finish(Response(error.status, headers, body))
    response.error = error.code
    return response


def _json_type(service: str, code: str) -> str:
    if service == "dynamodb":
        return f"com.amazonaws.dynamodb.v20120810#{code}"
    return code


def _xml_error(call: Call, error: AwsError, side: str) -> bytes:
    code, message = escape(error.query_code), escape(error.message)
    if call.protocol == "rest-xml":
        return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return (
        f"<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code>"
        f"<Message>{message}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    ).encode()


def _finish(response: Response) -> Response:
    response.headers.setdefault("x-amzn-requestid", str(uuid.uuid4()))
    return response


def error_code(response: Response) -> str | None:
    """The error code of an answer moto wrote, for the log of calls."""
    if response.status < 400:
        return None
    header = response.headers.get("x-amzn-errortype")
    if header:
        return header.split(":")[0]
    text = response.body.decode("utf-8", "replace")
    match = re.search(r'"__type":\s*"(?:[^"#]*#)?(\w+)"', text) or re.search(
        r"<Code>([\w.]+)</Code>", text
    )
    return match.group(1) if match else f"HTTP {response.status}"


__all__ = ["Call", "Time", "answer", "error_code", "read", "refusal"]
