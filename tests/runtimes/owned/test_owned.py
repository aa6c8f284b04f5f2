"""What a run owns goes with it, however it ends: folders by their mark, processes by their word."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.owned.folder import MARK, OwnFolder, sweep
from edgekit_runtimes.owned.lock import place_lock

PATIENCE_S = 20.0

# Owns a folder, a child that ignores every polite signal, and that child's own child, then waits.
OWNER = """
import subprocess, sys, time
from pathlib import Path
from edgekit_runtimes.owned.folder import OwnFolder
from edgekit_runtimes.owned.guard import guarded_environment
folder = OwnFolder(Path(sys.argv[1]), ".work-")
(folder.path / "half.bin").write_bytes(b"half")
child = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); "
child += "time.sleep(600)"
command = ["setsid", sys.executable, "-c", child]
process = subprocess.Popen(command, env=guarded_environment(), stdout=subprocess.PIPE)
print(process.pid, process.stdout.readline().decode().strip(), flush=True)
time.sleep(600)
"""


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_run_started_and_its_folders_are_gone_soon_after(
    tmp_path: Path, number: signal.Signals
) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE)
    assert owner.stdout
    children = [int(word) for word in owner.stdout.readline().split()]
    assert all(map(is_running, children))
    assert list(tmp_path.glob(".work-*/half.bin"))
    owner.send_signal(number)
    owner.wait()
    owner.stdout.close()
    wait_for(lambda: not any(map(is_running, children)) and not any(tmp_path.iterdir()))


def test_a_sweep_removes_the_folders_of_dead_runs_only(tmp_path: Path) -> None:
    for name in (".work-dead", ".work-user", ".work-empty", "other-dead"):
        (tmp_path / name).mkdir()
    for name in (".work-dead", "other-dead"):
        (tmp_path / name / MARK).touch()
        (tmp_path / name / "file").touch()
    (tmp_path / ".work-user" / "file").touch()
    (tmp_path / ".work-link").symlink_to(tmp_path / "other-dead")
    with OwnFolder(tmp_path, ".work-") as living:
        sweep(tmp_path, ".work-")
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {".work-user", ".work-empty", ".work-link", "other-dead", living.path.name}
        assert (tmp_path / "other-dead" / "file").exists()
    assert not living.path.exists()


def test_a_place_is_one_runs_at_a_time_and_free_when_that_one_ends(tmp_path: Path) -> None:
    place = tmp_path / "new" / "net.edgekit"
    with (
        place_lock(place, None),
        pytest.raises(UsageError, match=r"net.edgekit is being written by another run. Leave out"),
        place_lock(place, None),
    ):
        pass
    assert not any(tmp_path.iterdir())


def test_a_lock_that_a_killed_run_left_is_taken_over_and_cleared(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; "
        "from edgekit_runtimes.owned.lock import place_lock\n"
        "with place_lock(Path(sys.argv[1]), None): print(flush=True); time.sleep(600)"
    )
    place = tmp_path / "net.edgekit"
    holder = subprocess.Popen([sys.executable, "-c", program, place], stdout=subprocess.PIPE)
    assert holder.stdout
    holder.stdout.readline()
    with pytest.raises(UsageError), place_lock(place, None):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert [path.name for path in tmp_path.iterdir()] == [".net.edgekit.lock"]
    with place_lock(place, None):
        pass
    assert not any(tmp_path.iterdir())


def test_one_that_waits_goes_on_where_the_lock_file_was_removed_meanwhile(tmp_path: Path) -> None:
    place = tmp_path / "net.edgekit"
    held = place_lock(place, None)
    held.__enter__()
    waited = []

    def end_the_other() -> None:
        waited.append(True)
        held.__exit__(None, None, None)

    with place_lock(place, end_the_other):
        assert waited == [True]
        assert [path.name for path in tmp_path.iterdir()] == [".net.edgekit.lock"]
        with pytest.raises(UsageError), place_lock(place, None):
            pass
