"""The store in a bucket: parts, hashes compared on both ends, conditions, what broken sendings leave, bad addresses."""

import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from konsilium.adapters.storage import BadAddress, BadStore, Damaged, StoreUnreachable, connect, read_address
from konsilium.adapters.storage.s3 import PART, S3Store
from tests import bucket

LATER = timedelta(minutes=5)


@pytest.fixture
def store(s3_endpoint, tmp_path):
    return bucket.new_store(s3_endpoint, tmp_path / "files")


@pytest.fixture
def client(s3_endpoint):
    return bucket.client_at(s3_endpoint)


def read(store, sha256, start=0, length=None):
    return b"".join(store.open_range(sha256, start, length))


def finished(folder, content):
    path = folder / "finished"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def at(store, sha256):
    return {"Bucket": bucket.BUCKET, "Key": f"{store._address.prefix}{sha256}"}


def keys(store, client):
    rows = client.list_objects_v2(Bucket=bucket.BUCKET, Prefix=store._address.prefix)
    return [row["Key"].removeprefix(store._address.prefix) for row in rows.get("Contents", ())]


def unfinished(store, client):
    rows = client.list_multipart_uploads(Bucket=bucket.BUCKET, Prefix=store._address.prefix)
    return [row["Key"] for row in rows.get("Uploads", ())]


def left_behind(tmp_path):
    return [path.name for path in tmp_path.rglob("*") if path.is_file()]


def test_a_large_file_goes_in_parts_and_comes_back(store, client, tmp_path):
    whole = os.urandom(2 * PART + 1)
    path, sha256 = finished(tmp_path, whole)
    store.keep_file(path, sha256)
    assert read(store, sha256) == whole
    assert read(store, sha256, PART - 5, 10) == whole[PART - 5 : PART + 5]
    assert client.head_object(**at(store, sha256))["ETag"].endswith('-3"')
    assert (unfinished(store, client), left_behind(tmp_path)) == ([], [])


def test_objects_stand_at_their_hash_under_the_prefix(store, client):
    sha256 = store.receive([b"here"], limit=10).sha256
    assert keys(store, client) == [sha256]


@pytest.mark.parametrize("size", [1000, 2 * PART])
def test_bytes_that_are_not_those_of_the_hash_become_no_object(store, client, tmp_path, size):
    path, _ = finished(tmp_path, bytes(size))
    with pytest.raises(Damaged):
        store.keep_file(path, "a" * 64)
    assert (keys(store, client), unfinished(store, client)) == ([], [])
    assert path.stat().st_size == size


@pytest.mark.parametrize(("size", "call"), [(1000, "PutObject"), (2 * PART, "UploadPart")])
def test_bytes_that_change_on_their_way_are_refused_by_the_server(store, client, tmp_path, size, call):
    path, sha256 = finished(tmp_path, os.urandom(size))

    def spoil(params, **_):
        params["body"] = bytes(min(size, PART))

    store._s3.meta.events.register(f"before-call.s3.{call}", spoil)
    with pytest.raises(StoreUnreachable):
        store.keep_file(path, sha256)
    assert (keys(store, client), unfinished(store, client), path.exists()) == ([], [], True)


def test_a_line_that_breaks_between_parts_leaves_nothing_and_keeps_the_file(store, client, tmp_path):
    path, sha256 = finished(tmp_path, os.urandom(3 * PART))

    def cut(params, **_):
        if params["query_string"]["partNumber"] == 2:
            raise EndpointConnectionError(endpoint_url="the bucket")

    store._s3.meta.events.register("before-call.s3.UploadPart", cut)
    with pytest.raises(StoreUnreachable):
        store.keep_file(path, sha256)
    assert (keys(store, client), unfinished(store, client)) == ([], [])
    store._s3.meta.events.unregister("before-call.s3.UploadPart", cut)
    store.keep_file(path, sha256)
    assert store.size(sha256) == 3 * PART


@pytest.mark.parametrize(("size", "call"), [(4, "PutObject"), (PART + 4, "CompleteMultipartUpload")])
def test_an_object_is_written_only_where_none_stands(store, client, tmp_path, size, call):
    path, sha256 = finished(tmp_path, bytes(size))

    def be_faster(**_):
        client.put_object(**at(store, sha256), Body=b"hers")

    store._s3.meta.events.register(f"before-call.s3.{call}", be_faster)
    assert store.keep_file(path, sha256).size == size
    assert read(store, sha256) == b"hers"
    assert unfinished(store, client) == []


def test_many_who_send_the_same_at_once_make_one_object(store, client, tmp_path):
    whole = os.urandom(PART + 1)
    with ThreadPoolExecutor(6) as pool:
        addresses = set(pool.map(lambda _: store.receive([whole], limit=len(whole)).sha256, range(6)))
    assert keys(store, client) == list(addresses)
    assert (read(store, *addresses), unfinished(store, client)) == (whole, [])


def test_half_an_object_is_replaced(store, client):
    sha256 = hashlib.sha256(b"the whole").hexdigest()
    client.put_object(**at(store, sha256), Body=b"the")
    store.receive([b"the whole"], limit=100)
    assert read(store, sha256) == b"the whole"


def test_receiving_again_gives_an_old_object_a_fresh_date(store, client):
    sha256 = store.receive([b"again"], limit=100).sha256
    before = client.head_object(**at(store, sha256))["LastModified"]
    time.sleep(1.1)
    store.receive([b"again"], limit=100)
    assert client.head_object(**at(store, sha256))["LastModified"] > before
    assert read(store, sha256) == b"again"


def test_a_parser_is_given_no_bytes_but_those_that_were_kept(store, client, tmp_path):
    sha256 = store.receive([b"kept"], limit=100).sha256
    client.put_object(**at(store, sha256), Body=b"bent")
    with pytest.raises(Damaged), store.open_path(sha256):
        pytest.fail("other bytes were given")
    assert left_behind(tmp_path) == []


def test_a_fetched_file_is_gone_afterwards(store, tmp_path):
    sha256 = store.receive([b"kept"], limit=100).sha256
    with store.open_path(sha256) as path:
        assert path.exists()
    assert left_behind(tmp_path) == []


def test_a_full_volume_of_the_caller_is_not_the_stores(store):
    sha256 = store.receive([b"kept"], limit=100).sha256
    with pytest.raises(OSError, match="the caller's"), store.open_path(sha256):
        raise OSError(28, "the caller's")


def test_only_addresses_are_orphans(store, client):
    client.put_object(Bucket=bucket.BUCKET, Key=f"{store._address.prefix}readme.txt", Body=b"x")
    client.put_object(Bucket=bucket.BUCKET, Key="a" * 64, Body=b"of somebody else")
    assert list(store.orphans(datetime.now(UTC) + LATER, known=())) == []


def test_more_orphans_than_a_page_of_the_protocol_are_found(store, client):
    names = {hashlib.sha256(str(number).encode()).hexdigest() for number in range(1010)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: client.put_object(**at(store, name), Body=b"x"), names))
    assert set(store.orphans(datetime.now(UTC) + LATER, known=())) == names


def test_sweeping_ends_what_a_killed_process_began(store, client, tmp_path):
    client.create_multipart_upload(**at(store, "a" * 64))
    (tmp_path / "files" / "passing" / "x.part").write_bytes(b"half")
    assert store.sweep(datetime.now(UTC) - LATER) == 0
    assert store.sweep(datetime.now(UTC) + LATER) == 2
    assert (unfinished(store, client), left_behind(tmp_path)) == ([], [])


def test_a_bucket_does_not_tell_its_room(store):
    assert store.free_bytes() is None


def nowhere(tmp_path, port, **more):
    return S3Store(bucket.address_at(f"http://127.0.0.1:{port}", **more), tmp_path / "files")


def test_a_store_that_is_away_is_said_and_leaves_nothing(tmp_path):
    store = nowhere(tmp_path, bucket.free_ports(1)[0])
    path, sha256 = finished(tmp_path, b"waits")
    for call in (
        lambda: store.receive([b"x"], limit=1),
        lambda: store.keep_file(path, sha256),
        lambda: store.exists(sha256),
        lambda: store.size(sha256),
        lambda: store.open_range(sha256),
        lambda: store.delete(sha256),
        lambda: list(store.orphans(datetime.now(UTC), known=())),
        lambda: store.sweep(datetime.now(UTC)),
        store.check,
    ):
        with pytest.raises(StoreUnreachable):
            call()
    assert left_behind(tmp_path) == ["finished"]


def test_a_start_says_that_there_is_no_such_bucket(s3_endpoint, tmp_path):
    store = S3Store(bucket.address_at(s3_endpoint, bucket="not-there"), tmp_path)
    with pytest.raises(BadStore, match=r"no bucket not-there at .* Make it, or correct KONSILIUM_STORE_URL"):
        store.check()


@pytest.mark.parametrize("wrong", [{"key": "nobody"}, {"secret": "wrong-secret"}])
def test_a_start_says_that_the_keys_are_wrong(s3_endpoint, tmp_path, wrong):
    store = S3Store(bucket.address_at(s3_endpoint, **wrong), tmp_path)
    with pytest.raises(BadStore, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        store.check()


KEYS = {"AWS_ACCESS_KEY_ID": "who", "AWS_SECRET_ACCESS_KEY": "hush"}


def test_an_address_names_bucket_prefix_endpoint_and_region():
    address = read_address("s3://files/konsilium/one?endpoint=https://s3.example.org:9000&region=ru-1", KEYS)
    assert (address.bucket, address.prefix, address.endpoint, address.region) == (
        "files",
        "konsilium/one/",
        "https://s3.example.org:9000",
        "ru-1",
    )
    assert read_address("s3://files?endpoint=http://h", KEYS).prefix == ""
    assert (address.key, address.secret) == ("who", "hush")
    assert "hush" not in repr(address)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://files?endpoint=http://h", "looks like s3://"),
        ("s3://files?endpoint=http://h&pathstyle=1", "only endpoint and region"),
        ("s3://ab?endpoint=http://h", "3 to 63"),
        ("s3://Files?endpoint=http://h", "small letters"),
        ("s3://files?endpoint=h:9000", "names its endpoint"),
        ("s3://files", "names its endpoint"),
    ],
)
def test_a_bad_address_says_what_to_write(url, words):
    with pytest.raises(BadAddress, match=words):
        read_address(url, KEYS)


def test_an_address_without_keys_names_those_that_lack():
    with pytest.raises(BadAddress, match="AWS_SECRET_ACCESS_KEY"):
        read_address("s3://files?endpoint=http://h", {"AWS_ACCESS_KEY_ID": "who"})


def test_an_address_gives_a_bucket_and_no_address_the_folder(tmp_path, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    assert isinstance(connect("s3://files?endpoint=http://127.0.0.1:1", tmp_path), S3Store)
    assert connect("", tmp_path).check() is None


LOADS_NOTHING = """
import sys
from pathlib import Path
from konsilium.adapters.storage import connect
connect("", Path(sys.argv[1]))
sys.exit("botocore" in sys.modules)
"""
SENDS = """
import hashlib, resource, sys
from pathlib import Path
from konsilium.adapters.storage.s3 import S3Store
from konsilium.adapters.storage import S3Address
endpoint, folder = sys.argv[1], Path(sys.argv[2])
store = S3Store(S3Address("tests", "memory/", endpoint, "us-east-1", "tests-key", "tests-secret"), folder)
store.receive([b"warm"], 10)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sha256 = store.receive((bytes([number % 251]) * 65536 for number in range(16 * 96)), 96 * 2**20).sha256
with store.open_path(sha256) as path:
    pass
store.delete(sha256)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def python(code, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(Path(connect.__code__.co_filename).parents[3])}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_without_a_bucket_its_library_is_not_loaded(tmp_path):
    assert python(LOADS_NOTHING, str(tmp_path)).returncode == 0


def test_a_large_file_is_never_whole_in_memory(s3_endpoint, tmp_path):
    done = python(SENDS, s3_endpoint, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 48 * 1024  # kB, of a file of 96 MB
