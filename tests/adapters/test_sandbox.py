"""The sandbox: what a parser that has gone wrong can't do, and what is left of it afterwards."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from konsilium.adapters import sandbox
from konsilium.adapters.sandbox import MIB, Failed, Killed, Limits, isolation, run
from tests.adapters import hostile_tasks

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = {
    name: f"tests.adapters.hostile_tasks:{name}"
    for name, task in vars(hostile_tasks).items()
    if callable(task) and getattr(task, "__module__", "") == hostile_tasks.__name__
}
WITH_HOSTILE = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from konsilium.adapters import sandbox_child as child; "
    f"child.TASKS.update({HOSTILE!r}); child.main()"
)
QUICK = Limits(wall_seconds=30, cpu_seconds=10)


@pytest.fixture
def hostile(monkeypatch):
    """Let the sandbox know the hostile tasks."""
    monkeypatch.setattr(sandbox, "COMMAND", (sys.executable, "-I", "-X", "utf8", "-c", WITH_HOSTILE))
    for name, place in HOSTILE.items():
        monkeypatch.setitem(sandbox.TASKS, name, place)


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def needs(wall):
    return pytest.mark.skipif(not isolation()[wall], reason=f"this machine allows no wall around {wall}")


def is_gone(pid, within=5.0):
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not psutil.pid_exists(pid):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.usefixtures("hostile")
class TestAnswer:
    def test_plain_values_go_in_and_come_out_and_progress_is_told(self, scratch):
        told = []
        result = run("answer", {"n": 1, "list": ["я"]}, scratch=scratch, on_progress=told.append)
        assert (result["n"], result["list"], result["cwd"], told) == (1, ["я"], str(scratch), [0.5])

    def test_the_child_inherits_nothing_of_the_environment(self, scratch, monkeypatch):
        monkeypatch.setenv("KONSILIUM_SECRET_KEY", "secret")
        seen = run("answer", {}, scratch=scratch)["environment"]
        assert set(seen) - {"LC_CTYPE"} == set(sandbox.ENVIRONMENT)

    def test_characters_that_a_database_cant_hold_are_left_out(self, scratch):
        assert run("odd_text", {}, scratch=scratch) == {"text": ["ab", "half ?", "/p", 1.5, None]}

    def test_a_number_that_is_none_is_a_crash_not_an_answer(self, scratch):
        with pytest.raises(Failed, match="ValueError"):
            run("not_a_number", {}, scratch=scratch)

    def test_the_use_of_memory_and_time_is_told(self, scratch):
        told = []
        run("eat", {"size": 200 * MIB}, scratch=scratch, on_usage=told.append)
        assert 200 * MIB < told[0].peak_bytes < 300 * MIB
        assert 0 < told[0].cpu_seconds < 10

    def test_a_task_that_is_not_in_the_table_is_not_started(self, scratch):
        with pytest.raises(ValueError, match="os:system"):
            run("os:system", {}, scratch=scratch)


@pytest.mark.usefixtures("hostile")
class TestWalls:
    @needs("files")
    def test_only_files_named_in_the_arguments_can_be_read(self, scratch, tmp_path):
        named, other = tmp_path / "named", tmp_path / "other"
        named.write_text("named")
        other.write_text("other")
        assert run("read", {"path": str(named)}, scratch=scratch) == {"content": "named"}
        with pytest.raises(Failed, match="PermissionError"):
            run("read", {"path": "", "also": "../other"}, scratch=scratch)

    @needs("files")
    def test_nothing_can_be_written_outside_the_scratch_folder(self, scratch, tmp_path):
        with pytest.raises(Failed, match="PermissionError"):
            run("write", {"path": "../outside"}, scratch=scratch)
        run("write", {"path": "inside"}, scratch=scratch)
        assert [entry.name for entry in scratch.iterdir()] == ["inside"]
        assert (scratch / "inside").stat().st_mode & 0o777 == 0o600

    @needs("files")
    def test_a_file_that_may_be_read_may_not_be_changed(self, scratch, tmp_path):
        original = tmp_path / "original"
        original.write_text("as it came")
        with pytest.raises(Failed, match="PermissionError"):
            run("write", {"path": str(original)}, scratch=scratch)
        assert original.read_text() == "as it came"

    @needs("files")
    def test_the_secrets_of_other_processes_cant_be_read(self, scratch):
        own = f"/proc/{os.getpid()}/environ"
        assert Path(own).read_bytes()
        with pytest.raises(Failed, match="PermissionError"):
            # A relative path, since absolute ones among the arguments may be read.
            run("read", {"path": "", "also": os.path.relpath(own, scratch)}, scratch=scratch)

    @needs("programs")
    def test_rights_of_files_cant_be_changed(self, scratch, tmp_path):
        original = tmp_path / "original"
        original.touch(0o600)
        with pytest.raises(Failed, match="PermissionError"):
            run("open_up", {"path": str(original)}, scratch=scratch)
        assert original.stat().st_mode & 0o777 == 0o600

    @needs("network")
    def test_there_is_no_network_not_even_to_this_computer(self, scratch):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            hostile_tasks.connect(scratch, port)
            with pytest.raises(Failed):
                run("connect", {"port": port}, scratch=scratch)

    @pytest.mark.skipif(
        subprocess.run(["unshare", "--user", "--net", "true"], check=False).returncode != 0,
        reason="this machine allows no namespaces",
    )
    def test_its_network_is_another_one_with_nobody_in_it(self, scratch):
        here = str(Path("/proc/self/ns/net").readlink())
        assert run("network", {}, scratch=scratch)["network"] not in (here, "")

    @needs("sockets")
    def test_local_services_cant_be_reached(self, scratch):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(scratch / "s"))
            server.listen()
            hostile_tasks.connect_local(scratch, str(scratch / "s"))
            with pytest.raises(Failed, match="PermissionError"):
                run("connect_local", {"place": "s"}, scratch=scratch)

    @needs("programs")
    @pytest.mark.parametrize("task", ["start", "fork"])
    def test_no_program_and_no_process_can_be_started(self, scratch, task):
        with pytest.raises(Failed, match="PermissionError"):
            run(task, {}, scratch=scratch)

    @needs("programs")
    def test_other_processes_cant_be_touched(self, scratch):
        with pytest.raises(Failed, match="PermissionError"):
            run("kill", {"pid": os.getpid()}, scratch=scratch)

    def test_threads_still_work_for_decoders_that_want_them(self, scratch):
        assert run("thread", {}, scratch=scratch) == {"done": 1}


@pytest.mark.usefixtures("hostile")
class TestLimits:
    def test_memory_ends_at_the_limit(self, scratch):
        told = []
        with pytest.raises(Killed, match="memory"):
            run(
                "eat",
                {"size": 600 * MIB},
                scratch=scratch,
                limits=Limits(memory_bytes=512 * MIB),
                on_usage=told.append,
            )
        assert told[0].peak_bytes < 512 * MIB

    def test_time_on_the_processor_ends(self, scratch):
        begun = time.monotonic()
        with pytest.raises(Killed, match="time"):
            run("spin", {}, scratch=scratch, limits=Limits(cpu_seconds=1, wall_seconds=60))
        assert time.monotonic() - begun < 20

    @pytest.mark.parametrize("task", ["write_and_sleep", "close_and_sleep"])
    def test_time_on_the_clock_ends(self, scratch, task, monkeypatch):
        monkeypatch.setattr(sandbox, "_LAST_SECONDS", 1)
        with pytest.raises(Killed, match="time"):
            run(task, {}, scratch=scratch, limits=Limits(wall_seconds=1))

    def test_one_large_file_and_many_small_ones_both_end(self, scratch):
        with pytest.raises(Killed, match="size"):
            run(
                "write_much",
                {"files": 1, "size": 2 * MIB},
                scratch=scratch,
                limits=Limits(file_bytes=MIB),
            )
        with pytest.raises(Killed, match="size"):
            run(
                "write_much",
                {"files": 1000, "size": MIB},
                scratch=scratch,
                limits=Limits(scratch_bytes=8 * MIB, wall_seconds=30),
            )
        assert list(scratch.iterdir()) == []

    def test_an_endless_answer_ends(self, scratch):
        with pytest.raises(Killed, match="answer"):
            run("flood", {}, scratch=scratch, limits=Limits(answer_bytes=MIB, wall_seconds=30))


@pytest.mark.usefixtures("hostile")
class TestEnd:
    def test_a_killed_child_leaves_no_process_and_no_file_but_what_was_there_stays(self, scratch):
        (scratch / "source").write_text("the caller's")
        pids = []
        with pytest.raises(Killed):
            run(
                "write_and_sleep",
                {},
                scratch=scratch,
                limits=Limits(wall_seconds=2),
                on_progress=lambda _: pids.append(int((scratch / "pid").read_text())),
            )
        assert is_gone(pids[0])
        assert [entry.name for entry in scratch.iterdir()] == ["source"]

    def test_who_listens_to_progress_may_end_the_task(self, scratch):
        class Cancelled(Exception):
            pass

        pids = []

        def cancel(_part):
            pids.append(int((scratch / "pid").read_text()))
            raise Cancelled

        with pytest.raises(Cancelled):
            run("write_and_sleep", {}, scratch=scratch, limits=QUICK, on_progress=cancel)
        assert is_gone(pids[0])
        assert list(scratch.iterdir()) == []

    @pytest.mark.parametrize(
        ("task", "kind"),
        [
            ("crash", "SIGSEGV"),
            ("break_down", "ValueError"),
            ("leave", "SystemExit"),
            ("end_without_a_word", "NoAnswer"),
        ],
    )
    def test_a_crash_is_told_by_its_kind_and_nothing_of_the_content(self, scratch, task, kind, capfd):
        with pytest.raises(Failed) as told:
            run(task, {}, scratch=scratch, limits=QUICK)
        assert (told.value.kind, told.value.args, told.value.__cause__) == (kind, (kind,), None)
        assert capfd.readouterr() == ("", "")

    def test_the_child_dies_with_its_parent(self, scratch):
        program = (
            "import sys; from pathlib import Path; from konsilium.adapters import sandbox\n"
            f"sandbox.COMMAND = (sys.executable, '-I', '-c', {WITH_HOSTILE!r})\n"
            "sandbox.TASKS['write_and_sleep'] = ''\n"
            f"sandbox.run('write_and_sleep', {{}}, scratch=Path({str(scratch)!r}))"
        )
        parent = subprocess.Popen([sys.executable, "-c", program])
        end = time.monotonic() + 20
        while not (scratch / "folder").exists() and time.monotonic() < end:
            time.sleep(0.02)
        child = int((scratch / "pid").read_text())
        assert psutil.pid_exists(child)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert is_gone(child)

    def test_it_works_from_any_thread(self, scratch):
        found = []
        asking = threading.Thread(target=lambda: found.append(run("thread", {}, scratch=scratch)))
        asking.start()
        asking.join()
        assert found == [{"done": 1}]


def modules_after(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_parents_side_knows_no_parser_and_the_childs_side_no_table():
    outside = modules_after("import konsilium.adapters.sandbox, konsilium.adapters.kinds")
    adapters = ROOT / "src" / "konsilium" / "adapters"
    rooms = [path for room in ("inspection", "imaging") for path in (adapters / room).glob("*.py")]
    names = [f"konsilium.adapters.{path.parent.name}.{path.stem}" for path in rooms]
    inside = modules_after(f"import {', '.join(['konsilium.adapters.sandbox_child', *names])}")
    assert outside.isdisjoint({"PIL", "pydicom", "zipfile", "numpy", "pypdf", "django"})
    assert "konsilium.adapters.sandbox_walls" in inside
    assert inside.isdisjoint({"django", "konsilium.models", "konsilium.settings", "konsilium.actions"})


def test_every_wall_stands_or_is_said_not_to():
    assert set(isolation()) == {"network", "sockets", "files", "programs", "memory", "privileges"}
    assert isolation()["memory"]
    assert isolation()["privileges"]
