"""A running sandbox, and clients for it, in the terms of the tests."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

START = Path(__file__).resolve().parents[1] / "start"
PACE = 20


class Sandbox:
    """A child process, spoken to over HTTP only."""

    def __init__(self, system: str, *options: str):
        command = [str(START), system, "--no-target", "--parent-pipe", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline())
        self.region = self.ready["region"]

    def client(self, service: str, retries: int = 0, **config: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.ready["endpoint"],
            region_name=self.region,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
            config=Config(retries={"total_max_attempts": retries + 1}, **config),
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.ready['endpoint']}/_sandbox/{path}"
        request = urllib.request.Request(url, data, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def reset(self, system: str, pace: float = PACE) -> None:
        body = {"system": system, "pace": pace}
        self.region = self.control("POST", "reset", body)["region"]

    def fault(self, **spec: Any) -> None:
        self.control("POST", "faults", {"faults": [spec]})

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)


def eventually(check: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Waits until a check is truthy; for a condition, never for a time."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)
    return value


@pytest.fixture(scope="session")
def process() -> Iterator[Sandbox]:
    sandbox = Sandbox("empty", "--pace", str(PACE))
    yield sandbox
    sandbox.end()


@pytest.fixture
def hcg(process: Sandbox) -> Sandbox:
    process.reset("hcg-demo")
    return process


@pytest.fixture
def chatbot(process: Sandbox) -> Sandbox:
    process.reset("ecs-chatbot")
    return process
