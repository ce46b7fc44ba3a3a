"""The accounts to start from. Builds them freshly; the same seed, the same ids."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World

# The data plane reports its metrics under these, so they are the same in every account.
BALANCER_ID = "50dc6c495c0c9188"
TARGET_GROUP_ID = "73e2d6bc24d8a067"

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def _empty(world: World) -> None:
    """Nothing but the account."""


def _hcg_demo(world: World) -> None:
    """A help desk assistant: REST API, three functions, two provisioned tables."""
    functions = {
        "hcg-demo-webhook-handler": (60, 512, None),
        "hcg-demo-supervisor-agent": (60, 512, 40),
        "hcg-demo-servicenow-action": (30, 256, None),
    }
    role = _role(world, "hcg-demo-lambda")
    for name, (timeout, memory, reserved) in functions.items():
        _function(world, role, name, timeout, memory)
        if reserved is not None:
            params = {"FunctionName": name, "ReservedConcurrentExecutions": reserved}
            world.awslambda.put_concurrency(params)
    _rest_api(world, "hcg-demo-api", "prod", ["webhook", "feedback"], "hcg-demo-webhook-handler")
    _table(world, "hcg-demo-conversations", "session_id", {"by-user": "user_id"})
    _table(world, "hcg-demo-user-feedback", "session_id", {})
    _feedback_scaling(world)


def _feedback_scaling(world: World) -> None:
    target = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/hcg-demo-user-feedback",
        "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    }
    suspended = {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    bounds = {"MinCapacity": 2, "MaxCapacity": 10}
    world.autoscaling.register({**target, **bounds, "SuspendedState": suspended})
    world.autoscaling.put_policy(
        {
            **target,
            "PolicyName": "feedback-writes",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 50.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "DynamoDBWriteCapacityUtilization"
                },
                "ScaleOutCooldown": 30,
                "ScaleInCooldown": 45,
            },
        }
    )
    world.autoscaling.put_action(
        {
            **target,
            "ScheduledActionName": "nightly",
            "Schedule": "cron(0 20 * * ? *)",
            "Timezone": "Asia/Singapore",
            "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 4},
        }
    )


def _ecs_chatbot(world: World) -> None:
    """A chatbot on Fargate behind a load balancer, scaled on CPU."""
    group, subnets, security = _load_balancer(world)
    cluster, name = "chatbot-staging", "chatbot-api"
    world.ecs.add_cluster(cluster)
    world.ecs.add_service(
        cluster,
        name,
        desired=2,
        cpu="1024",
        memory="2048",
        task_definition=_task_definition(world, name),
        load_balancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}],
        network={
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": [security],
                "assignPublicIp": "DISABLED",
            }
        },
    )
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/{name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    world.autoscaling.register({**target, "MinCapacity": 2, "MaxCapacity": 6})
    world.autoscaling.put_policy(
        {
            **target,
            "PolicyName": "cpu60",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 60.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                },
                "ScaleOutCooldown": 60,
                "ScaleInCooldown": 120,
            },
        }
    )
    world.autoscaling.put_action(
        {
            **target,
            "ScheduledActionName": "office-hours",
            "Schedule": "cron(0 8 ? * MON-FRI *)",
            "Timezone": "America/New_York",
            "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 6},
        }
    )


def _role(world: World, name: str) -> str:
    iam = world.moto.backend("iam", "aws")
    role = iam.create_role(
        role_name=name,
        assume_role_policy_document=TRUST,
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    return str(role.arn)


def _function(world: World, role: str, name: str, timeout: int, memory: int) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        # A fixed date, so that the same code has the same hash.
        code.writestr(zipfile.ZipInfo("index.py"), "def handler(event, context):\n    return {}\n")
    world.moto.backend("lambda", world.region).create_function(
        {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Role": role,
            "Handler": "index.handler",
            "Code": {"ZipFile": archive.getvalue()},
            "Timeout": timeout,
            "MemorySize": memory,
            "PackageType": "Zip",
        }
    )


def _rest_api(world: World, name: str, stage: str, paths: list[str], function: str) -> None:
    gateway = world.moto.backend("apigateway", world.region)
    api = gateway.create_rest_api(name, "", endpoint_configuration={"types": ["REGIONAL"]})
    root = gateway.get_resources(api.id)[0].id
    arn = world.arn("lambda", f"function:{function}")
    path = f"path/2015-03-31/functions/{arn}/invocations"
    uri = f"arn:aws:apigateway:{world.region}:lambda:{path}"
    for part in paths:
        resource = gateway.create_resource(api.id, root, part)
        gateway.put_method(api.id, resource.id, "POST", "NONE")
        gateway.put_integration(api.id, resource.id, "POST", "AWS_PROXY", uri, "POST")
    deployment = gateway.create_deployment(api.id, "", "first")
    gateway.create_stage(api.id, stage, deployment.id)


def _table(world: World, name: str, key: str, indexes: dict[str, str]) -> None:
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    world.moto.backend("dynamodb", world.region).create_table(
        name=name,
        schema=[{"AttributeName": key, "KeyType": "HASH"}],
        throughput=units,
        attr=[
            {"AttributeName": attribute, "AttributeType": "S"}
            for attribute in [key, *indexes.values()]
        ],
        global_indexes=[
            {
                "IndexName": index,
                "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": dict(units),
            }
            for index, attribute in indexes.items()
        ],
        indexes=[],
        streams=None,
        billing_mode="PROVISIONED",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    world.dynamodb.table(name)


def _load_balancer(world: World) -> tuple[str, list[str], str]:
    """A balancer, its listener and its target group; with the network they need."""
    ec2 = world.moto.backend("ec2", world.region)
    vpc = ec2.create_vpc("10.0.0.0/16")
    zones = [f"{world.region}{letter}" for letter in "ab"]
    subnets = [
        ec2.create_subnet(vpc.id, f"10.0.{number}.0/24", zone).id
        for number, zone in enumerate(zones)
    ]
    security = ec2.create_security_group("chatbot-staging", "tasks and balancer", vpc_id=vpc.id).id
    elb = world.moto.backend("elbv2", world.region)
    with world.moto.next_hex(BALANCER_ID):
        balancer = elb.create_load_balancer(
            name="chatbot-staging",
            security_groups=[security],
            subnet_ids=subnets,
            loadbalancer_type="application",
        )
    with world.moto.next_hex(TARGET_GROUP_ID):
        group = elb.create_target_group(
            "chatbot-api",
            protocol="HTTP",
            port="8080",
            vpc_id=vpc.id,
            target_type="ip",
            healthcheck_path="/health",
            healthcheck_protocol="HTTP",
            healthcheck_port="traffic-port",
            matcher={"HttpCode": "200"},
        )
    action = {"Type": "forward", "TargetGroupArn": group.arn}
    elb.create_listener(balancer.arn, "HTTP", "80", None, None, [action])
    world.elbv2.listen_at(world.target_port or 80)
    return str(group.arn), subnets, security


def _task_definition(world: World, family: str) -> str:
    container = {
        "name": "app",
        "image": "chatbot-api:staging",
        "essential": True,
        "portMappings": [{"containerPort": 8080}],
    }
    definition = world.moto.backend("ecs", world.region).register_task_definition(
        family,
        [container],
        [],
        network_mode="awsvpc",
        cpu="1024",
        memory="2048",
        requires_compatibilities=["FARGATE"],
    )
    return str(definition.arn)


BUILDERS: dict[str, Callable[[World], Any]] = {
    "empty": _empty,
    "hcg-demo": _hcg_demo,
    "ecs-chatbot": _ecs_chatbot,
}
