"""Where somebody comes from, what their browser is called, and what the head of a page costs."""

import pytest
from django.test import RequestFactory

from konsilium.models import Person
from konsilium.models.access import signing_in
from konsilium.notifications import letters
from konsilium.web.account.devices import device_name
from konsilium.web.account.network import network_of
from konsilium.web.context import DESKS, address, home_of
from konsilium.workflow.roles import EVERYBODY, Role
from tests.cast import NOW


def came(remote, forwarded=""):
    more = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return network_of(RequestFactory().get("/", REMOTE_ADDR=remote, **more))


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", "127.0.0.0/24"),
        ("nonsense", "127.0.0.0/24"),
    ],
)
def test_a_network_is_a_24_or_a_64(remote, network):
    assert came(remote) == network


def test_nobody_but_a_trusted_proxy_says_where_somebody_comes_from(settings):
    assert came("203.0.113.77", "198.51.100.1") == "203.0.113.0/24"
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "127.0.0.1/32"]
    assert came("203.0.113.77", "198.51.100.1") == "203.0.113.0/24"
    assert came("127.0.0.1", "198.51.100.1") == "198.51.100.0/24"
    assert came("127.0.0.1", "192.0.2.9, 198.51.100.1, 10.1.1.1") == "198.51.100.0/24"
    assert came("127.0.0.1", "192.0.2.9, nonsense") == "127.0.0.0/24"
    assert came("127.0.0.1") == "127.0.0.0/24"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/141.0 YaBrowser/25.1 Safari/537.36",
         "Yandex, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("curl/8.1", "curl/8.1"),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_a_few_words(agent, name):
    assert device_name(agent) == name


def test_every_role_has_a_desk_to_come_home_to():
    assert set(DESKS) == set(EVERYBODY)
    assert all(address(name) for desks in DESKS.values() for name, _ in desks)
    assert home_of(Role.DISPATCHER) == "/triage/"


@pytest.mark.django_db
def test_the_head_costs_one_query_where_it_is_shown(cast, client_as):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert client_as(cast.omsk_doctor).get("/notices/").status_code == 200
    of_notices = [query["sql"] for query in queries if "konsilium_notice" in query["sql"]]
    assert len(of_notices) == 3  # the page, whether any is unread, and the head's count


@pytest.mark.django_db
def test_a_letter_with_a_link_leaves_once_the_transaction_has_ended(
    cast, settings, monkeypatch, django_capture_on_commit_callbacks
):
    from konsilium.adapters.mail import NullMail

    server = NullMail()
    monkeypatch.setattr(letters, "mailer", lambda url: server)
    with signing_in():
        person = Person.objects.get(login="omsk_doctor")
    assert not letters.send_reset(person, "https://konsilium.example/link/x/", at=NOW)
    settings.SMTP_URL = "null://"
    for send in (letters.send_reset, letters.send_invitation):
        with django_capture_on_commit_callbacks() as callbacks:
            assert send(person, "https://konsilium.example/link/x/", at=NOW)
        assert server.sent == []
        thread = callbacks[0].__self__
        thread.start()
        thread.join()
        letter = server.sent.pop()
        assert (letter.to, "https://konsilium.example/link/x/" in letter.text) == (
            "omsk_doctor@example.org",
            True,
        )
        assert "omsk_doctor" in letter.text
    person.email = ""
    assert not letters.send_invitation(person, "x", at=NOW)
