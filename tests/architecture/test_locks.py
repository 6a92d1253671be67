"""What is installed is named exactly, by hash, and from nowhere in particular: a mirror serves as well."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock", "requirements-h323.lock")
PINNED = re.compile(r"^[a-z0-9][a-z0-9.-]*==[^ ]+( ; .+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
ADDRESS = re.compile(r"https?://|file://|--index-url|--extra-index-url|--find-links| @ ")


def locked(name):
    return {line.split("==")[0] for line in (ROOT / name).read_text().splitlines() if "==" in line}


def versions(name):
    return {line.split()[0] for line in (ROOT / name).read_text().splitlines() if "==" in line}


def asked(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("-r ")]
    return {re.split(r"[\[~=<> ;]", line)[0].lower().replace("_", "-") for line in lines}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_exact_versions_with_hashes_and_no_address(name):
    strange = [
        line
        for line in (ROOT / name).read_text().splitlines()
        if ADDRESS.search(line) or not (PINNED.match(line) or HASH.match(line))
    ]
    assert strange == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name):
    packages = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    assert [package for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [
        ("requirements.in", "requirements.lock"),
        ("requirements-dev.in", "requirements-dev.lock"),
        ("requirements-h323.in", "requirements-h323.lock"),
    ],
)
def test_everything_asked_for_is_locked(wanted, lock):
    assert asked(wanted) <= locked(lock)


def test_what_runs_in_production_is_tested_in_the_same_version():
    assert versions("requirements.lock") <= versions("requirements-dev.lock")


def test_the_browser_sides_lock_holds_hashes_and_no_address():
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    others = {path: entry for path, entry in packages.items() if path}
    assert [
        path for path, entry in others.items() if not entry.get("integrity", "").startswith("sha512-")
    ] == []
    assert [path for path, entry in others.items() if "resolved" in entry] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "frontend" / ".npmrc").read_text()


def test_the_browser_sides_packages_are_named_in_one_exact_version():
    wanted = json.loads((ROOT / "frontend" / "package.json").read_text())
    versions = {**wanted.get("dependencies", {}), **wanted.get("devDependencies", {})}
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_locks_that_record_where_they_came_from_are_not_kept():
    kept = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    names = {Path(path).name for path in kept}
    assert (
        names & {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml"}
        == set()
    )


def test_the_import_contract_names_every_room():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(contract for contract in contracts if contract["type"] == "layers")
    named = {room.strip() for floor in floors["layers"] for room in floor.split("|")} | set(
        floors["exhaustive_ignores"]
    )
    package = ROOT / "src" / "konsilium"
    rooms = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert rooms - named == {"__init__"}


def test_no_file_names_a_package_registry():
    hosts = [
        ".".join(parts)
        for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))
    ]
    pattern = [word for host in hosts for word in ("-e", host)]
    found = subprocess.run(
        ["git", "grep", "-lIF", *pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
