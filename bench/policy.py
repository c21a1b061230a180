"""What a policy decision costs: ours beside cedarpy, moto's evaluator, pycasbin and vakt, on the same questions in one run.

    python -m bench.policy

The others live in a virtual environment of their own below .tools/, made here from the pinned list on first use.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".tools" / "bench-policy"
PINNED = ("cedarpy==4.12.2", "moto==5.2.5", "casbin==1.43.0", "vakt==1.6.0")


def main() -> int:
    """Make the environment if needed, then measure in it; answers the exit code."""
    python = ENVIRONMENT / "bin" / "python"
    made = ENVIRONMENT / "made-from.txt"
    wanted = "\n".join(PINNED)
    if not made.exists() or made.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED]
        subprocess.run(install, check=True)
        made.write_text(wanted)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    return subprocess.run([str(python), "-m", "bench.policy_engines"], env=environment, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
