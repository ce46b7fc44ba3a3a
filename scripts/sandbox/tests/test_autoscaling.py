"""Application Auto Scaling: clamping, partial updates, identity, deregistering, tracking."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError
from conftest import eventually

FEEDBACK = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/hcg-demo-user-feedback",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
}
CONVERSATIONS = {**FEEDBACK, "ResourceId": "table/hcg-demo-conversations"}
SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": True,
}


def refused(call, **params):
    with pytest.raises(ClientError) as problem:
        call(**params)
    return problem.value.response["Error"]


def target(client):
    return client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"][0]


def writes(sandbox, table="hcg-demo-user-feedback"):
    return sandbox.control("GET", "settings")["tables"][table]["write"]


def activities(client, **params):
    return client.describe_scaling_activities(ServiceNamespace="dynamodb", **params)[
        "ScalingActivities"
    ]


def put_policy(client, identity, name="p", value=70.0):
    return client.put_scaling_policy(
        **identity,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": value,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "DynamoDBWriteCapacityUtilization"
            },
        },
    )


@pytest.fixture
def client(hcg):
    return hcg.client("application-autoscaling")


def test_registering_clamps_later_as_an_activity(hcg, client):
    client.register_scalable_target(**FEEDBACK, MinCapacity=8)
    first = activities(client)[0]
    assert first["Description"] == "Setting write capacity units to 8."
    eventually(lambda: activities(client)[0]["StatusCode"] == "Successful")
    assert writes(hcg) == 8


def test_a_partial_update_keeps_the_rest(client):
    client.register_scalable_target(**FEEDBACK, SuspendedState={"DynamicScalingInSuspended": True})
    now = target(client)
    assert (now["MinCapacity"], now["MaxCapacity"]) == (2, 10)
    assert now["SuspendedState"] == {**SUSPENDED, "DynamicScalingInSuspended": True}


def test_nonsense_is_refused(hcg, client):
    register = client.register_scalable_target
    assert refused(register, **FEEDBACK, MinCapacity=11)["Code"] == "ValidationException"
    assert refused(register, **CONVERSATIONS, MinCapacity=1)["Code"] == "ValidationException"
    missing = {**FEEDBACK, "ResourceId": "table/nobody"}
    error = refused(register, **missing, MinCapacity=1, MaxCapacity=2)
    assert "does not exist" in error["Message"]
    service = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/a/b",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    error = refused(register, **service, MinCapacity=1, MaxCapacity=2)
    assert "ECS service doesn't exist" in error["Message"]
    hcg.client("dynamodb").update_table(
        TableName="hcg-demo-conversations", BillingMode="PAY_PER_REQUEST"
    )
    eventually(lambda: writes(hcg, "hcg-demo-conversations") == 0)
    error = refused(register, **CONVERSATIONS, MinCapacity=1, MaxCapacity=2)
    assert error["Code"] == "ValidationException"


def test_an_unregistered_target_is_an_object_not_found(client):
    for call in (client.deregister_scalable_target,):
        assert refused(call, **CONVERSATIONS)["Code"] == "ObjectNotFoundException"
    error = refused(client.delete_scaling_policy, **FEEDBACK, PolicyName="nobody")
    assert error["Code"] == "ObjectNotFoundException"
    with pytest.raises(client.exceptions.ObjectNotFoundException):
        put_policy(client, CONVERSATIONS)


def test_a_policy_put_again_keeps_its_identity_and_its_alarms(hcg, client):
    before = client.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"][0]
    assert len(before["Alarms"]) == 4
    again = put_policy(client, FEEDBACK, "feedback-writes", 60.0)
    assert again["PolicyARN"] == before["PolicyARN"]
    assert again["Alarms"] == before["Alarms"]
    assert len(hcg.client("cloudwatch").describe_alarms()["MetricAlarms"]) == 4


def test_deregistering_takes_policies_actions_and_alarms_along(hcg, client):
    client.deregister_scalable_target(**FEEDBACK)
    left = hcg.control("GET", "snapshot")
    for kind in ("scalable_targets", "policies", "scheduled_actions"):
        assert left[kind] == {}
    assert left["alarms"] == []
    assert refused(client.deregister_scalable_target, **FEEDBACK)["Code"] == (
        "ObjectNotFoundException"
    )


def test_a_round_trip_restores_the_snapshot(hcg, client):
    before = hcg.control("GET", "snapshot")
    client.register_scalable_target(**CONVERSATIONS, MinCapacity=5, MaxCapacity=100)
    put_policy(client, CONVERSATIONS)
    assert hcg.control("GET", "snapshot") != before
    client.deregister_scalable_target(**CONVERSATIONS)
    assert hcg.control("GET", "snapshot") == before


def test_an_action_put_again_loses_the_times_it_does_not_name(client):
    action = {**FEEDBACK, "ScheduledActionName": "nightly"}
    client.put_scheduled_action(**action, StartTime="2030-01-01T00:00:00Z")
    found = client.describe_scheduled_actions(ServiceNamespace="dynamodb")["ScheduledActions"][0]
    assert found["StartTime"].year == 2030
    assert (found["Schedule"], found["Timezone"]) == ("cron(0 20 * * ? *)", "Asia/Singapore")
    client.put_scheduled_action(**action, Schedule="rate(1 day)")
    found = client.describe_scheduled_actions(ServiceNamespace="dynamodb")["ScheduledActions"][0]
    assert "StartTime" not in found


def test_tags_belong_to_the_target(client):
    arn = target(client)["ScalableTargetARN"]
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {}
    client.tag_resource(ResourceARN=arn, Tags={"a": "b"})
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "b"}
    error = refused(client.list_tags_for_resource, ResourceARN=arn + "x")
    assert error["Code"] == "ResourceNotFoundException"


def test_an_ordered_move_is_an_activity_with_its_cause(hcg, client):
    order = {
        "namespace": "dynamodb",
        "resource_id": FEEDBACK["ResourceId"],
        "dimension": FEEDBACK["ScalableDimension"],
        "capacity": 9,
        "cause": "a test said so",
    }
    hcg.control("POST", "autoscale", order)
    eventually(lambda: writes(hcg) == 9)
    assert activities(client)[0]["Cause"] == "a test said so"


def test_a_move_without_budget_fails_with_the_reason(hcg, client):
    body = {"table": "hcg-demo-user-feedback", "count": 4, "last": "now"}
    hcg.control("POST", "consume-decreases", body)
    client.register_scalable_target(**FEEDBACK, MinCapacity=1, MaxCapacity=2)
    eventually(lambda: activities(client)[0]["StatusCode"] == "Failed")
    assert "Failed to set write capacity units to 2" in activities(client)[0]["StatusMessage"]
    assert writes(hcg) == 5


def consume(sandbox, units):
    minute = int(time.time()) // 60 * 60
    point = {
        "namespace": "AWS/DynamoDB",
        "metric": "ConsumedWriteCapacityUnits",
        "dimensions": {"TableName": "hcg-demo-user-feedback"},
        "unit": "Count",
        "minute": minute,
        "sum": units,
        "min": 1.0,
        "max": 1.0,
        "count": units,
    }
    sandbox.control("POST", "metrics", {"points": [point]})


def test_target_tracking_scales_out_up_to_the_maximum(process):
    process.reset("hcg-demo", pace=200)  # An evaluation minute lasts 0.3 s.
    client = process.client("application-autoscaling")

    def scaled():
        consume(process, 3.0)
        return writes(process) == 10

    eventually(scaled)
    done = eventually(lambda: [a for a in activities(client) if a["StatusCode"] == "Successful"])
    assert "triggered policy feedback-writes" in done[0]["Cause"]


def test_suspended_scaling_does_not_move(process):
    process.reset("hcg-demo", pace=600)  # An evaluation minute lasts 0.1 s.
    client = process.client("application-autoscaling")
    client.register_scalable_target(**FEEDBACK, SuspendedState={"DynamicScalingOutSuspended": True})
    alarms = process.client("cloudwatch")

    def ringing():
        consume(process, 10.0)
        return alarms.describe_alarms(StateValue="ALARM")["MetricAlarms"]

    eventually(ringing)
    assert writes(process) == 5
    assert activities(client) == []
