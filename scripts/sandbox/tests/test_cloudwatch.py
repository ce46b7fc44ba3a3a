"""Metrics over every protocol: exact dimensions, rounding, order, pages, percentiles."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

import boto3
import cbor2
import pytest
from botocore.exceptions import ClientError
from conftest import eventually

LAMBDA = {"FunctionName": "f"}
NOW = int(time.time()) // 60 * 60


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def point(minute, values, metric="Duration", dimensions=LAMBDA, **more):
    return {
        "namespace": "AWS/Lambda",
        "metric": metric,
        "dimensions": dimensions,
        "unit": "Milliseconds",
        "minute": minute,
        "sum": sum(values),
        "min": min(values),
        "max": max(values),
        "count": len(values),
        "values": values,
        "counts": [1] * len(values),
        **more,
    }


def query(stat, dimensions=LAMBDA, period=60, id="m", metric="Duration", **more):
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
                **more,
            },
            "Period": period,
            "Stat": stat,
        },
    }


def values(client, *queries, start=NOW - 600, end=NOW + 60, **more):
    answer = client.get_metric_data(
        MetricDataQueries=list(queries), StartTime=at(start), EndTime=at(end), **more
    )
    return answer["MetricDataResults"][0]["Values"]


@pytest.fixture
def client(process):
    process.reset("empty")
    points = [point(NOW - 120, [1.0, 2.0, 3.0]), point(NOW - 60, [10.0])]
    process.control("POST", "metrics", {"points": points})
    process.control("POST", "metrics", {"points": [point(NOW - 120, [100.0])]})
    return process.client("cloudwatch")


def test_increments_merge_into_their_minute_and_the_newest_comes_first(client):
    assert values(client, query("Sum")) == [10.0, 106.0]
    assert values(client, query("SampleCount")) == [1.0, 4.0]
    assert values(client, query("Minimum"), ScanBy="TimestampAscending") == [1.0, 10.0]
    assert values(client, query("Maximum")) == [10.0, 100.0]
    assert values(client, query("Average")) == [10.0, 26.5]


def test_percentiles_come_from_the_values(client):
    assert values(client, query("p50")) == [10.0, 2.0]
    assert values(client, query("p99.9")) == [10.0, 100.0]
    assert values(client, query("p75", period=600)) == [10.0]


def test_a_percentile_of_bare_statistics_has_no_value(process, client):
    bare = point(NOW - 180, [1.0, 5.0], metric="Bare")
    bare |= {"values": [], "counts": []}
    process.control("POST", "metrics", {"points": [bare]})
    assert values(client, query("p95", metric="Bare")) == []
    assert values(client, query("Maximum", metric="Bare")) == [5.0]


def test_dimensions_and_namespace_must_match_exactly(client):
    assert values(client, query("Sum", dimensions={})) == []
    assert values(client, query("Sum", dimensions={**LAMBDA, "Resource": "f:x"})) == []
    assert values(client, query("Sum", Namespace="AWS/Else")) == []


def test_the_start_is_rounded_down_and_the_end_is_exclusive(client):
    assert values(client, query("Sum"), start=NOW - 120 + 59, end=NOW - 60) == [106.0]
    assert values(client, query("Sum"), start=NOW - 60, end=NOW - 59) == [10.0]


def test_an_old_start_with_a_short_period_finds_nothing(client):
    assert values(client, query("Sum"), start=NOW - 16 * 86400) == []


def test_pages_are_continued_by_id(client):
    first = client.get_metric_data(
        MetricDataQueries=[query("Sum"), query("Maximum", id="n")],
        StartTime=at(NOW - 600),
        EndTime=at(NOW),
        MaxDatapoints=1,
    )
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[query("Sum"), query("Maximum", id="n")],
        StartTime=at(NOW - 600),
        EndTime=at(NOW),
        PaginationConfig={"PageSize": 1},
    )
    merged = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            merged.setdefault(result["Id"], []).extend(result["Values"])
    assert merged == {"m": [10.0, 106.0], "n": [10.0, 100.0]}


def test_expressions_calculate(client):
    ratio = {"Id": "r", "Expression": "100 * m / FILL(n, 0)"}
    hidden = [
        {**query("Sum"), "ReturnData": False},
        {**query("Maximum", id="n"), "ReturnData": False},
    ]
    assert values(client, ratio, *hidden) == [100.0, 106.0]


def test_a_wrong_statistic_is_refused_with_the_old_code(client):
    with pytest.raises(ClientError) as refused:
        values(client, query("Medium"))
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_list_metrics_filters(client):
    found = client.list_metrics(Namespace="AWS/Lambda")["Metrics"]
    assert [m["MetricName"] for m in found] == ["Duration"]
    assert client.list_metrics(Dimensions=[{"Name": "Other"}])["Metrics"] == []


def test_aws_namespaces_cannot_be_published_to(client):
    with pytest.raises(ClientError):
        client.put_metric_data(Namespace="AWS/Lambda", MetricData=[{"MetricName": "x", "Value": 1}])
    client.put_metric_data(
        Namespace="tidegate", MetricData=[{"MetricName": "x", "Value": 1, "Unit": "Count"}]
    )
    assert client.list_metrics(Namespace="tidegate")["Metrics"]


def test_alarms_start_without_data_and_can_be_deleted(client):
    client.put_metric_alarm(
        AlarmName="a",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    alarm = client.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    client.delete_alarms(AlarmNames=["a"])
    assert client.describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(("threshold", "state"), [(5, "ALARM"), (500, "OK")])
def test_an_alarm_turns_with_its_metric(process, threshold, state):
    process.reset("empty", pace=100)
    client = process.client("cloudwatch")
    minute = int(time.time()) // 60 * 60
    points = [point(minute - 60 * n, [10.0]) for n in range(3)]
    process.control("POST", "metrics", {"points": points})
    client.put_metric_alarm(
        AlarmName="a",
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=[{"Name": "FunctionName", "Value": "f"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=2,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
    )
    eventually(lambda: client.describe_alarms(StateValue=state)["MetricAlarms"])


def test_a_bare_cbor_request_gets_bare_cbor(process, client):
    body = {
        "MetricDataQueries": [query("Sum")],
        "StartTime": cbor2.CBORTag(1, NOW - 600),
        "EndTime": cbor2.CBORTag(1, float(NOW)),
        "ScanBy": "TimestampAscending",
    }
    path = "/service/GraniteServiceVersion20100801/operation/GetMetricData"
    request = urllib.request.Request(
        process.ready["endpoint"] + path,
        cbor2.dumps(body),
        {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
        result = cbor2.load(answer)["MetricDataResults"][0]
    assert result["Values"] == [106.0, 10.0]
    assert all(isinstance(value, float) for value in result["Values"])


def test_a_bare_cbor_refusal_carries_both_codes(process, client):
    path = "/service/GraniteServiceVersion20100801/operation/GetMetricData"
    request = urllib.request.Request(
        process.ready["endpoint"] + path, cbor2.dumps({"MetricDataQueries": []})
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.headers["x-amzn-query-error"] == "MissingParameter;Sender"
    assert cbor2.load(refused.value)["__type"].endswith("#MissingRequiredParameterException")


@pytest.mark.parametrize("protocol", ["query", "json", "smithy-rpc-v2-cbor"])
def test_every_protocol_is_answered(process, client, protocol):
    session = boto3.Session(region_name=process.region)
    model = session._session.get_component("data_loader")
    description = dict(model.load_service_model("cloudwatch", "service-2"))
    description["metadata"] = {**description["metadata"], "protocol": protocol}
    description["metadata"].pop("protocols")
    original = model.load_service_model
    model.load_service_model = lambda name, kind, **rest: (
        description if (name, kind) == ("cloudwatch", "service-2") else original(name, kind, **rest)
    )
    old = session.client(
        "cloudwatch",
        endpoint_url=process.ready["endpoint"],
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )
    assert values(old, query("Sum")) == [10.0, 106.0]
    with pytest.raises(ClientError) as refused:
        values(old, query("Medium"))
    assert "Validation" in refused.value.response["Error"]["Code"]
