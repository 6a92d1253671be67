"""The prober: what is asked is looked at once, by the approved address alone, and written into the open test."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import ProgrammingError, close_old_connections, transaction

from konsilium.actions import echoing, equipment, probing, testing
from konsilium.actions.looking import _login, address_of
from konsilium.actions.probing import Prober
from konsilium.adapters.reach import Guard
from konsilium.adapters.sip import client
from konsilium.adapters.sip.baresip import program
from konsilium.adapters.sip.echo import Desk, EchoLine
from konsilium.models import (
    Consultation,
    DeskEvent,
    Endpoint,
    EndpointSecret,
    EquipmentTest,
    Organization,
    Probe,
    TestStep,
    access,
)
from konsilium.models.access import acting, as_prober, as_worker
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.probing import ANSWERS, ONE_EVERY, Found, NotReached, StepFound
from konsilium.workflow.roles import SYSTEM
from tests.factories import NOW
from tests.sip_bed import Authority, Honeypot, Server, answer, registrar

pytestmark = pytest.mark.django_db
NAME = "codec.omsk.example"
SECRET = "пароль кодека"
CODEC = {"kind": "sip", "name": "Кодек", "address": NAME, "transport": "udp", "account": "omsk01"}


def prober(**named):
    """A prober whose judge lets it reach loopback. No setting makes such a one."""
    guard = Guard({}, resolve=lambda name: ["127.0.0.1"], judge=lambda number, oid: True)
    return Prober(**{"guard": guard, "every": timedelta(0), **named})


@pytest.fixture
def codec(cast):
    """Makes an approved codec at a port, with an open test."""

    def make(port, **values):
        with acting(cast.omsk_technician):
            house = Organization.objects.get(pk=cast.house("omsk"))
            facts = {**CODEC, "address": f"{NAME}:{port}", "registrar": f"{NAME}:{port}", **values}
            row = equipment.add_endpoint(house, facts, actor=cast.omsk_technician, at=NOW)
            equipment.set_password(row, SECRET, actor=cast.omsk_technician, at=NOW)
        with acting(cast.coordinator):
            testing.approve(row, actor=cast.coordinator, at=NOW)
            row.refresh_from_db()
            return testing.open_test(row, actor=cast.coordinator, at=NOW)

    return make


def ask(cast, test, kind="options", who="coordinator", at=NOW):
    actor = cast.actor_of(who)
    with acting(actor):
        row = EquipmentTest.objects.select_related("endpoint").get(pk=test.pk)
        return probing.ask(row.endpoint, kind, test=row, actor=actor, at=at)


def said(cast, probe):
    with acting(cast.coordinator):
        return Probe.objects.get(pk=probe.pk)


def steps(cast):
    with acting(cast.coordinator):
        return {step.code: step for step in TestStep.objects.all()}


def ok(request, number):
    return [answer(request, "200 OK")]


# --- What is looked at


def test_an_answer_stands_in_the_probe_in_the_open_test_and_in_the_story(cast, codec):
    with Server(ok) as server:
        asked = ask(cast, codec(server.port))
        assert probing.run_pending(prober(), at=NOW) == 1
        assert len(server.got) == 1
    row = said(cast, asked)
    assert (row.state, row.answer, row.asked_by) == ("done", "answers", cast.coordinator.name)
    assert row.done_at >= row.begun_at == NOW
    step = steps(cast)["reach"]
    assert (step.outcome, step.person_name, step.person_id) == ("passed", "", None)
    assert step.measured["connect_ms"] < 1000
    with acting(cast.coordinator):
        assert EquipmentTest.objects.get().reachable is True
        told = {event.kind: event for event in DeskEvent.objects.all()}
        assert told["probe_asked"].actor_name == cast.coordinator.name
        assert told["probe_made"].text == "options: answers"
        assert told["probe_made"].organization_id == cast.house("omsk")


@pytest.mark.parametrize(
    ("password", "code", "outcome"), [(SECRET, "login_right", "passed"), ("other", "login_wrong", "failed")]
)
def test_the_sealed_password_is_tried_at_the_accounts_server(cast, codec, password, code, outcome):
    with Server(registrar("omsk01", password)) as server:
        asked = ask(cast, codec(server.port), "register")
        probing.run_pending(prober(), at=NOW)
    assert said(cast, asked).answer == code
    assert steps(cast)["credentials"].outcome == outcome
    assert SECRET not in repr(said(cast, asked).measured)


def test_a_certificate_has_a_step_of_its_own(cast, codec, tmp_path):
    authority = Authority(tmp_path)
    with Server(ok, "tls", authority.server("elsewhere.example")) as server:
        asked = ask(cast, codec(server.port, transport="tls"), "tls")
        probing.run_pending(prober(trust=authority.trust()), at=NOW)
    assert said(cast, asked).answer == "other_name"
    assert steps(cast)["tls"].outcome == "failed"
    assert "reach" not in steps(cast)


def test_without_a_password_nothing_is_asked(cast, codec):
    with Server(ok) as server:
        test = codec(server.port)
        with acting(cast.omsk_technician):
            endpoint = Endpoint.objects.get()
            equipment.set_password(endpoint, "", actor=cast.omsk_technician, at=NOW)
        asked = ask(cast, test, "register")
        probing.run_pending(prober(), at=NOW)
        assert server.got == []
    assert said(cast, asked).answer == "no_password"
    assert steps(cast) == {}


def test_a_kind_that_nobody_does_here_is_said(cast, codec):
    asked = ask(cast, codec(5060), "call")
    probing.run_pending(prober(looks={}), at=NOW)
    assert said(cast, asked).answer == "not_here"
    assert steps(cast) == {}


def test_a_look_that_breaks_stops_nobody_behind_it(cast, codec):
    def broken(task, reach, trust):
        raise ZeroDivisionError

    with Server(ok) as server:
        test = codec(server.port)
        first, second = ask(cast, test, "h323"), ask(cast, test, "options", at=NOW + timedelta(seconds=1))
        looks = {**probing.LOOKS, "h323": broken}
        assert probing.run_pending(prober(looks=looks), at=NOW + timedelta(seconds=2)) == 2
    assert (said(cast, first).answer, said(cast, second).answer) == ("broke", "answers")


def test_whatever_a_look_returns_is_written_by_steps_and_bands(cast, codec):
    found = Found(
        "call_limited",
        {"direction": "to them"},
        {
            "call": StepFound("", {"round_trip": 90.0}),
            "sound_in": StepFound("", {"loss": 4.8, "jitter": 12.0}),
            "picture_in": StepFound("passed", {"width": 1280.0}),
            "nowhere": StepFound("passed"),
        },
        picture=b"\x89PNG not really",
    )
    asked = ask(cast, codec(5060), "call")
    probing.run_pending(prober(looks={"call": lambda task, reach, trust: found}), at=NOW)
    assert {code: step.outcome for code, step in steps(cast).items()} == {
        "call": "limited",
        "sound_in": "failed",
        "picture_in": "passed",
    }
    assert said(cast, asked).measured["direction"] == "to them"
    with acting(cast.coordinator):
        assert len(EquipmentTest.objects.get().picture_sha256) == 64


def test_a_persons_word_stays_and_the_numbers_stand_beside_it(cast, codec):
    with Server(ok) as server:
        test = codec(server.port)
        with acting(cast.omsk_technician):
            row = EquipmentTest.objects.select_related("endpoint").get()
            testing.mark(row, "reach", "limited", note="Через раз.", actor=cast.omsk_technician, at=NOW)
        ask(cast, test)
        probing.run_pending(prober(), at=NOW)
    step = steps(cast)["reach"]
    assert (step.outcome, step.note, step.person_name) == ("limited", "Через раз.", cast.omsk_technician.name)
    assert "connect_ms" in step.measured


def test_a_concluded_test_is_never_written_again(cast, codec):
    with Server(ok) as server:
        test = codec(server.port)
        asked = ask(cast, test)
        with acting(cast.coordinator):
            testing.conclude(test, "failed", "Не отвечает.", actor=cast.coordinator, at=NOW)
        probing.run_pending(prober(), at=NOW)
    assert said(cast, asked).answer == "answers"
    assert steps(cast) == {}


# --- Test calls and the echo line


@pytest.mark.skipif(program() is None, reason="baresip is not installed")
def test_a_test_call_fills_the_steps_with_its_numbers(cast, codec):
    """What answers is an echo line of the tests' own, as a codec that sends back what it gets would."""
    landed = []
    line = EchoLine("127.0.0.1", 0, Desk(lambda number: number, lambda *told: landed.append(told)))
    line.start()
    try:
        asked = ask(cast, codec(line.port, account="12345678"), "call")
        probing.run_pending(prober(), at=NOW)
    finally:
        line.stop()
    row, found = said(cast, asked), steps(cast)
    assert row.answer in ("call_good", "call_limited")
    assert row.measured["codecs"] == {"audio": "opus", "video": "vp8"}
    assert found["sound_in"].measured["loss"] == 0
    assert found["picture_in"].measured["width"] == 640
    assert {"call", "sound_in", "sound_out", "picture_in", "picture_out"} == set(found)
    with acting(cast.coordinator):
        assert len(EquipmentTest.objects.get().picture_sha256) == 64


def test_a_call_without_the_program_is_said_and_leaves_every_step_open(cast, codec, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with Server(ok) as server:
        asked = ask(cast, codec(server.port), "call")
        probing.run_pending(prober(), at=NOW)
        assert server.got == []
    assert said(cast, asked).answer == "not_here"
    assert steps(cast) == {}


def test_the_accounts_password_answers_for_its_own_server_alone(cast, codec):
    test = codec(5060, registrar="elsewhere.omsk.example")
    ask(cast, test, "call")
    task = probing.take(at=NOW)
    assert task.password == SECRET
    assert _login(task, address_of(task)) is None
    own = replace(task, registrar=task.address)
    assert _login(own, address_of(own)).password == SECRET


FOUND = Found("echo_limited", {"seconds": 30.0}, {"sound_in": StepFound("limited", {"loss": 2.0})})


def test_a_call_to_the_echo_line_lands_in_the_open_test_whose_number_was_dialled(cast, codec):
    codec(5060)
    with acting(cast.coordinator):
        number = EquipmentTest.objects.get().echo_number
    assert len(number) == 8
    assert echoing.called(str(int(number) ^ 1)) is None
    assert echoing.called("") is None
    echoing.land(echoing.called(number), FOUND, at=NOW)
    assert (steps(cast)["sound_in"].outcome, steps(cast)["sound_in"].measured) == ("limited", {"loss": 2.0})
    with acting(cast.coordinator):
        row = Probe.objects.get()
        assert (row.kind, row.state, row.answer) == ("echo", "done", "echo_limited")
        assert DeskEvent.objects.filter(kind="probe_made", text="echo: echo_limited").count() == 1


def test_the_number_of_a_concluded_test_is_nobodys(cast, codec):
    test = codec(5060)
    call = echoing.called(test.echo_number)
    with acting(cast.coordinator):
        testing.conclude(test, "failed", "Не отвечает.", actor=cast.coordinator, at=NOW)
    assert echoing.called(test.echo_number) is None
    echoing.land(call, FOUND, at=NOW)
    assert steps(cast) == {}
    with acting(cast.coordinator):
        assert not Probe.objects.exists()


@pytest.mark.parametrize("values", [{"kind": "options"}, {"state": "waiting"}])
def test_the_prober_makes_no_probe_but_of_calls_that_came(cast, codec, values):
    test = codec(5060)
    fields = {"kind": "echo", "state": "done", "asked_at": NOW, "not_before": NOW, **values}
    with as_prober(), pytest.raises(ProgrammingError), transaction.atomic():
        Probe(endpoint_id=test.endpoint_id, test_id=test.pk, **fields).save(force_insert=True)


# --- Only what was approved


def test_what_lost_its_approval_meanwhile_is_not_connected_to(cast, codec, monkeypatch):
    pot = Honeypot()
    asked = ask(cast, codec(pot.port))
    with acting(cast.omsk_technician):
        equipment.change_endpoint(
            Endpoint.objects.get(), {"address": f"127.0.0.1:{pot.port}"}, actor=cast.omsk_technician, at=NOW
        )
    probing.run_pending(prober(), at=NOW)
    assert said(cast, asked).answer == "not_approved"
    assert pot.visits() == 0
    # The control run: approved again, the same prober goes there.
    monkeypatch.setattr(client, "ALL_SECONDS", 0.3)
    with acting(cast.coordinator):
        testing.approve(Endpoint.objects.get(), actor=cast.coordinator, at=NOW)
    ask(cast, asked.test)
    probing.run_pending(prober(), at=NOW)
    assert pot.visits() >= 1
    pot.close()


def test_what_is_out_of_use_is_not_connected_to(cast, codec):
    pot = Honeypot()
    asked = ask(cast, codec(pot.port))
    with acting(cast.omsk_technician):
        row = Endpoint.objects.get()
        equipment.change_endpoint(row, {"is_active": False}, actor=cast.omsk_technician, at=NOW)
    probing.run_pending(prober(), at=NOW)
    assert said(cast, asked).answer == "not_approved"
    assert pot.visits() == 0
    pot.close()


@pytest.mark.parametrize("kind", ["options", "tls", "register"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "127.1", "localhost", "10.0.0.1"])
def test_an_approved_inner_address_is_not_connected_to_either(cast, codec, kind, host):
    """As the deployment makes it: the coordinator's approval opens no network."""
    pot = Honeypot()
    asked = ask(cast, codec(pot.port, address=f"{host}:{pot.port}", registrar=f"{host}:{pot.port}"), kind)
    probing.run_pending(probing.prober_at_hand(), at=NOW)
    assert said(cast, asked).answer in ("closed_address", "bad_address")
    assert pot.visits() == 0
    pot.close()
    assert steps(cast) == {}


def test_a_private_network_is_opened_by_the_operator_for_one_organisation(cast, codec, settings):
    asked = []

    def look(task, reach, trust):
        asked.append(reach("10.99.0.7", 5060).number)
        return Found("answers")

    with acting(cast.coordinator):
        oid = Organization.objects.get(pk=cast.house("omsk")).oid
    test = codec(5060)
    for networks, code in (({"1.2.3": "10.99.0.0/16"}, "closed_address"), ({oid: "10.99.0.0/16"}, "answers")):
        from konsilium.adapters.reach import read_networks

        settings.PRIVATE_NETWORKS = read_networks(";".join(f"{one}={net}" for one, net in networks.items()))
        at_hand = probing.prober_at_hand()
        probe = ask(cast, test)
        probing.run_pending(Prober(at_hand.guard, timedelta(0), looks={"options": look}), at=NOW)
        assert said(cast, probe).answer == code
    assert asked == ["10.99.0.7"]


# --- How often, and by whom


def test_a_target_is_looked_at_once_in_thirty_seconds_however_it_is_spelled(cast, codec):
    with Server(ok) as server:
        test = codec(server.port)
        probes = [ask(cast, test), ask(cast, test, "register")]
        slow = prober(every=ONE_EVERY)
        probing.run_pending(slow, at=NOW)
        assert len(server.got) == 1
        assert [said(cast, one).state for one in probes] == ["done", "waiting"]
        probing.run_pending(slow, at=NOW + ONE_EVERY - timedelta(seconds=1))
        assert len(server.got) == 1
        probing.run_pending(slow, at=NOW + ONE_EVERY)
        assert said(cast, probes[1]).state == "done"
        assert len(server.got) == 2


def test_the_pause_holds_by_number_across_organisations_and_names(cast, codec):
    with Server(ok) as server:
        first = ask(cast, codec(server.port))
        with acting(cast.chita_technician):
            house = Organization.objects.get(pk=cast.house("chita"))
            facts = {**CODEC, "address": f"other.chita.example:{server.port}"}
            other = equipment.add_endpoint(house, facts, actor=cast.chita_technician, at=NOW)
        with acting(cast.coordinator):
            testing.approve(other, actor=cast.coordinator, at=NOW)
            second = probing.ask(Endpoint.objects.get(pk=other.pk), "options", actor=cast.coordinator, at=NOW)
        probing.run_pending(prober(every=ONE_EVERY), at=NOW)
        assert {said(cast, first).state, said(cast, second).state} == {"done", "waiting"}
        assert len(server.got) == 1


def test_who_may_ask(cast, codec):
    test = codec(5060)
    with acting(cast.omsk_doctor), pytest.raises(NotYours):
        probing.ask(test.endpoint, "options", actor=cast.omsk_doctor, at=NOW)
    with acting(cast.chita_technician), pytest.raises(ProgrammingError), transaction.atomic():
        probing.ask(test.endpoint, "options", actor=cast.chita_technician, at=NOW)
    with acting(cast.coordinator), pytest.raises(Refused):
        probing.ask(test.endpoint, "portscan", actor=cast.coordinator, at=NOW)
    with as_worker():
        rows = Endpoint.objects.only("organization_id", "approved_at")
        assert probing.ask(rows.get(), "options", actor=SYSTEM, at=NOW).state == "waiting"


def test_a_prober_that_died_leaves_a_probe_that_is_given_up(cast, codec):
    asked = ask(cast, codec(5060))
    assert probing.take(at=NOW).pk == asked.pk
    assert probing.take(at=NOW + timedelta(seconds=50)) is None
    assert said(cast, asked).state == "running"
    assert probing.take(at=NOW + timedelta(seconds=61)) is None
    assert (said(cast, asked).state, said(cast, asked).answer) == ("done", "broke")


@pytest.mark.django_db(transaction=True)
def test_two_probers_never_take_the_same_probe(cast, codec):
    test = codec(5060)
    for kind in ("options", "tls", "register", "call", "echo", "h323"):
        ask(cast, test, kind)
    taken, start = [], threading.Barrier(4)

    def work():
        start.wait()
        while task := probing.take(at=NOW):
            taken.append(task.pk)
        close_old_connections()
        from django.db import connection

        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(taken) == len(set(taken)) == 6


# --- What the prober can't


@pytest.mark.parametrize(
    "rows", [Consultation.objects, Endpoint.objects.filter(note__gt=""), DeskEvent.objects]
)
def test_the_prober_reads_nothing_beyond_addresses(rows):
    with as_prober(), pytest.raises(ProgrammingError), transaction.atomic():
        list(rows.all())


def test_nobody_but_the_prober_reads_a_password_back(cast, codec):
    codec(5060)
    with as_prober():
        assert EndpointSecret.objects.get().sealed
    for who in ("coordinator", "omsk_technician"):
        with acting(cast.actor_of(who)), pytest.raises(ProgrammingError), transaction.atomic():
            list(EndpointSecret.objects.values_list("sealed"))


def test_a_confined_process_enters_no_other_context(cast, codec, monkeypatch):
    codec(5060)
    monkeypatch.setattr(access, "_confined", {"k_prober", "k_door"})
    with as_prober():
        assert Probe.objects.count() == 0
    with pytest.raises(access.Confined), acting(cast.coordinator):
        pass
    with pytest.raises(access.Confined), as_worker():
        pass


def test_no_setting_makes_a_judge(settings):
    """What tests put in, no deployment can switch on: the prober at hand has the guard's own judge and pause."""
    settings.DEMO = True
    at_hand = probing.prober_at_hand()
    assert at_hand.guard.judge is None
    assert at_hand.guard.resolve is None
    assert at_hand.every == ONE_EVERY
    with pytest.raises(NotReached, match="closed_address"):
        at_hand.guard.judged("127.0.0.1", 5060, "")


def test_every_answer_of_a_refusal_is_a_known_code():
    assert {"closed_address", "bad_address", "bad_port", "no_name", "not_here", "broke"} <= set(ANSWERS)


def test_nothing_is_asked_before_the_approval(cast):
    with acting(cast.omsk_technician):
        house = Organization.objects.get(pk=cast.house("omsk"))
        row = equipment.add_endpoint(house, CODEC, actor=cast.omsk_technician, at=NOW)
        with pytest.raises(NotNow):
            probing.ask(row, "options", actor=cast.omsk_technician, at=NOW)
