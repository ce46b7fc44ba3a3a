"""The tasks of ECS services: starting, running, stopping, stopped.

Follows what a service wants, and tells its events. Must not know the ECS API.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World

START_SECONDS = 8.0
STOP_SECONDS = 2.0
# ECS notices that a service is steady a little after its last task runs.
STEADY_SECONDS = 0.5


class Tasks:
    def __init__(self, world: World):
        self.world = world

    @property
    def _all(self) -> dict[str, dict[str, Any]]:
        return self.world.ecs.state["tasks"]  # type: ignore[no-any-return]

    def _of(self, service: dict[str, Any], *statuses: str) -> list[dict[str, Any]]:
        return [
            t
            for t in self._all.values()
            if t["service"] == service["name"]
            and t["cluster"] == service["cluster"]
            and t["status"] in statuses
        ]

    def running(self, service: dict[str, Any]) -> int:
        return len(self._of(service, "RUNNING"))

    def pending(self, service: dict[str, Any]) -> int:
        return len(self._of(service, "PENDING"))

    def counts_of(self, service: dict[str, Any], deployment: dict[str, Any]) -> dict[str, int]:
        own = [
            t
            for t in self._of(service, "RUNNING", "PENDING")
            if t["deployment"] == deployment["id"]
        ]
        running = sum(t["status"] == "RUNNING" for t in own)
        primary = deployment["status"] == "PRIMARY"
        return {
            "desiredCount": service["desired"] if primary else len(own),
            "pendingCount": len(own) - running,
            "runningCount": running,
        }

    def add(self, service: dict[str, Any], status: str) -> dict[str, Any]:
        now = round(time.time(), 3)
        number = len(self._all)
        task = {
            "id": self.world.new_hex(32),
            "cluster": service["cluster"],
            "service": service["name"],
            "deployment": service["deployments"][0]["id"],
            "task_definition": service["deployments"][0]["taskDefinition"],
            "status": status,
            "desired_status": "RUNNING",
            "created": now,
            "started": now if status == "RUNNING" else None,
            "stopped": None,
            "reason": None,
            "address": f"10.0.{number // 200 % 200}.{number % 200 + 10}",
            "cpu": service["cpu"],
            "memory": service["memory"],
        }
        self._all[task["id"]] = task
        if status == "RUNNING":
            self._register(service, task)
        return task

    def reconcile(self, service: dict[str, Any]) -> None:
        """Starts and stops tasks until the service has what it wants."""
        primary = service["deployments"][0]["id"]
        alive = self._of(service, "RUNNING", "PENDING")
        current = [t for t in alive if t["deployment"] == primary]
        missing = service["desired"] - len(current)
        if missing > 0:
            self._start(service, missing)
        elif missing < 0:
            # The ones that do not run yet go first.
            current.sort(key=lambda t: (t["status"] == "RUNNING", t["created"]))
            self._stop(service, current[:-missing])
        self._settle_later(service)

    def _start(self, service: dict[str, Any], count: int) -> None:
        started = [self.add(service, "PENDING") for _ in range(count)]
        tasks = " ".join(f"(task {t['id']})" for t in started)
        self.world.ecs.event(service, f"has started {count} tasks: {tasks}.")
        for task in started:
            self.world.clock.after(START_SECONDS, partial(self._run, task["id"]))

    def _run(self, key: str) -> None:
        task = self._all.get(key)
        if task is None or task["status"] != "PENDING":
            return
        task["status"], task["started"] = "RUNNING", round(time.time(), 3)
        service = self.world.ecs.service(task["cluster"], task["service"])
        self._register(service, task)
        old = [
            t
            for t in self._of(service, "RUNNING")
            if t["deployment"] != service["deployments"][0]["id"]
        ]
        if old and self.running(service) > service["desired"]:
            self._stop(service, old[:1])
        self._settle_later(service)

    def _stop(self, service: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
        listed = " ".join(f"(task {t['id']})" for t in tasks)
        self.world.ecs.event(service, f"has stopped {len(tasks)} running tasks: {listed}.")
        for task in tasks:
            task["desired_status"] = "STOPPED"
            task["reason"] = "Scaling activity initiated by deployment " + task["deployment"]
            waited = task["status"] == "PENDING"
            task["status"] = "DEPROVISIONING" if waited else "DEACTIVATING"
            self._deregister(service, task)
            self.world.clock.after(STOP_SECONDS, partial(self._stopped, task["id"]))

    def _stopped(self, key: str) -> None:
        task = self._all.get(key)
        if task is None:
            return
        task["status"], task["stopped"] = "STOPPED", round(time.time(), 3)
        self._settle_later(self.world.ecs.service(task["cluster"], task["service"]))

    # -- steady state

    def _settle_later(self, service: dict[str, Any]) -> None:
        key = (service["cluster"], service["name"])
        self.world.clock.after(STEADY_SECONDS, lambda: self._settle(*key))

    def _settle(self, cluster: str, name: str) -> None:
        service = self.world.ecs.service(cluster, name)
        primary = service["deployments"][0]
        alive = self._of(service, "RUNNING", "PENDING", "DEACTIVATING", "DEPROVISIONING")
        steady = (
            all(t["status"] == "RUNNING" and t["deployment"] == primary["id"] for t in alive)
            and len(alive) == service["desired"]
        )
        if service["steady"] or not steady:
            return
        service["steady"] = True
        service["deployments"] = [primary]
        if primary["rolloutState"] != "COMPLETED":
            primary["rolloutState"] = "COMPLETED"
            primary["rolloutStateReason"] = f"ECS deployment {primary['id']} completed."
            number = primary["id"].split("/")[1]
            self.world.ecs.event(service, f"(deployment ecs-svc/{number}) deployment completed.")
        self.world.ecs.event(service, "has reached a steady state.")

    # -- load balancer

    def _register(self, service: dict[str, Any], task: dict[str, Any]) -> None:
        for balancer in service["load_balancers"]:
            self.world.elbv2.register(
                balancer["targetGroupArn"], task["address"], balancer["containerPort"]
            )

    def _deregister(self, service: dict[str, Any], task: dict[str, Any]) -> None:
        for balancer in service["load_balancers"]:
            self.world.elbv2.deregister(balancer["targetGroupArn"], task["address"])

    # -- what DescribeTasks says

    def arn(self, task: dict[str, Any]) -> str:
        return self.world.arn("ecs", f"task/{task['cluster']}/{task['id']}")

    def text(self, task: dict[str, Any]) -> dict[str, Any]:
        container: dict[str, Any] = {
            "containerArn": self.world.arn("ecs", f"container/{task['cluster']}/{task['id']}/app"),
            "taskArn": self.arn(task),
            "name": "app",
            "lastStatus": "RUNNING" if task["status"] == "DEACTIVATING" else task["status"],
            "healthStatus": "UNKNOWN",
        }
        text: dict[str, Any] = {
            "taskArn": self.arn(task),
            "clusterArn": self.world.ecs.cluster_arn(task["cluster"]),
            "taskDefinitionArn": task["task_definition"],
            "group": f"service:{task['service']}",
            "startedBy": task["deployment"],
            "launchType": "FARGATE",
            "lastStatus": task["status"],
            "desiredStatus": task["desired_status"],
            "cpu": task["cpu"],
            "memory": task["memory"],
            "createdAt": task["created"],
            "containers": [container],
            "attachments": [],
            "overrides": {},
            "tags": [],
            "version": 1,
        }
        for key, name in (("started", "startedAt"), ("stopped", "stoppedAt")):
            if task[key] is not None:
                text[name] = task[key]
        if task["reason"]:
            text["stopCode"] = "ServiceSchedulerInitiated"
            text["stoppedReason"] = task["reason"]
            if task["stopped"]:
                container["exitCode"] = 0
        return text
