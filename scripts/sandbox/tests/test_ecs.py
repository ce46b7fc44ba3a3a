"""ECS services: counts, deployments, events and failures; and the balancer."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from conftest import eventually

CLUSTER, NAME = "chatbot-staging", "chatbot-api"


def service(client):
    return client.describe_services(cluster=CLUSTER, services=[NAME])["services"][0]


def counts(text):
    return text["desiredCount"], text["runningCount"], text["pendingCount"]


def test_a_new_count_starts_tasks_and_becomes_steady(process):
    process.reset("ecs-chatbot", pace=8)
    client = process.client("ecs")
    before = service(client)
    assert counts(before) == (2, 2, 0)
    assert "has reached a steady state." in before["events"][0]["message"]
    echo = client.update_service(cluster=CLUSTER, service=NAME, desiredCount=4)["service"]
    assert counts(echo) == (4, 2, 2)
    assert process.control("GET", "settings")["services"][f"{CLUSTER}/{NAME}"] == {
        "desired": 4,
        "running": 2,
    }
    eventually(lambda: counts(service(client)) == (4, 4, 0))
    eventually(lambda: "steady state" in service(client)["events"][0]["message"])
    after = service(client)
    assert [d["id"] for d in after["deployments"]] == [d["id"] for d in before["deployments"]]
    assert "has started 2 tasks" in after["events"][1]["message"]
    client.update_service(cluster=CLUSTER, service=NAME, desiredCount=2)
    eventually(lambda: counts(service(client)) == (2, 2, 0))
    stopped = client.list_tasks(cluster=CLUSTER, serviceName=NAME, desiredStatus="STOPPED")
    assert len(stopped["taskArns"]) == 2


def test_a_forced_deployment_replaces_every_task(chatbot):
    client = chatbot.client("ecs")
    old = set(client.list_tasks(cluster=CLUSTER, serviceName=NAME)["taskArns"])
    client.update_service(cluster=CLUSTER, service=NAME, forceNewDeployment=True)
    assert len(service(client)["deployments"]) == 2
    eventually(lambda: len(service(client)["deployments"]) == 1)
    new = set(client.list_tasks(cluster=CLUSTER, serviceName=NAME)["taskArns"])
    assert len(new) == 2
    assert not old & new


def test_the_unknown_is_a_failure_or_an_error(chatbot):
    client = chatbot.client("ecs")
    answer = client.describe_services(cluster=CLUSTER, services=[NAME, "nobody"])
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]
    assert len(answer["services"]) == 1
    for cluster, name, code in [
        (CLUSTER, "nobody", "ServiceNotFoundException"),
        ("nobody", NAME, "ClusterNotFoundException"),
    ]:
        with pytest.raises(ClientError) as refused:
            client.update_service(cluster=cluster, service=name, desiredCount=1)
        assert refused.value.response["Error"]["Code"] == code
    assert client.describe_clusters(clusters=["nobody"])["failures"][0]["reason"] == "MISSING"


def test_tasks_and_clusters_are_described(chatbot):
    client = chatbot.client("ecs")
    arns = client.list_tasks(cluster=CLUSTER, serviceName=NAME)["taskArns"]
    tasks = client.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    assert {t["lastStatus"] for t in tasks} == {"RUNNING"}
    cluster = client.describe_clusters(clusters=[CLUSTER], include=["SETTINGS"])["clusters"][0]
    assert cluster["runningTasksCount"] == 2
    assert cluster["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert len(client.list_services(cluster=CLUSTER)["serviceArns"]) == 1
    definition = client.describe_task_definition(taskDefinition=NAME)["taskDefinition"]
    assert (definition["cpu"], definition["memory"]) == ("1024", "2048")


def test_registering_clamps_the_desired_count(chatbot):
    client = chatbot.client("application-autoscaling")
    identity = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{CLUSTER}/{NAME}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    client.register_scalable_target(**identity, MinCapacity=3)
    eventually(lambda: service(chatbot.client("ecs"))["desiredCount"] == 3)
    found = client.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"][0]
    assert found["Description"] == "Setting desired count to 3."


def test_cpu_over_the_target_scales_out(process):
    process.reset("ecs-chatbot", pace=200)
    point = {
        "namespace": "AWS/ECS",
        "metric": "CPUUtilization",
        "dimensions": {"ClusterName": CLUSTER, "ServiceName": NAME},
        "unit": "Percent",
        "minute": 1790000040,
        "sum": 90.0,
        "min": 90.0,
        "max": 90.0,
        "count": 1,
    }

    def grown():
        process.control("POST", "metrics", {"points": [point]})
        return service(process.client("ecs"))["runningCount"] >= 3

    eventually(grown)


def test_the_balancer_listens_where_the_data_plane_is_and_knows_the_tasks(chatbot):
    client = chatbot.client("elbv2")
    balancer = client.describe_load_balancers(Names=["chatbot-staging"])["LoadBalancers"][0]
    assert balancer["DNSName"] == "localhost"
    arn = balancer["LoadBalancerArn"]
    # The data plane publishes under this id.
    assert arn.endswith("app/chatbot-staging/50dc6c495c0c9188")
    listener = client.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]
    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
    group = client.describe_target_groups(Names=["chatbot-api"])["TargetGroups"][0]
    assert group["LoadBalancerArns"] == [arn]
    assert group["TargetGroupArn"].endswith("targetgroup/chatbot-api/73e2d6bc24d8a067")
    health = client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    states = [h["TargetHealth"]["State"] for h in health["TargetHealthDescriptions"]]
    assert states == ["healthy", "healthy"]
