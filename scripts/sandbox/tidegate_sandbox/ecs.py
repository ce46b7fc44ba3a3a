"""ECS: clusters and services with their counts, tasks, deployments and events.

Task definitions and one-off tasks are moto's. A task takes a while to start; the
counts, the deployment and the events follow it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from . import wire
from .ecstasks import Tasks
from .message import AwsError, Response
from .service import Service, page

if TYPE_CHECKING:
    from .world import World

KEPT_EVENTS = 100
DEPLOYING = ("taskDefinition", "networkConfiguration", "platformVersion", "loadBalancers")


class Ecs(Service):
    operations: ClassVar[dict[str, str]] = {
        "DescribeClusters": "describe_clusters",
        "ListClusters": "list_clusters",
        "UpdateClusterSettings": "update_cluster_settings",
        "DescribeServices": "describe_services",
        "ListServices": "list_services",
        "UpdateService": "update_service",
        "DescribeTasks": "describe_tasks",
        "ListTasks": "list_tasks",
    }

    def __init__(self, world: World):
        super().__init__(world)
        self.state: dict[str, Any] = {"clusters": {}, "services": {}, "tasks": {}}
        self.tasks = Tasks(world)

    def apply(self, call: wire.Call) -> Response | None:
        cluster = _short(call.params.get("cluster") or "default")
        # Clusters that somebody made through moto stay moto's.
        if call.operation.endswith(("Tasks", "Services", "Service")):
            known = self.world.moto.backend("ecs", call.region).clusters
            if cluster in known and cluster not in self.state["clusters"]:
                return None
        return super().apply(call)

    # -- clusters

    def add_cluster(self, name: str) -> None:
        self.state["clusters"][name] = {
            "settings": [{"name": "containerInsights", "value": "disabled"}]
        }

    def _cluster_name(self, params: dict[str, Any]) -> str:
        name = _short(params.get("cluster") or "default")
        if name not in self.state["clusters"]:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return name

    def cluster_arn(self, name: str) -> str:
        return self.world.arn("ecs", f"cluster/{name}")

    def _cluster(self, name: str, settings: bool = True) -> dict[str, Any]:
        services = [s for (c, _), s in self.state["services"].items() if c == name]
        text: dict[str, Any] = {
            "clusterArn": self.cluster_arn(name),
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": sum(self.tasks.running(s) for s in services),
            "pendingTasksCount": sum(self.tasks.pending(s) for s in services),
            "activeServicesCount": len(services),
            "statistics": [],
            "tags": [],
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [],
        }
        if settings:
            text["settings"] = self.state["clusters"][name]["settings"]
        return text

    def describe_clusters(self, params: dict[str, Any]) -> dict[str, Any]:
        names = [_short(n) for n in params.get("clusters") or ["default"]]
        known = [n for n in names if n in self.state["clusters"]]
        shown = "SETTINGS" in (params.get("include") or [])
        return {
            "clusters": [self._cluster(n, shown) for n in known],
            "failures": [
                {"arn": self.cluster_arn(n), "reason": "MISSING"} for n in names if n not in known
            ],
        }

    def list_clusters(self, params: dict[str, Any]) -> dict[str, Any]:
        arns = [self.cluster_arn(n) for n in sorted(self.state["clusters"])]
        return _paged(arns, params, "clusterArns")

    def update_cluster_settings(self, params: dict[str, Any]) -> dict[str, Any]:
        name = self._cluster_name(params)
        settings = {s["name"]: s for s in self.state["clusters"][name]["settings"]}
        settings.update({s["name"]: s for s in params["settings"]})
        self.state["clusters"][name]["settings"] = list(settings.values())
        return {"cluster": self._cluster(name)}

    # -- services

    def add_service(self, cluster: str, name: str, **fields: Any) -> dict[str, Any]:
        """A service in steady state, its tasks running."""
        now = round(time.time(), 3)
        service = {
            "cluster": cluster,
            "name": name,
            "created": now,
            "events": [],
            "deployments": [],
            "steady": True,
            **fields,
        }
        service["deployments"] = [self._deployment(service)]
        self.state["services"][(cluster, name)] = service
        for _ in range(service["desired"]):
            self.tasks.add(service, "RUNNING")
        self.event(service, "has reached a steady state.")
        return service

    def _deployment(self, service: dict[str, Any]) -> dict[str, Any]:
        now = round(time.time(), 3)
        number = "".join(self.world.random.choice("0123456789") for _ in range(19))
        return {
            "id": f"ecs-svc/{number}",
            "status": "PRIMARY",
            "taskDefinition": service["task_definition"],
            "createdAt": now,
            "updatedAt": now,
            "rolloutState": "COMPLETED",
            "rolloutStateReason": f"ECS deployment ecs-svc/{number} completed.",
        }

    def find(self, cluster: str, name: str) -> dict[str, Any] | None:
        return self.state["services"].get((_short(cluster), _short(name)))  # type: ignore[no-any-return]

    def service(self, cluster: str, name: str) -> dict[str, Any]:
        found = self.find(cluster, name)
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return found

    def service_arn(self, service: dict[str, Any]) -> str:
        return self.world.arn("ecs", f"service/{service['cluster']}/{service['name']}")

    def effective(self) -> dict[str, Any]:
        return {
            f"{cluster}/{name}": {"desired": s["desired"], "running": self.tasks.running(s)}
            for (cluster, name), s in sorted(self.state["services"].items())
        }

    def describe_services(self, params: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster_name(params)
        names = params.get("services") or []
        if not names:
            raise AwsError("InvalidParameterException", "Services cannot be empty.")
        if len(names) > 10:
            raise AwsError("InvalidParameterException", "Services cannot have more than 10 items.")
        found = [(n, self.find(cluster, n)) for n in names]
        return {
            "services": [self._text(s) for _, s in found if s],
            "failures": [
                {
                    "arn": self.world.arn("ecs", f"service/{cluster}/{_short(n)}"),
                    "reason": "MISSING",
                }
                for n, s in found
                if not s
            ],
        }

    def _text(self, service: dict[str, Any]) -> dict[str, Any]:
        running, pending = self.tasks.running(service), self.tasks.pending(service)
        counts = {
            "desiredCount": service["desired"],
            "pendingCount": pending,
            "runningCount": running,
        }
        common = {"launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux"}
        network = service["network"]
        deployments = [
            {
                **d,
                **common,
                **self.tasks.counts_of(service, d),
                "failedTasks": 0,
                "networkConfiguration": network,
            }
            for d in service["deployments"]
        ]
        return {
            "serviceArn": self.service_arn(service),
            "serviceName": service["name"],
            "clusterArn": self.cluster_arn(service["cluster"]),
            "loadBalancers": service["load_balancers"],
            "serviceRegistries": [],
            "status": "ACTIVE",
            **counts,
            **common,
            "taskDefinition": service["task_definition"],
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": False, "rollback": False},
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
            },
            "deployments": deployments,
            "roleArn": f"arn:aws:iam::{self.world.account}:role/aws-service-role/"
            "ecs.amazonaws.com/AWSServiceRoleForECS",
            "events": service["events"],
            "createdAt": service["created"],
            "placementConstraints": [],
            "placementStrategy": [],
            "networkConfiguration": network,
            "healthCheckGracePeriodSeconds": 0,
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "enableECSManagedTags": True,
            "propagateTags": "NONE",
            "enableExecuteCommand": False,
        }

    def list_services(self, params: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster_name(params)
        arns = [
            self.service_arn(s)
            for (c, _), s in sorted(self.state["services"].items())
            if c == cluster
        ]
        return _paged(arns, params, "serviceArns", 10)

    def update_service(self, params: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster_name(params)
        service = self.service(cluster, params["service"])
        wanted = params.get("desiredCount")
        if wanted is not None and (not isinstance(wanted, int) or wanted < 0):
            raise AwsError("InvalidParameterException", "desiredCount must be at least 0.")
        if params.get("forceNewDeployment") or any(params.get(k) for k in DEPLOYING):
            self._deploy(service, params)
        if wanted is not None:
            self.set_desired(cluster, service["name"], wanted)
        return {"service": self._text(service)}

    def _deploy(self, service: dict[str, Any], params: dict[str, Any]) -> None:
        service["task_definition"] = params.get("taskDefinition") or service["task_definition"]
        for old in service["deployments"]:
            old["status"] = "ACTIVE"
        deployment = self._deployment(service)
        deployment["rolloutState"] = "IN_PROGRESS"
        deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} in progress."
        service["deployments"].insert(0, deployment)
        service["steady"] = False
        self.tasks.reconcile(service)

    def set_desired(self, cluster: str, name: str, desired: int, by: str = "caller") -> None:
        """Changes how many tasks are wanted; the tasks follow."""
        service = self.service(cluster, name)
        if by == "autoscaling":
            text = f"Message: Successfully set desired count to {desired}."
            self.event(service, text)
        if desired == service["desired"]:
            return
        service["desired"] = desired
        service["deployments"][0]["updatedAt"] = round(time.time(), 3)
        service["steady"] = False
        self.tasks.reconcile(service)

    def event(self, service: dict[str, Any], text: str) -> None:
        message = text if text.startswith("Message: ") else f"(service {service['name']}) {text}"
        event = {"id": self.world.new_id(), "createdAt": round(time.time(), 3), "message": message}
        service["events"].insert(0, event)
        del service["events"][KEPT_EVENTS:]

    # -- tasks

    def describe_tasks(self, params: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster_name(params)
        wanted = [_short(t) for t in params.get("tasks") or []]
        known = [t for t in wanted if t in self.state["tasks"]]
        return {
            "tasks": [self.tasks.text(self.state["tasks"][t]) for t in known],
            "failures": [
                {"arn": self.world.arn("ecs", f"task/{cluster}/{t}"), "reason": "MISSING"}
                for t in wanted
                if t not in known
            ],
        }

    def list_tasks(self, params: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster_name(params)
        status = params.get("desiredStatus") or "RUNNING"
        name = params.get("serviceName")
        if name and self.find(cluster, name) is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        arns = [
            self.tasks.arn(t)
            for t in self.state["tasks"].values()
            if t["cluster"] == cluster
            and t["desired_status"] == status
            and (not name or t["service"] == _short(name))
        ]
        return _paged(arns, params, "taskArns")


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _paged(arns: list[str], params: dict[str, Any], key: str, size: int = 100) -> dict[str, Any]:
    result = page(arns, {"maxResults": size, **params}, key, 100)
    if "NextToken" in result:
        result["nextToken"] = result.pop("NextToken")
    return result
