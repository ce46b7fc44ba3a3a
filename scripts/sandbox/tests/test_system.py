"""The process itself: reset, seeds, identity, start and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from conftest import START, Sandbox, eventually

FAKE_TARGET = """#!{python}
import json, pathlib, sys
print(json.dumps({{"ready": True, "port": 4242}}), flush=True)
sys.stdin.read()
pathlib.Path({mark!r}).write_text(json.dumps(sys.argv[1:]))
"""


def test_reset_is_fast_and_the_same_seed_gives_the_same_ids(process):
    process.reset("hcg-demo")
    first = process.control("GET", "snapshot")
    process.client("lambda").put_function_concurrency(
        FunctionName="hcg-demo-webhook-handler", ReservedConcurrentExecutions=5
    )
    before = time.monotonic()
    process.reset("hcg-demo")
    assert time.monotonic() - before < 0.5
    assert process.control("GET", "snapshot") == first
    assert process.control("GET", "calls")["calls"] == []


def test_the_rest_api_can_be_discovered(hcg):
    client = hcg.client("apigateway")
    api = client.get_rest_apis()["items"][0]
    assert api["name"] == "hcg-demo-api"
    assert client.get_stages(restApiId=api["id"])["item"][0]["stageName"] == "prod"
    assert client.get_stage(restApiId=api["id"], stageName="prod")["stageName"] == "prod"
    assert client.get_account()["throttleSettings"]["rateLimit"] == 10000.0


def test_the_caller_is_known(hcg):
    assert hcg.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_settings_carry_a_version_that_moves_only_with_them(hcg):
    first = hcg.control("GET", "settings")
    assert first["functions"]["hcg-demo-supervisor-agent"] == {"reserved": 40}
    assert first["tables"]["hcg-demo-conversations"] == {
        "billing": "PROVISIONED",
        "read": 5,
        "write": 5,
        "indexes": {"by-user": {"read": 5, "write": 5}},
    }
    assert hcg.control("GET", "settings")["version"] == first["version"]
    hcg.client("lambda").delete_function_concurrency(FunctionName="hcg-demo-supervisor-agent")
    assert hcg.control("GET", "settings")["version"] == first["version"] + 1


def test_the_end_of_standard_input_ends_it():
    sandbox = Sandbox("empty")
    sandbox.end()
    assert sandbox.process.returncode == 0


def test_a_signal_ends_it():
    sandbox = Sandbox("empty")
    os.kill(sandbox.process.pid, signal.SIGTERM)
    assert sandbox.process.wait(5) == 0


def test_the_data_plane_is_started_made_known_and_ended(tmp_path):
    mark, binary = tmp_path / "ended", tmp_path / "target"
    binary.write_text(FAKE_TARGET.format(python=sys.executable, mark=str(mark)))
    binary.chmod(0o755)
    command = [str(START), "ecs-chatbot", "--target", str(binary), "--seed", "7"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    ready = json.loads(process.stdout.readline())
    assert ready["target"] == "http://127.0.0.1:4242"
    assert ready["env"]["AWS_ENDPOINT_URL_EXECUTE_API"] == ready["target"]
    process.kill()
    process.wait()
    arguments = json.loads(eventually(lambda: mark.exists() and mark.read_text()))
    assert arguments == [
        "--control",
        ready["endpoint"],
        "--system",
        "ecs-chatbot",
        "--seed",
        "7",
        "--pace",
        "1",
    ]


def test_the_end_of_its_parent_ends_it():
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.argv[1], 'empty', '--no-target'], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(START)]
    child = int(subprocess.run(command, capture_output=True, check=True).stdout)

    def gone():
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        # A zombie that nobody waits for has ended as well.
        with open(f"/proc/{child}/stat") as stat:
            return stat.read().split()[2] == "Z"

    eventually(gone)
