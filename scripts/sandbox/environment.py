"""The virtual environment of the sandbox: made once, shared, safe against races."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASE = HERE.parents[1] / ".sandbox"
PYTHON = BASE / "venv" / "bin" / "python"
MARK = BASE / "venv" / "requirements.txt"


def ready() -> bool:
    wanted = (HERE / "requirements.txt").read_bytes()
    return PYTHON.exists() and MARK.exists() and MARK.read_bytes() == wanted


def prepare() -> None:
    """Makes the environment when it is missing or out of date."""
    if ready():
        return
    BASE.mkdir(exist_ok=True)
    with open(BASE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready():
            return  # Somebody else made it while this process waited.
        print("sandbox: preparing the Python environment, once", file=sys.stderr)
        venv.create(BASE / "venv", with_pip=True)
        install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["-r", str(HERE / "requirements.txt")]
        # Standard output belongs to the one line that says the sandbox is ready.
        subprocess.run(install, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        # The mark comes last: an interrupted installation is repeated.
        shutil.copyfile(HERE / "requirements.txt", MARK)


def become(module: str, arguments: list[str]) -> None:
    """Replaces this process by a module run in the environment."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": ""}
    command = [str(PYTHON), "-m", module, *arguments]
    os.execve(command[0], command, environment)
