"""The data plane: a program of its own, started here and ended here."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path


class TargetFailed(Exception):
    """The program did not come up."""


def default_binary(root: Path) -> Path:
    base = Path(os.environ.get("CARGO_TARGET_DIR") or root / "target")
    return base / "debug" / "examples" / "target"


class Target:
    def __init__(self, binary: Path, control: str, system: str, seed: int, pace: float):
        command = [str(binary), "--control", control, "--system", system]
        command += ["--seed", str(seed), "--pace", f"{pace:g}"]
        try:
            # It ends when its standard input does, so also when this process is killed.
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
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
        with contextlib.suppress(OSError):  # It may be gone already.
            self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
