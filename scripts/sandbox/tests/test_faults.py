"""Faults in the shape of each protocol, and calls that are held."""

from __future__ import annotations

import threading
import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.exceptions import ConnectionError as NoConnection
from conftest import eventually

WEBHOOK = "hcg-demo-webhook-handler"
TARGET = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/hcg-demo-user-feedback",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
}


def put(client, n):
    return client.put_function_concurrency(FunctionName=WEBHOOK, ReservedConcurrentExecutions=n)


def reserved(sandbox):
    return sandbox.control("GET", "snapshot")["functions"][WEBHOOK]["reserved"]


def calls(sandbox, operation):
    found = sandbox.control("GET", "calls")["calls"]
    return [call for call in found if call["operation"] == operation]


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("lambda", "get_function_concurrency", {"FunctionName": WEBHOOK}),
        ("dynamodb", "describe_table", {"TableName": "hcg-demo-conversations"}),
        ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "ecs"}),
        ("ecs", "describe_clusters", {}),
        ("elbv2", "describe_load_balancers", {}),
        ("sts", "get_caller_identity", {}),
        ("apigateway", "get_rest_apis", {}),
        ("cloudwatch", "describe_alarms", {}),
        ("s3", "list_buckets", {}),
    ],
)
def test_every_protocol_carries_an_ordered_error(hcg, service, operation, arguments):
    hcg.fault(kind="error", code="AccessDeniedException", status=403, message="no, not you")
    with pytest.raises(ClientError) as refused:
        getattr(hcg.client(service), operation)(**arguments)
    response = refused.value.response
    assert response["Error"]["Code"] == "AccessDeniedException"
    assert response["Error"]["Message"] == "no, not you"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    call = hcg.control("GET", "calls")["calls"][-1]
    assert (call["status"], call["error"], call["fault"]) == (403, "AccessDeniedException", "error")


def test_the_nth_matching_call_is_struck_and_no_other(hcg):
    client = hcg.client("lambda")
    hcg.fault(operation="mutating", nth=2, kind="error", code="ServiceException", status=500)
    put(client, 1)
    client.get_function_concurrency(FunctionName=WEBHOOK)
    with pytest.raises(ClientError):
        put(client, 2)
    put(client, 3)
    assert reserved(hcg) == 3


def test_times_bounds_a_fault(hcg):
    client = hcg.client("lambda")
    hcg.fault(operation="PutFunctionConcurrency", times=2, kind="error", code="X")
    for _ in range(2):
        with pytest.raises(ClientError):
            put(client, 1)
    put(client, 4)
    assert reserved(hcg) == 4


@pytest.mark.parametrize(("kind", "after"), [("drop", None), ("apply-drop", 7)])
def test_a_lost_connection_applies_or_not(hcg, kind, after):
    client = hcg.client("lambda")
    hcg.fault(operation="PutFunctionConcurrency", kind=kind)
    with pytest.raises((ConnectionClosedError, NoConnection)):
        put(client, 7)
    assert reserved(hcg) == after
    assert calls(hcg, "PutFunctionConcurrency")[-1]["status"] is None


def test_a_late_call_takes_effect_after_its_answer_is_lost(hcg):
    hcg.fault(operation="PutFunctionConcurrency", kind="late", delay_ms=300)
    with pytest.raises((ConnectionClosedError, NoConnection)):
        put(hcg.client("lambda"), 7)
    assert reserved(hcg) is None
    eventually(lambda: reserved(hcg) == 7)


def test_a_delayed_call_is_applied(hcg):
    hcg.fault(operation="PutFunctionConcurrency", kind="delay", delay_ms=100)
    before = time.monotonic()
    put(hcg.client("lambda"), 7)
    assert time.monotonic() - before >= 0.1
    assert reserved(hcg) == 7


def test_a_stale_read_answers_from_before_the_last_change(hcg):
    client = hcg.client("lambda")
    put(client, 7)
    hcg.fault(operation="GetFunctionConcurrency", kind="stale", times=1)
    answers = [
        client.get_function_concurrency(FunctionName=WEBHOOK).get("ReservedConcurrentExecutions")
        for _ in range(2)
    ]
    assert answers == [None, 7]


def test_a_stale_read_of_a_scalable_target_shows_the_old_range(hcg):
    client = hcg.client("application-autoscaling")
    client.register_scalable_target(**TARGET, MinCapacity=3)
    hcg.fault(operation="DescribeScalableTargets", kind="stale", times=1)
    answers = [
        client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"][0]
        for _ in range(2)
    ]
    assert [a["MinCapacity"] for a in answers] == [2, 3]


class Background:
    """A call in a thread, and what became of it."""

    def __init__(self, act):
        self.result = None
        self.problem = None
        self._thread = threading.Thread(target=self._run, args=(act,))
        self._thread.start()

    def _run(self, act):
        try:
            self.result = act()
        except Exception as problem:
            self.problem = problem

    def join(self):
        self._thread.join(10)
        return self


def test_a_held_call_waits_unapplied_and_blocks_nobody(hcg):
    client = hcg.client("lambda")
    hcg.fault(operation="PutFunctionConcurrency", kind="hold-before")
    call = Background(lambda: put(client, 7))
    held = hcg.control("GET", "held?wait=5")["held"]
    assert [(h["operation"], h["kind"]) for h in held] == [
        ("PutFunctionConcurrency", "hold-before")
    ]
    assert reserved(hcg) is None
    assert hcg.client("sts").get_caller_identity()["Account"] == "123456789012"
    hcg.control("POST", "release", {"id": held[0]["id"], "outcome": "continue"})
    assert call.join().problem is None
    assert reserved(hcg) == 7


def test_a_held_call_can_be_dropped_unapplied(hcg):
    client = hcg.client("lambda")
    hcg.fault(operation="PutFunctionConcurrency", kind="hold-before")
    call = Background(lambda: put(client, 7))
    hcg.control("GET", "held?wait=5")
    hcg.control("POST", "release", {"id": None, "outcome": "drop"})
    assert call.join().problem is not None
    assert reserved(hcg) is None
    assert hcg.control("GET", "held")["held"] == []


def test_a_call_held_after_is_applied_already(hcg):
    client = hcg.client("lambda")
    hcg.fault(operation="PutFunctionConcurrency", kind="hold-after")
    call = Background(lambda: put(client, 7))
    hcg.control("GET", "held?wait=5")
    assert reserved(hcg) == 7
    hcg.control("POST", "release", {"id": None, "outcome": "drop"})
    assert call.join().problem is not None


def test_the_log_tells_operation_resource_and_whether_it_mutates(hcg):
    put(hcg.client("lambda", user_agent_extra="app/tidegate"), 7)
    hcg.client("application-autoscaling").register_scalable_target(**TARGET)
    first, second = hcg.control("GET", "calls")["calls"]
    assert (first["n"], first["service"], first["resource"]) == (1, "lambda", WEBHOOK)
    assert (first["mutating"], first["status"], first["error"]) == (True, 200, None)
    assert "app/tidegate" in first["user_agent"]
    assert second["resource"] == "table/hcg-demo-user-feedback"
    assert hcg.control("GET", "calls?since=1")["calls"] == [second]
    hcg.control("DELETE", "calls")
    assert hcg.control("GET", "calls")["calls"] == []
