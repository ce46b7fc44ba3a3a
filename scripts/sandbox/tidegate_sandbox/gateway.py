"""The way of one AWS call: understand, log, fault, apply, answer.

Owns the order of these steps. Must not know any service.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

from . import wire
from .calls import CallLog
from .faults import Fault, Faults, Held
from .message import DROPPED, AwsError, Request, Response
from .world import World


class Gateway:
    def __init__(self, world: World, log: CallLog, faults: Faults, held: Held):
        self.world = world
        self.log = log
        self.faults = faults
        self.held = held

    def serve(self, request: Request) -> Response:
        try:
            call = wire.read(request)
        except Exception as problem:  # Whatever cannot be read is a client's error.
            return Response(400, {}, f"not an AWS request: {problem}".encode())
        entry = self.log.arrive(call)
        fault = self.faults.strike(call)
        response = self._faulted(call, fault, entry) if fault else self._apply(call)
        entry["status"] = None if response.dropped else response.status
        entry["error"] = response.error
        return response

    def _apply(self, call: wire.Call) -> Response:
        return self._guarded(call, self.world.apply)

    def _guarded(self, call: wire.Call, act: Callable[[wire.Call], Response]) -> Response:
        try:
            response = act(call)
        except AwsError as error:
            return wire.refusal(call, error)
        except Exception:  # A bug of the sandbox must look like one, and not like AWS.
            traceback.print_exc()
            bug = AwsError("SandboxBug", traceback.format_exc(limit=-3), 500)
            return wire.refusal(call, bug)
        response.error = response.error or wire.error_code(response)
        return response

    def _faulted(self, call: wire.Call, fault: Fault, entry: dict[str, Any]) -> Response:
        entry["fault"] = fault.kind
        carry_out = getattr(self, f"_{fault.kind.replace('-', '_')}")
        return carry_out(call, fault, entry)

    def _error(self, call: wire.Call, fault: Fault, _: dict[str, Any]) -> Response:
        time.sleep(fault.delay_ms / 1000)
        return wire.refusal(call, AwsError(fault.code, fault.message, fault.status))

    def _delay(self, call: wire.Call, fault: Fault, _: dict[str, Any]) -> Response:
        time.sleep(fault.delay_ms / 1000)
        return self._apply(call)

    def _drop(self, call: wire.Call, fault: Fault, _: dict[str, Any]) -> Response:
        time.sleep(fault.delay_ms / 1000)
        return DROPPED

    def _apply_drop(self, call: wire.Call, fault: Fault, entry: dict[str, Any]) -> Response:
        self._lost(entry, self._apply(call))
        time.sleep(fault.delay_ms / 1000)
        return DROPPED

    def _late(self, call: wire.Call, fault: Fault, entry: dict[str, Any]) -> Response:
        self.world.clock.after_real(
            fault.delay_ms / 1000, lambda: self._lost(entry, self._apply(call))
        )
        return DROPPED

    def _stale(self, call: wire.Call, _: Fault, __: dict[str, Any]) -> Response:
        return self._guarded(call, self.world.apply_to_the_past)

    def _hold_before(self, call: wire.Call, _: Fault, entry: dict[str, Any]) -> Response:
        if self.held.wait(entry["n"], call.operation, "hold-before") == "drop":
            return DROPPED
        return self._apply(call)

    def _hold_after(self, call: wire.Call, _: Fault, entry: dict[str, Any]) -> Response:
        response = self._apply(call)
        if self.held.wait(entry["n"], call.operation, "hold-after") == "drop":
            self._lost(entry, response)
            return DROPPED
        return response

    @staticmethod
    def _lost(entry: dict[str, Any], response: Response) -> None:
        """Notes what became of a call whose answer nobody gets."""
        entry["lost"] = {"status": response.status, "error": response.error}
