"""The people of the tests: a coordinating centre, three hospitals, two centres, and somebody wrong for every role."""

from datetime import UTC, datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from psycopg.types.json import Jsonb

from konsilium.models._base import uuid7
from konsilium.workflow.roles import Actor, Role

PASSWORD = "пароль для проверок 2026"
_HASH = make_password(PASSWORD)
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)

# name: full name, level, region, zone, consults, coordinates
HOUSES = {
    "frc": ("ФКТЦ", 3, "77", "Europe/Moscow", False, True),
    "omsk": ("Омская ОКБ", 3, "55", "Asia/Omsk", False, False),
    "chita": ("Читинская ККБ", 3, "75", "Asia/Chita", False, False),
    "pskov": ("Псковская ОКБ", 2, "60", "Europe/Moscow", False, False),
    "cniis": ("ЦНИИСиЧЛХ", 3, "77", "Europe/Moscow", True, False),
    "nmic": ("НМИЦ нейрохирургии", 3, "54", "Asia/Novosibirsk", True, False),
}

# name: house, role, family, given
PEOPLE = {
    "coordinator": ("frc", Role.COORDINATOR, "Орлова", "Вера"),
    "sysadmin": ("frc", Role.SYSADMIN, "Титов", "Олег"),
    "omsk_admin": ("omsk", Role.ORG_ADMIN, "Зимина", "Анна"),
    "omsk_doctor": ("omsk", Role.REQUESTER, "Петров", "Илья"),
    "omsk_doctor2": ("omsk", Role.REQUESTER, "Седова", "Нина"),
    "omsk_technician": ("omsk", Role.TECHNICIAN, "Гусев", "Пётр"),
    "chita_admin": ("chita", Role.ORG_ADMIN, "Белов", "Яков"),
    "chita_doctor": ("chita", Role.REQUESTER, "Доржиев", "Баир"),
    "chita_technician": ("chita", Role.TECHNICIAN, "Ким", "Роман"),
    "pskov_doctor": ("pskov", Role.REQUESTER, "Лаптев", "Юрий"),
    "cniis_admin": ("cniis", Role.ORG_ADMIN, "Громова", "Лидия"),
    "cniis_dispatcher": ("cniis", Role.DISPATCHER, "Котова", "Мария"),
    "cniis_dispatcher2": ("cniis", Role.DISPATCHER, "Рябова", "Ольга"),
    "cniis_consultant": ("cniis", Role.CONSULTANT, "Соколов", "Андрей"),
    "cniis_consultant2": ("cniis", Role.CONSULTANT, "Ершова", "Инна"),
    "nmic_admin": ("nmic", Role.ORG_ADMIN, "Фомин", "Глеб"),
    "nmic_dispatcher": ("nmic", Role.DISPATCHER, "Панина", "Рита"),
    "nmic_consultant": ("nmic", Role.CONSULTANT, "Юдин", "Марк"),
    "cniis_signatory": ("cniis", Role.SIGNATORY, "Лунин", "Фёдор"),
    "nmic_signatory": ("nmic", Role.SIGNATORY, "Зорина", "Алла"),
    "nmic_member": ("nmic", Role.COUNCIL_MEMBER, "Тихонов", "Лев"),
}

# The right role in the wrong house: who must see nothing of a request from Omsk to the dental centre.
STRANGERS = {
    Role.REQUESTER: "chita_doctor",
    Role.ORG_ADMIN: "chita_admin",
    Role.TECHNICIAN: "chita_technician",
    Role.DISPATCHER: "nmic_dispatcher",
    Role.CONSULTANT: "nmic_consultant",
    Role.SIGNATORY: "nmic_signatory",
    Role.COUNCIL_MEMBER: "nmic_member",
}


class Cast:
    """Everybody by name: `cast.omsk_doctor` is an Actor; `cast.house("omsk")` an organisation's id."""

    def __init__(self, owner):
        self.owner = owner
        self.houses = {name: self._house(name, *facts) for name, facts in HOUSES.items()}
        self.actors = {name: self._person(name, *facts) for name, facts in PEOPLE.items()}
        self.profiles = {
            "mfs": self._profile(
                "mfs", "Челюстно-лицевая хирургия", [["cbct", "panoramic", "ct"], ["face_photo"]]
            ),
            "neuro": self._profile("neuro", "Нейрохирургия", []),
        }
        for centre, profile in (("cniis", "mfs"), ("nmic", "neuro"), ("nmic", "mfs")):
            self._insert(
                "route",
                centre_id=self.houses[centre],
                profile_id=self.profiles[profile],
                requester_level=3,
                is_open=True,
            )

    def __getattr__(self, name) -> Actor:
        try:
            return self.__dict__["actors"][name]
        except KeyError:
            raise AttributeError(name) from None

    def actor_of(self, login) -> Actor:
        """The actor behind a login; every login of the cast is its name here."""
        return self.actors[login]

    def house(self, name) -> UUID:
        return self.houses[name]

    def profile(self, name="mfs") -> UUID:
        return self.profiles[name]

    def _insert(self, table, **values):
        values.setdefault("id", uuid7())
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        self.owner.execute(f"INSERT INTO konsilium_{table} ({names}) VALUES ({marks})", list(values.values()))
        return values["id"]

    def _house(self, key, name, level, region, zone, consults, coordinates):
        index = list(HOUSES).index(key) + 1
        return self._insert(
            "organization",
            version=1,
            state="active",
            full_name=f"{name}, полное наименование",
            short_name=name,
            oid=f"1.2.643.5.1.13.13.12.2.77.{1000 + index}",
            inn="7707083893",
            ogrn="1027700132195",
            region=region,
            time_zone=zone,
            level=level,
            is_consulting=consults,
            is_coordinating=coordinates,
            created_at=NOW,
            activated_at=NOW,
        )

    def _person(self, login, house, role, family, given):
        person_id = self._insert(
            "person",
            login=login,
            family=family,
            given=given,
            patronymic="",
            email=f"{login}@example.org",
            phone="+74950000000",
            snils="11223344595",
            language="ru",
            is_active=True,
            has_entered=True,
        )
        self.owner.execute(
            "INSERT INTO konsilium_credential (person_id, password, changed_at) VALUES (%s, %s, %s)",
            [person_id, _HASH, NOW],
        )
        membership_id = self._insert(
            "membership",
            person_id=person_id,
            organization_id=self.houses[house],
            role=role,
            department="Отделение",
            position="Врач",
            specialty="Хирургия",
            is_active=True,
            created_at=NOW,
        )
        name, zone = HOUSES[house][0], HOUSES[house][3]
        return Actor(
            person_id=person_id,
            membership_id=membership_id,
            organization_id=self.houses[house],
            role=role,
            name=f"{family} {given}",
            organization_name=name,
            time_zone=zone,
            position="Врач",
        )

    def _profile(self, code, name, documents):
        return self._insert(
            "profile",
            code=code,
            name=name,
            name_en="",
            documents=Jsonb(documents),
            welcome=Jsonb(["intraoral_scan"]),
            fields=Jsonb(["complaints"]),
            sections=Jsonb([]),
            is_active=True,
        )


def sign_in(client, actor: Actor):
    """Give the test client a web session of this actor, as the sign-in page does."""
    from konsilium.models import SessionStore

    store = SessionStore()
    store.update(
        {
            "person_id": str(actor.person_id),
            "membership_id": str(actor.membership_id),
            "network": "127.0.0.0/24",
            "device": "tests",
        }
    )
    store.create()
    client.cookies["konsilium"] = store.session_key
    return client
