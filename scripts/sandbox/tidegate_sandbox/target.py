"""The data plane: a program of its own, started here and ended here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from ctypes import CDLL
from pathlib import Path

PR_SET_PDEATHSIG = 1


class TargetFailed(Exception):
    """The program did not come up."""


def die_with_parent() -> None:
    """Asks the kernel to end this process when its parent is gone; Linux only."""
    try:
        CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        pass  # Elsewhere the end of standard input does it.


def default_binary(root: Path) -> Path:
    base = Path(os.environ.get("CARGO_TARGET_DIR") or root / "target")
    return base / "debug" / "examples" / "target"


class Target:
    def __init__(self, binary: Path, control: str, system: str, seed: int, pace: float):
        command = [str(binary), "--control", control, "--system", system]
        command += ["--seed", str(seed), "--pace", f"{pace:g}"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                preexec_fn=die_with_parent,
            )
        except OSError as problem:
            raise TargetFailed(f"cannot start the data plane {binary}: {problem}") from problem

    def port(self) -> int:
        """Waits for the line in which the program says where it listens."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            return int(json.loads(line)["port"])
        except (ValueError, KeyError) as problem:
            code = self._process.poll()
            raise TargetFailed(
                f"the data plane said {line!r} instead of its port (exit code {code})"
            ) from problem

    def end(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass  # It is gone already.
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
