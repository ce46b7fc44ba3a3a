"""First calls made before anybody waits for them.

moto loads a service at its first request; a test must not mistake that for AWS.
"""

from __future__ import annotations

from .gateway import Gateway
from .message import Request
from .world import World

QUERY = "application/x-www-form-urlencoded"
COMMON = [("POST", "/", "sts", QUERY, b"Action=GetCallerIdentity&Version=2011-06-15")]
REQUESTS = {
    "hcg-demo": [
        ("GET", "/2015-03-31/functions", "lambda", "", b""),
        ("GET", "/restapis", "apigateway", "", b""),
    ],
    "ecs-chatbot": [
        (
            "POST",
            "/",
            "elasticloadbalancing",
            QUERY,
            b"Action=DescribeLoadBalancers&Version=2015-12-01",
        )
    ],
}


def warm_up(world: World, gateway: Gateway) -> None:
    """Makes the calls a client begins with; they are not left in the log."""
    for method, path, service, content, body in COMMON + REQUESTS.get(world.system, []):
        scope = f"sandbox/20260101/{world.region}/{service}/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        headers = {"authorization": authorization, "host": "127.0.0.1", "content-type": content}
        gateway.serve(Request(method, path, headers, body))
    gateway.log.clear()
