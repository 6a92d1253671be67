"""The demonstration world, made once by calling actions as its people, never by inserting rows.

Only the first house, which registers all others, has nobody who could register it: the database's owner does.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connections, transaction
from django.utils import timezone

from konsilium import worker
from konsilium.actions import account, configuration, onboarding, people
from konsilium.demo import numbers
from konsilium.demo.equipment import equip
from konsilium.demo.places import APPLICANTS, CENTRES, HOSPITALS, PROFILES, WORDS, Place
from konsilium.demo.requests import tell
from konsilium.models import Membership, Organization, Person, Profile
from konsilium.models._base import uuid7
from konsilium.models.access import acting, as_worker, signing_in
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role

CAST_FILE = "demo-cast.json"
_FIRST_HOUSE = {
    "full_name": "Федеральный координационно-технический центр (демонстрация)",
    "short_name": "ФКТЦ",
    "oid": "1.2.643.5.1.13.13.12.1.77.7000",
    "inn": numbers.inn(7000),
    "ogrn": numbers.ogrn(7000),
    "region": "77",
    "time_zone": "Europe/Moscow",
}


@dataclass
class World:
    """Everybody by key and role, while the world is being made."""

    now: datetime
    actors: dict[str, Actor] = field(default_factory=dict)
    houses: dict[str, Organization] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    cast: list[dict[str, str]] = field(default_factory=list)
    serials: Iterator[int] = field(default_factory=lambda: count(7001))

    @contextmanager
    def as_(self, name: str) -> Iterator[Actor]:
        """Act as somebody, in their own database context."""
        with acting(self.actors[name]):
            yield self.actors[name]


def is_needed() -> bool:
    """Say whether the world is still to be made: no organisation is there, but for the first of a broken build."""
    with as_worker():
        return not Organization.objects.exclude(oid=_FIRST_HOUSE["oid"]).exists()


def build() -> None:
    """Make the whole world and write down who signs in how; when anything fails, nothing of it stays."""
    world = World(timezone.now().replace(microsecond=0))
    _take_first_house_away()
    _insert_first_house_as_owner(world)
    try:
        with transaction.atomic():
            _people_the_world(world)
            _write_cast(world.cast)
    except BaseException:
        (Path(settings.DATA) / CAST_FILE).unlink(missing_ok=True)
        _take_first_house_away()
        raise
    worker.run_once(timezone.now())


def _people_the_world(world: World) -> None:
    _configure(world)
    for place in CENTRES + HOSPITALS:
        _register(world, place)
    _open_routes(world)
    for place in CENTRES + HOSPITALS:
        _people_of(world, place)
    _applicants(world)
    tell(world)


def cast_list() -> list[dict[str, str]]:
    """Return the people of the demonstration with their sign-in."""
    path = Path(settings.DATA) / CAST_FILE
    return list(json.loads(path.read_text())) if path.exists() else []


def _write_cast(cast: list[dict[str, str]]) -> None:
    path = Path(settings.DATA) / CAST_FILE
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        json.dump(cast, file, ensure_ascii=False, indent=1)


def _insert_first_house_as_owner(world: World) -> None:
    """Insert, as the database's owner, the house that registers all others, with its two people."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        house_id = uuid7()
        values = {**_FIRST_HOUSE, "id": house_id, "version": 1, "state": "active", "level": 3}
        values |= {"is_consulting": False, "is_coordinating": True}
        values |= {"created_at": world.now, "activated_at": world.now}
        _insert(cursor, "organization", values)
        _first_person(world, cursor, house_id, Role.COORDINATOR, "Орлова Вера Михайловна", "orlova.v")
        _first_person(world, cursor, house_id, Role.SYSADMIN, "Титов Олег Семёнович", "titov.o")


def _take_first_house_away() -> None:
    """Delete, as the database's owner, what a broken build left: the first house and its two people."""
    ours = "organization_id IN (SELECT id FROM konsilium_organization WHERE oid = %s)"
    oid = [_FIRST_HOUSE["oid"]]
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(f"DELETE FROM konsilium_membership WHERE {ours} RETURNING person_id", oid)  # noqa: S608
        people_ids = [person_id for (person_id,) in cursor.fetchall()]
        cursor.execute("DELETE FROM konsilium_credential WHERE person_id = ANY(%s)", [people_ids])
        cursor.execute("DELETE FROM konsilium_person WHERE id = ANY(%s)", [people_ids])
        cursor.execute("DELETE FROM konsilium_organization WHERE oid = %s", oid)


def _first_person(world: World, cursor: object, house_id: UUID, role: Role, name: str, login: str) -> None:
    family, given, patronymic = name.split()
    password, person_id, membership_id = _password(), uuid7(), uuid7()
    person = {"family": family, "given": given, "patronymic": patronymic, "email": f"{login}@example.org"}
    flags = {
        "id": person_id,
        "login": login,
        "phone": "",
        "snils": "",
        "language": "ru",
        "is_active": True,
        "has_entered": True,
    }
    _insert(cursor, "person", {**person, **flags})
    credential = {"person_id": person_id, "password": make_password(password), "changed_at": world.now}
    _insert(cursor, "credential", credential)
    label = ROLE_LABELS[role]
    membership = {
        "id": membership_id,
        "person_id": person_id,
        "organization_id": house_id,
        "role": role.value,
    }
    place = {
        "department": "",
        "position": _russian(label),
        "specialty": "",
        "is_active": True,
        "created_at": world.now,
    }
    _insert(cursor, "membership", {**membership, **place})
    short, zone = _FIRST_HOUSE["short_name"], _FIRST_HOUSE["time_zone"]
    world.actors[role.value] = Actor(
        person_id, membership_id, house_id, role, name, short, zone, _russian(label)
    )
    _remember(world, role, name, short, login, password)


def _insert(cursor: object, table: str, values: dict[str, object]) -> None:
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    cursor.execute(f"INSERT INTO konsilium_{table} ({names}) VALUES ({marks})", list(values.values()))  # type: ignore[attr-defined]  # noqa: S608


def _configure(world: World) -> None:
    with world.as_(Role.SYSADMIN) as actor:
        for key, values in PROFILES.items():
            given = {**values, "is_active": True}
            world.profiles[key] = configuration.save_profile(None, given, actor=actor, at=world.now)


def _register(world: World, place: Place) -> None:
    """Take a house the whole way: application, review, equipment, test, activation."""
    at = world.now - timedelta(days=30)
    names = (place.full_name, place.short_name, place.region, place.time_zone)
    house = _apply(world, names, place.responsible, at)
    world.houses[place.key] = _take_through(world, house, OrganizationState.ACTIVE, at)


def _apply(world: World, names: tuple[str, str, str, str], responsible: str, at: datetime) -> Organization:
    number = next(world.serials)
    full, short, region, zone = names
    values = {
        "full_name": full, "short_name": short, "oid": f"1.2.643.5.1.13.13.12.2.{int(region)}.{number}",
        "inn": numbers.inn(number), "ogrn": numbers.ogrn(number), "region": region, "time_zone": zone, "level": 3,
        "responsible_name": responsible, "responsible_position": "Заместитель главного врача",
        "responsible_phone": "+74951234567", "responsible_email": f"org{number}@example.org",
        "equipment": "Кодек Polycom в конференц-зале, канал 20 Мбит/с.", "wishes": "",
    }  # fmt: skip
    technician = {
        "name": "Инженер Смирнов А. А.",
        "position": "Инженер",
        "phone": "+74951234568",
        "email": "",
    }
    organization, _application, _token = onboarding.apply(values, [technician], at=at)
    return organization


def _take_through(world: World, house: Organization, goal: OrganizationState, at: datetime) -> Organization:
    """Move a house on until it stands where it should."""
    state = OrganizationState
    with world.as_(Role.COORDINATOR) as actor:
        house = onboarding.move(house, "take", actor=actor, at=at)
        onboarding.log_contact(
            house, channel="phone", with_whom="Инженер Смирнов А. А.", text="Договорились о проверке кодека.",
            contacted_at=at, actor=actor, at=at,
        )  # fmt: skip
        if goal == state.DECLINED:
            return onboarding.move(
                house, "decline", actor=actor, at=at, reason="Нет лицензии на этот вид помощи."
            )
        if goal == state.IN_REVIEW:
            return house
        house = onboarding.move(house, "set_up", actor=actor, at=at)
        equip(house, actor, at, passed=goal in (state.ACTIVE, state.SUSPENDED))
        if goal == state.EQUIPMENT_SETUP:
            return house
        house = onboarding.move(house, "test", actor=actor, at=at)
        if goal == state.EQUIPMENT_TEST:
            return house
        house = onboarding.move(house, "activate", actor=actor, at=at)
        if goal == state.SUSPENDED:
            house = onboarding.move(house, "suspend", actor=actor, at=at, reason="Ремонт канала связи.")
        return house


def _open_routes(world: World) -> None:
    with world.as_(Role.SYSADMIN) as actor:
        for centre in CENTRES:
            house = world.houses[centre.key]
            configuration.set_consulting(house, True, actor=actor, at=world.now)
            wanted = [(world.profiles[key].pk, 3) for key in centre.profiles]
            configuration.set_routes(house, wanted, actor=actor, at=world.now)
            house.is_consulting = True


def _people_of(world: World, place: Place) -> None:
    """Give the responsible person access, and let them invite the others; everybody sets their own password."""
    house, at = world.houses[place.key], world.now - timedelta(days=20)
    with world.as_(Role.COORDINATOR) as actor:
        invitee = _invitee(place.responsible, "Ответственное лицо")
        person, token = people.issue_access(house, invitee, actor=actor, at=at)
    admin = _enter(world, person, token, Role.ORG_ADMIN, house, at)
    world.actors[f"{place.key}_admin"] = admin
    order = count(1)
    for role, name, position in place.people:
        with acting(admin):
            person, token = people.invite(
                _invitee(name, position), roles=[role], organization=house, actor=admin, at=at
            )
        world.actors[f"{place.key}_{role}_{next(order)}"] = _enter(world, person, token, role, house, at)


_DEPARTMENTS = {
    "Челюстно-лицевой хирург": "Отделение челюстно-лицевой хирургии",
    "Нейрохирург": "Нейрохирургическое отделение",
    "Онколог": "Отделение опухолей головы и шеи",
}


def _is_clinical(position: str) -> bool:
    return any(word in position.lower() for word in ("хирург", "онколог"))


def _invitee(name: str, position: str) -> people.Invitee:
    family, given, patronymic = [*name.split(), "", ""][:3]
    specialty = position if _is_clinical(position) else ""
    return people.Invitee(
        family, given, patronymic, email=f"{secrets.token_hex(3)}@example.org", phone="+74951112233", position=position,
        specialty=specialty, department=_DEPARTMENTS.get(position, "Хирургическое отделение") if specialty else "",
    )  # fmt: skip


def _enter(world: World, person: Person, token: str, role: Role, house: Organization, at: datetime) -> Actor:
    password = _password()
    account.set_password_by_link(token, password=password, at=at)
    with signing_in():
        Person.objects.filter(pk=person.pk).update(snils=numbers.snils(next(world.serials)))
        membership = Membership.objects.select_related("person", "organization").get(person_id=person.pk)
    _remember(world, role, person.full_name, house.short_name, person.login, password)
    return membership.actor()


def _applicants(world: World) -> None:
    at = world.now - timedelta(days=3)
    for state, (full, short, region, zone, responsible) in APPLICANTS.items():
        house = _apply(world, (full, short, region, zone), responsible, at)
        if state != OrganizationState.SUBMITTED:
            _take_through(world, house, OrganizationState(state), at)


def _remember(world: World, role: Role, name: str, organization: str, login: str, password: str) -> None:
    label = _russian(ROLE_LABELS[role])
    world.cast.append(
        {"name": name, "role": label, "organization": organization, "login": login, "password": password}
    )


def _russian(label: str) -> str:
    from django.utils import translation  # noqa: PLC0415

    with translation.override("ru"):
        return translation.gettext(label)


def _password() -> str:
    return "-".join([*(secrets.choice(WORDS) for _ in range(3)), str(secrets.randbelow(90) + 10)])
