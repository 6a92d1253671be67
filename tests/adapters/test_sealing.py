import pytest

from konsilium.adapters.sealing import NotOpened, open_sealed, seal


@pytest.mark.parametrize("content", [b"", b"password", "пароль".encode() * 1000])
def test_what_was_sealed_opens_again(content):
    assert open_sealed(seal(content)) == content


def test_the_same_content_is_never_the_same_twice_and_never_stands_there():
    one, other = seal(b"password"), seal(b"password")
    assert one != other
    assert b"password" not in one


@pytest.mark.parametrize("place", [0, 1, 12, 13, -1])
def test_a_changed_byte_opens_nothing(place):
    sealed = bytearray(seal(b"password"))
    sealed[place] ^= 1
    with pytest.raises(NotOpened):
        open_sealed(bytes(sealed))


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x01" + b"0" * 11, b"\x01" + b"0" * 30])
def test_what_was_never_sealed_is_refused(junk):
    with pytest.raises(NotOpened):
        open_sealed(junk)


def test_another_deployments_key_opens_nothing(settings):
    sealed = seal(b"password")
    settings.SECRET_KEY = "another key of another deployment, long enough"
    with pytest.raises(NotOpened):
        open_sealed(sealed)
