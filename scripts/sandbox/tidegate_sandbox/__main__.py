"""Starts the sandbox, says where it is, and ends when it should."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from .calls import CallLog
from .control import PREFIX, Control
from .faults import Faults, Held
from .gateway import Gateway
from .message import Request, Response
from .server import Handle, bind
from .systems import BUILDERS
from .target import Target, TargetFailed, default_binary
from .warmup import warm_up
from .world import World

ROOT = Path(__file__).resolve().parents[3]
PARENT = os.getppid()
PARENT_POLL_SECONDS = 0.2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/sandbox/start")
    parser.add_argument("system", choices=sorted(BUILDERS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--target", type=Path, default=None, metavar="BINARY")
    parser.add_argument("--no-target", action="store_true")
    parser.add_argument("--parent-pipe", action="store_true")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    world = World(options.seed, options.pace)
    log, faults, held = CallLog(), Faults(), Held()
    gateway = Gateway(world, log, faults, held)
    server = bind(options.port, _router(Control(world, log, faults, held), gateway))
    world.build(options.system)
    warm_up(world, gateway)
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    target = None
    try:
        if not options.no_target:
            binary = options.target or default_binary(ROOT)
            target = Target(binary, endpoint, options.system, options.seed, options.pace)
            _listen(world, target.port())
        _announce(options, world, endpoint)
        _watch_parent(options, ended)
        # Polled, because the kernel's own signal is bound to the thread that started this.
        while not ended.wait(PARENT_POLL_SECONDS) and os.getppid() == PARENT:
            pass
    except TargetFailed as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 1
    finally:
        if target is not None:
            target.end()
    return 0


def _router(control: Control, gateway: Gateway) -> Handle:
    def route(request: Request) -> Response:
        if request.path.startswith(PREFIX):
            return control.serve(request)
        return gateway.serve(request)

    return route


def _listen(world: World, port: int) -> None:
    with world.lock:
        world.target_port = port
        world.elbv2.listen_at(port)


def _announce(options: argparse.Namespace, world: World, endpoint: str) -> None:
    target = f"http://127.0.0.1:{world.target_port}" if world.target_port else None
    env = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": world.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if target:
        env["AWS_ENDPOINT_URL_EXECUTE_API"] = target
    ready = {
        "ready": True,
        "system": options.system,
        "endpoint": endpoint,
        "target": target,
        "account": world.account,
        "region": world.region,
        "env": env,
    }
    print(json.dumps(ready), flush=True)


def _watch_parent(options: argparse.Namespace, ended: threading.Event) -> None:
    if not options.parent_pipe:
        return

    def watch() -> None:
        while os.read(0, 4096):
            pass
        ended.set()

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # There is nothing to save, and taking moto down in order takes longer than loading it.
    os._exit(code)
