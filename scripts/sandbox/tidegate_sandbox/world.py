"""The account: its corrected services, moto behind them, and one lock over all.

Owns what is common (ids, versions, the past for stale reads). Must not know what
the services hold, nor that there is HTTP.
"""

from __future__ import annotations

import copy
import random
import threading
import uuid
from typing import Any

from . import wire
from .clock import Clock
from .message import Response
from .metrics import MetricStore
from .moto_app import Moto

ACCOUNT = "123456789012"
REGIONS = {"hcg-demo": "ap-southeast-1", "ecs-chatbot": "us-east-1", "empty": "us-east-1"}


class World:
    def __init__(self, seed: int, pace: float):
        self.lock = threading.RLock()
        self.clock = Clock(pace, self.lock)
        self.account = ACCOUNT
        self.seed = seed
        self.moto = Moto(ACCOUNT)
        self.target_port: int | None = None
        self._begin("empty")

    def _begin(self, system: str) -> None:
        from .alarms import Alarms
        from .apigateway import ApiGateway
        from .autoscaling import AutoScaling
        from .awslambda import Lambda
        from .cloudwatch import CloudWatch
        from .dynamodb import DynamoDb
        from .ecs import Ecs
        from .elbv2 import Elbv2
        from .tracking import Tracking

        self.system = system
        self.region = REGIONS[system]
        self.random = random.Random(self.seed)
        self.metrics = MetricStore()
        self.cloudwatch = CloudWatch(self)
        self.awslambda = Lambda(self)
        self.dynamodb = DynamoDb(self)
        self.ecs = Ecs(self)
        self.elbv2 = Elbv2(self)
        self.autoscaling = AutoScaling(self)
        self.tracking = Tracking(self)
        self.alarms = Alarms(self)
        self.services: dict[str, Any] = {
            "lambda": self.awslambda,
            "dynamodb": self.dynamodb,
            "application-autoscaling": self.autoscaling,
            "ecs": self.ecs,
            "elbv2": self.elbv2,
            "apigateway": ApiGateway(self),
            "cloudwatch": self.cloudwatch,
        }
        self._past: dict[str, Any] = {}
        self._settings: dict[str, Any] = {}
        self._version = 0
        self._generation = 0
        self._batches: set[int] = set()

    def build(self, system: str) -> None:
        """Makes the account anew; the same seed gives the same ids."""
        from .systems import BUILDERS

        with self.lock:
            self.clock.clear()
            self.moto.reset(self.seed)
            self._begin(system)
            BUILDERS[system](self)
            self.tracking.start()
            self.alarms.start()
            self._past = self._checkpoint()
            self._generation += 1

    def is_new_batch(self, number: int | None) -> bool:
        """Whether the data plane posts these metrics for the first time: a lost answer makes it post them again."""
        with self.lock:
            if number is None:
                return True
            known = number in self._batches
            self._batches.add(number)
            return not known

    def new_id(self) -> str:
        """A UUID from the seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_hex(self, length: int) -> str:
        return "".join(self.random.choice("0123456789abcdef") for _ in range(length))

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        return f"arn:aws:{service}:{region or self.region}:{self.account}:{resource}"

    def apply(self, call: wire.Call) -> Response:
        """Carries a call out; raises what AWS would refuse it with."""
        with self.lock:
            if call.mutating:
                self._past = self._checkpoint()
            return self._dispatch(call)

    def apply_to_the_past(self, call: wire.Call) -> Response:
        """Answers a read from before the last mutating call."""
        with self.lock:
            present = {name: service.state for name, service in self.services.items()}
            self._put(copy.deepcopy(self._past))
            try:
                return self._dispatch(call)
            finally:
                self._put(present)

    def _dispatch(self, call: wire.Call) -> Response:
        service = self.services.get(call.service)
        # Other regions of the account are empty, and moto's.
        if service and call.region == self.region:
            response = service.apply(call)
            if response is not None:
                return response
        return self.moto.forward(call.request)

    def _checkpoint(self) -> dict[str, Any]:
        return {name: copy.deepcopy(s.state) for name, s in self.services.items()}

    def _put(self, states: dict[str, Any]) -> None:
        for name, state in states.items():
            self.services[name].state = state

    def settings(self) -> dict[str, Any]:
        """The values in effect, for the data plane."""
        with self.lock:
            settings = {
                "account_concurrency": self.awslambda.state["account_concurrency"],
                "functions": self.awslambda.effective(),
                "tables": self.dynamodb.effective(),
                "services": self.ecs.effective(),
            }
            if settings != self._settings:
                self._settings = settings
                self._version += 1
            # The tables of hcg-demo are in use: of the five minutes of burst they have kept one.
            kept = {"kept_seconds": 60} if self.system == "hcg-demo" else {}
            return {"version": self._version, "generation": self._generation, **kept, **settings}
