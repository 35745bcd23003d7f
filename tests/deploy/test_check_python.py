"""What a newcomer whose Python cannot make the .venv is told, in one line."""

import subprocess
import sys
from pathlib import Path

CHECK = Path(__file__).parents[2] / "deploy" / "check_python.py"


def check(before: str) -> subprocess.CompletedProcess[str]:
    """Run the check in an interpreter that was changed by ``before``."""
    code = f"import runpy, sys; {before}; runpy.run_path({str(CHECK)!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_this_python_will_do() -> None:
    assert (check("pass").returncode, check("pass").stderr) == (0, "")


def test_an_old_python_is_named_with_what_is_needed() -> None:
    told = check("sys.version_info = (3, 9, 2, 'final', 0); sys.version = '3.9.2 (old)'")
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in told.stderr
    assert "is 3.9.2" in told.stderr


def test_a_python_without_venv_is_told_what_to_install() -> None:
    told = check("sys.modules['ensurepip'] = None")
    assert (told.returncode, told.stderr) == (
        1,
        "make: Python's venv module is missing. Try: apt-get install python3-venv\n",
    )
