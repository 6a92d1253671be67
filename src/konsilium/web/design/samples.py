"""What the page of components shows: invented people, in the plain values that pages pass to the includes."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from konsilium.web.clockface import Left, left, local, local_clock

RIGHT = {
    "family": "Крашенинников",
    "given": "Константин",
    "snils": "112-233-445 95",
    "sex": "male",
    "urgency": "urgent",
    "anamnesis": "Травма 20.11.2026, удар в область нижней челюсти слева. Сознание не терял.",
    "starts_at": "14:00",
    "minutes": 30,
    "needs": ["repeat"],
    "consent": True,
    "birth_date": "1956-03-04",
}
WRONG = {
    "family": "Крашенинников",
    "snils": "112",
    "urgency": "soon",
    "anamnesis": "Болеет.",
    "minutes": "5",
    "birth_date": "31.02.1956",
}
TABS = (
    SimpleNamespace(label="На разбор", url="#lists", active=True, count="12"),
    SimpleNamespace(label="Запрошены сведения", url="#lists", active=False, count="3"),
    SimpleNamespace(label="У консультантов", url="#lists", active=False, count="100+"),
    SimpleNamespace(label="Завершены", url="#lists", active=False, count=""),
)
STEPS = (
    {"label": "Заявка получена", "state": "done"},
    {"label": "На рассмотрении", "state": "done"},
    {"label": "Настройка оборудования", "state": "now"},
    {"label": "Проверка оборудования", "state": "ahead"},
    {"label": "Работает", "state": "ahead"},
)
BADGES = (
    ("", "У консультанта"),
    ("accent", "Поступил в центр"),
    ("good", "Заключение размещено"),
    ("warn", "Запрошены сведения"),
    ("bad", "Отклонён центром"),
)
FILES = (
    {
        "name": "КТ лицевого черепа.zip",
        "about": "Компьютерная томография · ZIP с DICOM, 64 МБ",
        "tone": "",
        "state": "",
    },
    {
        "name": "Выписка.pdf",
        "about": "Выписка из истории болезни · PDF, 240 КБ",
        "tone": "warn",
        "state": "Проверяется",
    },
    {
        "name": "Очень-длинное-имя-файла-которое-прислали-с-телефона-20261123_141502_HDR.jpg",
        "about": "Фотография лица · JPEG, 3,1 МБ",
        "tone": "",
        "state": "",
        "removable": True,
    },
    {
        "name": "Прикус.stl",
        "about": "Модель прикуса · STL, 12 МБ",
        "tone": "bad",
        "state": "Не принят: файл повреждён",
    },
)
CHECKLIST = (
    ("Камера выше уровня глаз, за спиной нет окна", "Гусев Пётр", "20.11.2026 11:40"),
    ("Гарнитура вместо колонок ноутбука", "Гусев Пётр", "20.11.2026 11:44"),
    ("Скорость линии не ниже 2000 кбит/с в обе стороны", "", ""),
)
MESSAGES = (
    SimpleNamespace(
        id="1",
        mine=False,
        kind="question",
        is_new=False,
        label="Вопрос",
        who="Котова Мария",
        role="Диспетчер",
        organization="ЦНИИСиЧЛХ",
        at="23.11.2026 09:12",
        text="Пришлите, пожалуйста, КТ лицевого черепа в DICOM, не снимки экрана.",
        reply="#thread",
        files=(),
    ),
    SimpleNamespace(
        id="2",
        mine=True,
        kind="answer",
        is_new=False,
        label="",
        who="Петров Илья",
        role="Врач-заявитель",
        organization="Омская ОКБ",
        at="23.11.2026 12:30",
        quoted="Пришлите, пожалуйста, КТ лицевого черепа в DICOM, не снимки экрана.",
        text="Приложил архив. Срезы 0,6 мм.",
        files=(SimpleNamespace(address="#thread", name="КТ лицевого черепа.zip"),),
    ),
    SimpleNamespace(
        id="3",
        mine=False,
        kind="message",
        is_new=True,
        label="",
        who="Соколов Андрей",
        role="Консультант",
        organization="ЦНИИСиЧЛХ",
        at="23.11.2026 12:58",
        text="Спасибо, срезов достаточно.\nОтвечу сегодня.",
        files=(),
    ),
)
EVENTS = (
    {
        "at_text": "23.11.2026 12:30",
        "words": "Дан ответ на вопрос",
        "who": "Петров Илья, Омская ОКБ",
        "is_new": True,
    },
    {
        "at_text": "23.11.2026 09:12",
        "words": "Запрошены сведения",
        "who": "Котова Мария, диспетчер",
        "text": "Пришлите, пожалуйста, КТ лицевого черепа в DICOM, не снимки экрана.",
    },
    {"at_text": "23.11.2026 08:40", "words": "Запрос отправлен в центр", "who": "Петров Илья, Омская ОКБ"},
)
HEAD = {
    "number": "2026-000128",
    "state": "У консультанта",
    "state_tone": "",
    "urgency": "urgent",
    "urgency_label": "Неотложная",
    "patient": "Крашенинников Константин Всеволодович",
    "age": "70 лет",
    "requesting": "Омская ОКБ",
    "centre": "ЦНИИСиЧЛХ",
    "consultant": "Соколов Андрей",
}
PEOPLE = (
    ("СА", "Соколов Андрей", "Консультант · ЦНИИСиЧЛХ"),
    ("ДБ", "Доржиев Баир", "Врач-заявитель · Читинская ККБ"),
)
KEYS = (
    "k7qm-2xvd",
    "9w3r-hh4c",
    "p5tz-81ne",
    "m0ab-q6ys",
    "v2jk-77fu",
    "d4gx-c9lr",
    "t8nw-30eo",
    "z6pf-r1bh",
)


def of(at: datetime) -> dict[str, Any]:
    """Return everything the page shows at this moment."""
    return {
        "tabs": TABS,
        "steps": STEPS,
        "badges": BADGES,
        "files": FILES,
        "checklist": CHECKLIST,
        "events": EVENTS,
        "people": PEOPLE,
        "codes": KEYS,
        "panel": {"messages": MESSAGES, "is_open": True},
        "head": {**HEAD, **_times(at)},
        "terms": _terms(at),
        "rows": _rows(at),
        "both": [("Омск", local_clock(at, "Asia/Omsk")), ("Москва", local_clock(at, "Europe/Moscow"))],
    }


def _times(at: datetime) -> dict[str, Any]:
    due = at + timedelta(hours=3, minutes=12, seconds=30)
    return {
        "left": left(due, at=at),
        "due": local(due, "Europe/Moscow"),
        "requesting_time": local_clock(at, "Asia/Omsk"),
        "centre_time": local_clock(at, "Europe/Moscow"),
    }


def _terms(at: datetime) -> list[Left]:
    hour, half_a_minute = timedelta(hours=1), timedelta(seconds=30)
    return [
        left(at + 30 * hour + half_a_minute, at=at),
        left(at + 3.2 * hour + half_a_minute, at=at),
        left(at + 0.6 * hour + half_a_minute, at=at),
        left(at - 2.2 * hour - half_a_minute, at=at),
        left(at + 5 * hour, at=at, paused_at=at - hour),
        left(at + hour, at=at, answered_at=at),
        left(at - 2 * hour, at=at, answered_at=at),
    ]


def _rows(at: datetime) -> list[dict[str, Any]]:
    places = (
        ("Омская ОКБ", "Asia/Omsk"),
        ("Читинская ККБ", "Asia/Chita"),
        ("Псковская ОКБ", "Europe/Moscow"),
    )
    rows = (
        (3, "urgent", "Неотложная", "Гасанов Р.Э.", "10 лет", "accent", "Поступил в центр", 1),
        (2, "emergency", "Экстренная", "Ли С.", "64 года", "accent", "Поступил в центр", 0),
        (4, "planned", "Плановая", "Белозёров М.И.", "8 месяцев", "warn", "Запрошены сведения", 1),
        (1, "urgent", "Неотложная", "Крашенинников К.В.", "70 лет", "", "У консультанта", 0),
        (0, "planned", "Плановая", "Фёдорова Е.А.", "16 лет", "accent", "Поступил в центр", 2),
    )
    return [
        {
            "left": _terms(at)[term],
            "urgency": urgency,
            "urgency_label": label,
            "number": f"2026-{number:06}",
            "unread": number % 2,
            "patient": patient,
            "age": age,
            "sender": places[place][0],
            "sender_time": local_clock(at, places[place][1]),
            "tone": tone,
            "state": state,
        }
        for number, (term, urgency, label, patient, age, tone, state, place) in enumerate(rows, 121)
    ]
