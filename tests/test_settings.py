"""Settings are read from the environment, and a bad one is one sentence and exit code 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHOW = (
    "import json; from django.conf import settings as s; "
    "print(json.dumps([s.DATABASES, str(s.SOCKET_FOLDER), s.ALLOWED_HOSTS, s.SECRET_KEY, s.SESSION_COOKIE_NAME]))"
)


def python(*arguments, data, **settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KONSILIUM_")}
    more = {
        "PYTHONPATH": str(ROOT / "src"),
        "DJANGO_SETTINGS_MODULE": "konsilium.settings",
        "KONSILIUM_DATA": str(data),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=kept | more | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def shown(data, **settings):
    done = python("-c", SHOW, data=data, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("KONSILIUM_PORT", "eighty", "KONSILIUM_PORT must be a port from 1 to 65535"),
        ("KONSILIUM_PORT", "70000", "KONSILIUM_PORT must be a port from 1 to 65535"),
        ("KONSILIUM_WORKERS", "0", "KONSILIUM_WORKERS must be"),
        ("KONSILIUM_DATABASE_URL", "mysql://x/y", "A database's address looks like"),
        ("KONSILIUM_DATABASE_URL", "postgresql://x:y@h:port/k", "A database's address looks like"),
        ("KONSILIUM_TRUSTED_PROXIES", "my.proxy", "KONSILIUM_TRUSTED_PROXIES must be addresses"),
        ("KONSILIUM_DATA", "/proc/nowhere", "can't be made"),
        ("KONSILIUM_STORE_URL", "/mnt/files", "A store's address looks like s3://"),
        ("KONSILIUM_STORE_URL", "s3://ab?endpoint=http://h", "A bucket's name has 3 to 63"),
        ("KONSILIUM_STORE_URL", "s3://files", "names its endpoint"),
        (
            "KONSILIUM_STORE_URL",
            "s3://files?endpoint=http://h",
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        ("KONSILIUM_NIGHT", "evening", "KONSILIUM_NIGHT must be two hours in UTC"),
        ("KONSILIUM_NIGHT", "3-3", "KONSILIUM_NIGHT must be two hours in UTC"),
        ("KONSILIUM_TURN_URLS", "stun:host", "KONSILIUM_TURN_URLS holds addresses like turn:"),
        ("KONSILIUM_TURN_URLS", "turn:host", "both KONSILIUM_TURN_URLS and KONSILIUM_TURN_SECRET"),
        ("KONSILIUM_RETENTION", "conclusion_scan=5y", "is kept for at least 25 years"),
    ],
)
def test_a_bad_setting_is_one_sentence_and_exit_code_2(tmp_path, name, value, words):
    for command in ("serve", "check"):
        done = python(
            "-m",
            "konsilium",
            command,
            **{"data": tmp_path, name: value},
        )
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_host_that_is_not_ours_is_said(tmp_path):
    done = python(
        "-m", "konsilium", "serve", data=tmp_path, KONSILIUM_HOST="192.0.2.1", KONSILIUM_PORT="8123"
    )
    assert done.returncode == 2
    assert "192.0.2.1:8123 can't be used" in done.stderr


def test_a_key_is_made_once_and_closed_to_others(tmp_path):
    first, second = shown(tmp_path)[3], shown(tmp_path)[3]
    assert first == second
    assert len(first) >= 50
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_lost_its_content_is_refused(tmp_path):
    (tmp_path / "secret-key").write_text("")
    done = python("-m", "konsilium", "check", data=tmp_path)
    assert (done.returncode, "is too short" in done.stderr) == (2, True)


def test_the_embedded_database_is_reached_inside_the_data_folder(tmp_path):
    databases, sockets, *_ = shown(tmp_path)
    assert sockets == str(tmp_path / "socket")
    assert [databases[alias]["USER"] for alias in ("default", "owner")] == [
        "konsilium_app",
        "konsilium_owner",
    ]
    assert {database["HOST"] for database in databases.values()} == {sockets}


def test_a_socket_moves_out_of_a_folder_whose_path_is_too_long(tmp_path):
    _, sockets, *_ = shown(tmp_path / ("folder" * 15), XDG_RUNTIME_DIR="/run/user/1")
    assert sockets.startswith("/run/user/1/konsilium-")


def test_beside_an_outside_database_nobody_is_its_owner_unless_told(tmp_path):
    url = "postgresql://app:p%40ss@db.example.org:5433/konsilium?sslmode=verify-full"
    databases, *_ = shown(tmp_path, KONSILIUM_DATABASE_URL=url)
    assert list(databases) == ["default"]
    found = databases["default"]
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == (
        "app",
        "p@ss",
        "db.example.org",
        "5433",
    )
    assert found["OPTIONS"]["sslmode"] == "verify-full"
    owner = "postgresql://boss@db.example.org/konsilium"
    databases, *_ = shown(tmp_path, KONSILIUM_DATABASE_URL=url, KONSILIUM_OWNER_DATABASE_URL=owner)
    assert databases["owner"]["USER"] == "boss"


def test_an_address_with_https_closes_cookies_and_is_answered(tmp_path):
    _, _, hosts, _, cookie = shown(tmp_path, KONSILIUM_PUBLIC_URL="https://consult.example.org")
    assert "consult.example.org" in hosts
    assert cookie == "__Host-konsilium"
