"""The story of the source text in a real browser, by the words on the page: from application to closed request."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from konsilium.demo import files
from konsilium.demo.subject import Clinical, Opinion, Patient
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

PATIENT = Patient("Кузнецова", "Мария", "Ивановна", "female", datetime(1987, 4, 12).date(), "4521")
CLINICAL = Clinical(
    organization="Томская областная больница",
    department="Челюстно-лицевая хирургия",
    doctor="Лебедев П. С.",
    on=datetime(2026, 11, 20).date(),
    diagnosis_code="S02.6",
    diagnosis="Перелом нижней челюсти",
    anamnesis="Травма три дня назад.",
)
QUESTION = "Нужна ли операция при таком смещении отломков?"


def sign_in(page, login, password=PASSWORD):
    page.goto("/sign-in/")
    page.get_by_label("Логин").fill(login)
    page.get_by_label("Пароль").fill(password)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def fits(page):
    """No page is wider than its screen."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), page.url


def place(page):
    """Place the conclusion; its scan is looked at first, which takes a moment."""
    placed = page.get_by_text("Заключение размещено").first
    for _ in range(60):
        press(page, "Сохранить и разместить")
        page.wait_for_load_state()
        if placed.is_visible():
            return
        page.get_by_text("Окончание проверки скана").first.wait_for()
        page.wait_for_timeout(500)
    placed.wait_for()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).first.click()


def follow(page, name):
    page.get_by_role("link", name=name, exact=True).first.click()


def fill(page, **values):
    for name, text in values.items():
        page.locator(f"[name='{name}']").fill(text)


def hospital_applies(page):
    page.goto("/sign-in/")
    follow(page, "Подать заявку на регистрацию")
    fits(page)
    page.get_by_label("Полное наименование").fill("ОГАУЗ «Томская областная клиническая больница»")
    page.get_by_label("Краткое наименование").fill("Томская ОКБ")
    fill(page, oid="1.2.643.5.1.13.13.12.2.70.7001", inn="7707083893", ogrn="1027700132195")
    page.get_by_label("Регион").select_option("70")
    page.get_by_label("Третий уровень").check()
    fill(
        page,
        responsible_name="Лебедев Павел Сергеевич",
        responsible_position="Заместитель главного врача",
        responsible_phone="+7 3822 10-20-30",
        responsible_email="lebedev@example.org",
        equipment="Кодек Polycom в конференц-зале",
    )
    specialist = {"name": "Носов Артём", "phone": "+7 3822 10-20-31", "email": "nosov@example.org"}
    fill(page, **{f"technician1-{name}": text for name, text in specialist.items()})
    press(page, "Отправить заявку")
    fits(page)
    return page.locator("#link").inner_text().strip()


def coordinator_registers(page, desk):
    """The coordinator takes the application through set-up and test, and hands the one-time link over."""
    sign_in(desk, "coordinator")
    fits(desk)
    follow(desk, "Томская ОКБ")
    fits(desk)
    press(desk, "Взять на рассмотрение")
    press(desk, "Начать настройку оборудования")
    follow(desk, "Добавить оборудование")
    desk.locator("[name=kind]").select_option("sip")
    fill(desk, name="Конференц-зал", address="hall@tomsk.example.org")
    desk.locator("main form button.primary").click()
    fits(desk)
    press(desk, "Сделано")
    press(desk, "Одобрить адрес")
    press(desk, "Начать проверку")
    desk.wait_for_url("**/protocol/")
    fits(desk)
    desk.locator("#step-sound_in summary").click()
    fill(desk.locator("#step-sound_in"), loss="0,3", mos="4,2")
    desk.get_by_role("button", name="По числам").locator("visible=true").click()
    desk.locator("#step-sound_in .badge.good").first.wait_for()
    for step in desk.locator("[id^=step-]:not(:has(.badge.good))").evaluate_all(
        "all => all.map((one) => one.id)"
    ):
        desk.locator(f"#{step} summary").click()
        desk.locator(f"#{step} button[value=passed]").click()
        desk.locator(f"#{step} .badge.good").first.wait_for()
    desk.locator("[name=verdict][value=passed]").check()
    press(desk, "Завершить проверку")
    desk.get_by_text("Действует до").first.wait_for()
    fits(desk)
    desk.goto("/organizations/?q=Томская")
    follow(desk, "Томская ОКБ")
    press(desk, "Начать проверку")
    press(desk, "Активировать")
    follow(desk, "Выдать доступ")
    fill(desk, family="Лебедев", given="Павел", patronymic="Сергеевич")
    desk.locator("main form button.primary").click()
    fits(desk)
    return desk.locator("#link").inner_text().strip()


def enters(page, link, password):
    """Somebody follows their one-time link, sets their own password and signs in with it."""
    page.goto(re.sub(r"^https?://[^/]+", "", link))
    login = page.locator("dd.mono").first.inner_text().strip()
    page.get_by_label("Новый пароль").fill(password)
    page.get_by_label("То же ещё раз").fill(password)
    press(page, "Задать пароль")
    page.get_by_text("Пароль задан").wait_for()
    sign_in(page, login, password)
    fits(page)


def administrator_invites(page):
    page.goto("/people/")
    fits(page)
    follow(page, "Пригласить")
    fill(
        page,
        family="Лебедева",
        given="Ольга",
        email="o.lebedeva@example.org",
        phone="+7 3822 10-20-33",
        department="Челюстно-лицевая хирургия",
        position="Врач",
        specialty="Челюстно-лицевая хирургия",
    )
    page.get_by_label("Врач-заявитель").check()
    page.locator("main form[method=post] button.primary").click()
    fits(page)
    return page.locator("#link").inner_text().strip()


def own_data(page):
    page.goto("/me/")
    page.get_by_label("СНИЛС").fill("112-233-445 95")
    press(page, "Сохранить")
    page.get_by_text("Сохранено.").wait_for()


def write_request(page):
    press(page, "Новый запрос")
    fits(page)
    form = page.locator("form#request")
    page.get_by_role("radio", name="Плановая").check()
    form.get_by_label("Профиль").select_option(label="Челюстно-лицевая хирургия")
    form.get_by_label("Консультирующий центр").select_option(label="ЦНИИСиЧЛХ")
    form.get_by_label("Цель").select_option(label="Тактика лечения и методы диагностики")
    form.get_by_label("Вопрос 1").fill(QUESTION)
    form.get_by_label("Фамилия").fill(PATIENT.family)
    form.get_by_label("Имя", exact=True).fill(PATIENT.given)
    form.locator("[name=patient_birth_date]").fill("1987-04-12")
    page.get_by_role("radio", name="Женский").check()
    form.locator("[name=patient_snils]").fill("112-233-445 95")
    form.get_by_label("Код МКБ-10").fill("S02.6")
    page.get_by_role("radio", name="Клинический").check()
    form.get_by_label("Основной диагноз словами").fill("Перелом нижней челюсти")
    form.locator("[name=complaints]").fill("Боль при открывании рта")
    form.locator("[name=anamnesis]").fill("Травма три дня назад")
    page.locator("[name=consent_kind][value=written]").check()
    form.locator("[name=consent_date]").fill("2026-11-20")
    form.locator("[name=consent_by]").fill("Петров И.")
    form.locator("[name=objective_state]").fill("Отёк слева, прикус нарушен")
    press(page, "Сохранить")
    page.wait_for_load_state()
    documents = {
        "extract": ("extract.pdf", "application/pdf", files.extract_pdf(PATIENT, CLINICAL)),
        "consent": ("consent.pdf", "application/pdf", files.consent_scan_pdf(PATIENT, CLINICAL, 1)),
        "panoramic": ("opg.dcm", "application/dicom", files.panoramic_dicom(PATIENT, CLINICAL, 1)),
        "face_photo": ("face.jpg", "image/jpeg", files.face_photo_jpeg(1)),
    }
    for kind, (name, media_type, data) in documents.items():
        page.get_by_label("Вид документа").select_option(kind)
        page.locator("#document-files").set_input_files(
            {"name": name, "mimeType": media_type, "buffer": data}
        )
        press(page, "Добавить")
        page.locator("#documents .files").get_by_text(name).wait_for()
    page.get_by_text("Всё есть: можно отправлять.").wait_for()
    fits(page)
    press(page, "Проверить и отправить")
    fits(page)
    press(page, "Отправить в центр")
    page.get_by_text("Центр получил запрос.").wait_for()
    fits(page)
    number = page.locator("dd.strong").inner_text()
    follow(page, "К запросу")
    fits(page)
    return number


def dispatcher_assigns(page, number):
    sign_in(page, "cniis_dispatcher")
    fits(page)
    page.get_by_role("link", name=number).click()
    fits(page)
    follow(page, "Назначить консультанта")
    page.get_by_label(re.compile("Соколов")).check()
    press(page, "Назначить консультанта")
    page.get_by_text("У консультанта").first.wait_for()
    fits(page)


def consultant_opens(page, number):
    sign_in(page, "cniis_consultant")
    fits(page)
    page.get_by_role("link", name=number).click()
    fits(page)


def conclusion_is_placed(page):
    follow(page, "Разместить заключение") if page.get_by_role(
        "link", name="Разместить заключение"
    ).count() else follow(page, "Писать заключение")
    fits(page)
    page.get_by_label(re.compile(QUESTION[:20])).fill("Да, показан остеосинтез.")
    page.locator("[name=text]").fill("Перелом со смещением; показано оперативное лечение.")
    page.locator("[name=item]").first.fill("Госпитализация в центр в течение недели.")
    opinion = Opinion(
        "1", "ЦНИИСиЧЛХ", "Соколов А.", "Врач", datetime(2026, 11, 23).date(), "Показана операция", "—"
    )
    scan = files.conclusion_scan_pdf(PATIENT, CLINICAL, opinion, 1)
    page.locator("#scan").set_input_files({"name": "scan.pdf", "mimeType": "application/pdf", "buffer": scan})
    place(page)
    page.get_by_text("Заключение размещено").first.wait_for()
    fits(page)


def requester_closes(page):
    page.reload()
    page.get_by_text("показано оперативное лечение").first.wait_for()
    press(page, "Подтвердить ознакомление")
    fits(page)
    follow(page, "Закрыть с исходом")
    page.locator("[name=outcome]").first.wait_for()
    page.locator("[name=outcome][value=transferred]").check()
    press(page, "Закрыть с исходом")
    page.get_by_text("Закрыт").first.wait_for()
    fits(page)


@pytest.mark.chiefly("narrow")
def test_a_hospital_registers_asks_and_is_answered_without_video(cast, people):
    applicant, doctor = people("applicant"), people("doctor")
    status = hospital_applies(applicant)
    link = coordinator_registers(applicant, people("coordinator"))
    applicant.goto(re.sub(r"^https?://[^/]+", "", status))
    applicant.get_by_text("Работает").first.wait_for()
    enters(applicant, link, "ответственное лицо Томска")
    enters(doctor, administrator_invites(applicant), "врач из Томска просит совета")
    own_data(doctor)
    doctor.goto("/")
    number = write_request(doctor)
    dispatcher_assigns(people("dispatcher"), number)
    consultant = people("consultant")
    consultant_opens(consultant, number)
    press(consultant, "Без видео: к заключению")
    conclusion_is_placed(consultant)
    requester_closes(doctor)


def local_field(page, name, moment):
    page.locator(f"[name={name}]").fill(moment.strftime("%Y-%m-%dT%H:%M"))


@pytest.mark.chiefly("wide")
def test_a_session_is_agreed_after_a_counter_proposal_and_held(cast, people, owner):
    doctor = people("doctor")
    sign_in(doctor, "omsk_doctor")
    number = write_request(doctor)
    dispatcher_assigns(people("dispatcher"), number)
    consultant = people("consultant")
    consultant_opens(consultant, number)
    press(consultant, "Нужна видеоконсультация")
    follow(consultant, "Предложить время")
    fits(consultant)
    moscow = datetime.now(ZoneInfo("Europe/Moscow")).replace(second=0, microsecond=0)
    local_field(consultant, "time_1", moscow + timedelta(days=1))
    press(consultant, "Предложить время")
    consultant.get_by_text("Время предложено").first.wait_for()
    fits(consultant)

    doctor.reload()
    follow(doctor, "Предложить другое время")
    omsk = datetime.now(ZoneInfo("Asia/Omsk")).replace(second=0, microsecond=0) + timedelta(days=2)
    local_field(doctor, "time_1", omsk)
    press(doctor, "Предложить другое время")
    doctor.get_by_text("Предложено другое время").first.wait_for()
    fits(doctor)

    consultant.reload()
    agreed = omsk.astimezone(ZoneInfo("Europe/Moscow")).strftime("%d.%m.%Y %H:%M")
    consultant.get_by_text(agreed).first.wait_for()
    press(consultant, "Принять")
    consultant.get_by_text("Время подтверждено").first.wait_for()
    fits(consultant)

    # The agreed day comes.
    owner.execute("UPDATE konsilium_session SET starts_at = now() - interval '5 minutes', during = NULL")
    consultant.reload()
    press(consultant, "Начать сеанс")
    follow(consultant, "Сеанс состоялся")
    press(consultant, "Сеанс состоялся")
    consultant.get_by_text("Подготовка заключения").first.wait_for()
    conclusion_is_placed(consultant)
    requester_closes(doctor)
