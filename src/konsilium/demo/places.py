"""The demonstration's houses and people: invented, told as data."""

from dataclasses import dataclass
from typing import Any

from konsilium.workflow.roles import Role


@dataclass(frozen=True)
class Place:
    """An organisation: names, region, zone, level; `profile` is what a centre takes; people as (role, name, what)."""

    key: str
    full_name: str
    short_name: str
    region: str
    time_zone: str
    level: int
    responsible: str
    people: tuple[tuple[Role, str, str], ...] = ()
    profiles: tuple[str, ...] = ()


R = Role
CENTRES = (
    Place(
        "cniis", "ФГБУ НМИЦ «ЦНИИСиЧЛХ» (демонстрация)", "ЦНИИСиЧЛХ", "77", "Europe/Moscow", 3, "Громова Лидия Павловна",
        (
            (R.DISPATCHER, "Котова Мария Игоревна", "Специалист отдела телемедицины"),
            (R.DISPATCHER, "Рябова Ольга Юрьевна", "Специалист отдела телемедицины"),
            (R.CONSULTANT, "Соколов Андрей Викторович", "Челюстно-лицевой хирург"),
            (R.CONSULTANT, "Ершова Инна Сергеевна", "Челюстно-лицевой хирург"),
        ),
        ("mfs",),
    ),
    Place(
        "nsk", "Центр нейрохирургии в Новосибирске (демонстрация)", "НМИЦ нейрохирургии", "54", "Asia/Novosibirsk", 3,
        "Фомин Глеб Андреевич",
        (
            (R.DISPATCHER, "Панина Рита Львовна", "Специалист отдела телемедицины"),
            (R.CONSULTANT, "Юдин Марк Олегович", "Нейрохирург"),
            (R.CONSULTANT, "Савина Дарья Петровна", "Нейрохирург"),
        ),
        ("neuro", "mfs"),
    ),
    Place(
        "spb", "Центр онкологии в Санкт-Петербурге (демонстрация)", "НМИЦ онкологии", "78", "Europe/Moscow", 3,
        "Власова Тамара Ильинична",
        (
            (R.DISPATCHER, "Дёмина Алла Борисовна", "Специалист отдела телемедицины"),
            (R.CONSULTANT, "Гордеев Лев Аркадьевич", "Онколог"),
            (R.CONSULTANT, "Мирошник Елена Витальевна", "Онколог"),
        ),
        ("onco",),
    ),
)  # fmt: skip

HOSPITALS = (
    Place(
        "omsk", "Омская областная клиническая больница (демонстрация)", "Омская ОКБ", "55", "Asia/Omsk", 3,
        "Зимина Анна Романовна",
        (
            (R.REQUESTER, "Петров Илья Николаевич", "Челюстно-лицевой хирург"),
            (R.REQUESTER, "Седова Нина Фёдоровна", "Врач-стоматолог-хирург"),
            (R.TECHNICIAN, "Гусев Пётр Олегович", "Инженер"),
        ),
    ),
    Place(
        "chita", "Читинская краевая клиническая больница (демонстрация)", "Читинская ККБ", "75", "Asia/Chita", 3,
        "Белов Яков Ильич",
        (
            (R.REQUESTER, "Доржиев Баир Цыренович", "Хирург"),
            (R.TECHNICIAN, "Ким Роман Сергеевич", "Инженер"),
        ),
    ),
    Place(
        "kgd", "Калининградская областная больница (демонстрация)", "Калининградская ОБ", "39", "Europe/Kaliningrad", 3,
        "Лукина Елена Марковна",
        ((R.REQUESTER, "Ковалёв Денис Артурович", "Хирург"),),
    ),
    Place(
        "vlad", "Приморская краевая больница (демонстрация)", "Приморская КБ", "25", "Asia/Vladivostok", 3,
        "Ан Вера Сергеевна",
        ((R.REQUESTER, "Мельник Ольга Петровна", "Челюстно-лицевой хирург"),),
    ),
)  # fmt: skip

# Applications that are still on their way, each in its state.
APPLICANTS = {
    "submitted": (
        "Абаканская больница (демонстрация)",
        "Абаканская больница",
        "19",
        "Asia/Krasnoyarsk",
        "Чудинов Айдар Петрович",
    ),
    "in_review": (
        "Якутская больница (демонстрация)",
        "Якутская больница",
        "14",
        "Asia/Yakutsk",
        "Слепцова Айта Егоровна",
    ),
    "equipment_setup": (
        "Магаданская больница (демонстрация)",
        "Магаданская больница",
        "49",
        "Asia/Magadan",
        "Рощин Кирилл Львович",
    ),
    "equipment_test": (
        "Самарская больница (демонстрация)",
        "Самарская больница",
        "63",
        "Europe/Samara",
        "Жданова Ирина Олеговна",
    ),
    "declined": (
        "Частная клиника «Улыбка» (демонстрация)",
        "Клиника «Улыбка»",
        "66",
        "Asia/Yekaterinburg",
        "Фролов Антон Ильич",
    ),
    "suspended": (
        "Камчатская больница (демонстрация)",
        "Камчатская больница",
        "41",
        "Asia/Kamchatka",
        "Шубина Ксения Юрьевна",
    ),
}

PROFILES: dict[str, dict[str, Any]] = {
    "mfs": {
        "code": "mfs",
        "name": "Челюстно-лицевая хирургия",
        "name_en": "Maxillofacial surgery",
        "documents": [["cbct", "panoramic", "ct"], ["face_photo"]],
        "welcome": ["intraoral_photo", "intraoral_scan", "cephalogram", "histology"],
        "fields": ["complaints", "objective_state"],
        "sections": [
            {
                "label": "Описание изображений",
                "label_en": "What the pictures show",
                "hint": "Локализация, линия перелома, смещение, зона поражения.",
                "is_needed": False,
            },
            {
                "label": "Предлагаемый объём лечения",
                "label_en": "Proposed treatment",
                "hint": "Доступ, фиксация, этапность.",
                "is_needed": False,
            },
        ],
    },
    "neuro": {
        "code": "neuro",
        "name": "Нейрохирургия",
        "name_en": "Neurosurgery",
        "documents": [["ct", "other"]],
        "welcome": [],
        "fields": ["objective_state"],
    },
    "onco": {
        "code": "onco",
        "name": "Онкология",
        "name_en": "Oncology",
        "documents": [["histology"]],
        "welcome": ["ct"],
        "fields": ["complaints"],
    },
}

WORDS = (
    "берёза облако паром лампа ветер камень яблоко река заря мост клевер парус снег якорь роща окно север искра "
    "тропа полёт маяк гавань компас колос"
).split()
