"""The control endpoints under `/_sandbox/`: JSON in, JSON out.

Turns requests of tests and of the data plane into calls on the world.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from . import snapshot
from .calls import CallLog
from .faults import Faults, Held
from .message import AwsError, Request, Response
from .systems import BUILDERS
from .world import World

PREFIX = "/_sandbox/"


class Control:
    def __init__(self, world: World, log: CallLog, faults: Faults, held: Held):
        self.world = world
        self.log = log
        self.faults = faults
        self.held = held
        self._routes: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "settings"): lambda _: world.settings(),
            ("GET", "snapshot"): lambda _: snapshot.take(world),
            ("GET", "target"): self._target,
            ("GET", "calls"): lambda q: {"calls": log.since(int(q.get("since", 0)))},
            ("DELETE", "calls"): lambda _: log.clear(),
            ("POST", "metrics"): self._metrics,
            ("POST", "faults"): lambda q: faults.replace(q["faults"]),
            ("DELETE", "faults"): lambda _: faults.clear(),
            ("GET", "held"): lambda q: {"held": held.list(float(q.get("wait", 0)))},
            ("POST", "release"): self._release,
            ("POST", "autoscale"): self._autoscale,
            ("POST", "consume-decreases"): self._consume_decreases,
            ("POST", "account"): self._account,
            ("POST", "reset"): self._reset,
        }

    def serve(self, request: Request) -> Response:
        name = request.path.removeprefix(PREFIX)
        route = self._routes.get((request.method, name))
        if route is None:
            return _json(404, {"error": f"no such endpoint: {request.method} {request.path}"})
        try:
            params: dict[str, Any] = dict(parse_qsl(request.query))
            if request.body:
                params.update(json.loads(request.body))
            return _json(200, route(params))
        except (AwsError, ValueError, KeyError, TypeError) as problem:
            return _json(400, {"error": f"{type(problem).__name__}: {problem}"})

    def _target(self, _: dict[str, Any]) -> dict[str, Any]:
        port = self.world.target_port
        return {"target": f"http://127.0.0.1:{port}" if port else None}

    def _metrics(self, params: dict[str, Any]) -> dict[str, Any]:
        if not self.world.is_new_batch(params.get("batch")):
            return {"merged": 0}
        for point in params["points"]:
            self.world.metrics.merge(point)
        with self.world.lock:
            for point in params["points"]:
                self.world.tracking.posted(point)
        return {"merged": len(params["points"])}

    def _release(self, params: dict[str, Any]) -> dict[str, Any]:
        outcome = params.get("outcome", "continue")
        return {"released": self.held.release(params.get("id"), outcome)}

    def _autoscale(self, params: dict[str, Any]) -> dict[str, Any]:
        """Moves capacity as Application Auto Scaling would, whatever the range says."""
        with self.world.lock:
            autoscaling = self.world.autoscaling
            identity = (params["namespace"], params["resource_id"], params["dimension"])
            scalable = autoscaling.scalable(identity)
            scalable.check()
            cause = params.get("cause", "monitor alarm in state ALARM triggered a policy")
            autoscaling.activities.start(scalable, identity[2], int(params["capacity"]), cause)
            return {"activity": autoscaling.state["activities"][0]["ActivityId"]}

    def _consume_decreases(self, params: dict[str, Any]) -> None:
        last = params.get("last", "now")
        if last == "now":
            moment = time.time()
        elif isinstance(last, (int, float)):
            moment = float(last)
        else:
            moment = datetime.fromisoformat(str(last).replace("Z", "+00:00")).timestamp()
        with self.world.lock:
            self.world.dynamodb.consume_decreases(params["table"], int(params["count"]), moment)

    def _account(self, params: dict[str, Any]) -> None:
        """For small accounts: the cap of concurrency and the unreserved floor."""
        with self.world.lock:
            state = self.world.awslambda.state
            state["account_concurrency"] = params.get("concurrency", state["account_concurrency"])
            state["unreserved_floor"] = params.get("floor", state["unreserved_floor"])
            throttle = self.world.services["apigateway"].state
            throttle["rate"] = params.get("rate", throttle["rate"])
            throttle["burst"] = params.get("burst", throttle["burst"])

    def _reset(self, params: dict[str, Any]) -> dict[str, Any]:
        system = params.get("system") or self.world.system
        if system not in BUILDERS:
            raise ValueError(f"no such system: {system}")
        self.faults.clear()
        self.held.release(None, "drop")
        if params.get("pace"):
            self.world.clock.pace = float(params["pace"])
        self.world.build(system)
        self.log.clear()
        return {"system": system, "region": self.world.region}


def _json(status: int, value: Any) -> Response:
    body = json.dumps({} if value is None else value, sort_keys=True).encode()
    return Response(status, {"content-type": "application/json"}, body)


__all__ = ["PREFIX", "Control"]
