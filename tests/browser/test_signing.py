"""Signing in a real browser: by a plug-in that stands in for CryptoPro's, by a file, and several one after the other."""

import base64

import pytest

from tests.browser.test_story import fits, follow, press, sign_in
from tests.signing_desk import PAPER, SigningDesk, draft_of, drafted, pdf, printed

pytestmark = pytest.mark.django_db(transaction=True)

# What CryptoPro's extension shows a page of its public interface; the signing itself is done by the test's authority.
EXTENSION = """
window.addEventListener("message", ({ data }) => {
  if (data === "cadesplugin_echo_request") window.postMessage("cadesplugin_loaded", "*");
});
const certificate = {
  HasPrivateKey: async () => true,
  SubjectName: Promise.resolve('CN="Проба, проверка", SN=Соколов, G=Андрей'),
  IssuerName: Promise.resolve("CN=Test authority"),
  Thumbprint: Promise.resolve("AB12"),
  ValidToDate: Promise.resolve("2027-05-01T00:00:00.000Z"),
};
const certificates = { Find: async () => certificates, Count: Promise.resolve(1), Item: async () => certificate };
const objects = {
  "CAdESCOM.Store": () => ({ Open: async () => {}, Close: async () => {}, Certificates: Promise.resolve(certificates) }),
  "CAdESCOM.CPSigner": () => ({ propset_Certificate: async () => {} }),
  "CAdESCOM.CadesSignedData": () => {
    let content = "", encoding = 0;
    return {
      propset_ContentEncoding: async (value) => { encoding = value; },
      propset_Content: async (value) => { if (encoding !== 1) throw new Error("order"); content = value; },
      SignCades: (signer, type, detached) => window.signByAuthority(content, type === 1 && detached === true),
    };
  },
};
window.cpcsp_chrome_nmcades = {
  check_chrome_plugin: (done) => done(),
  CreatePluginObject: async () => ({ CreateObjectAsync: async (name) => objects[name]() }),
};
"""


@pytest.fixture
def desk(tmp_path):
    return SigningDesk(tmp_path)


def plug_in(page, desk, name, refuses=b""):
    """Give the page the extension; it refuses to sign one document."""

    def sign(content, is_detached):
        data = base64.b64decode(content)
        if data == refuses or not is_detached:
            raise ValueError("Ключ не вставлен")
        return base64.encodebytes(desk.sign(data, name)).decode().replace("\n", "\r\n")

    page.expose_function("signByAuthority", sign)
    page.add_init_script(EXTENSION)


def waits_for_check(page):
    """Open the page again until the worker has looked at the signatures."""
    for _ in range(40):
        page.reload()
        if not page.locator("[data-verdict=waiting]").count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.inner_text("main"))


@pytest.mark.chiefly("narrow")
def test_the_author_signs_with_the_plug_in_and_nothing_unchecked_is_green(cast, people, desk):
    _way, form = drafted(cast)
    page = people("consultant")
    plug_in(page, desk, "doctor")
    sign_in(page, "cniis_consultant")
    page.goto(f"/papers/{form.pk}/signatures/")
    fits(page)
    follow(page, "Подписать")
    choice = page.get_by_label("Сертификат")
    choice.wait_for()
    assert "Проба, проверка, Соколов Андрей — Test authority" in choice.inner_text()
    fits(page)
    button = page.get_by_role("button", name="Подписать", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/signatures/")
    waits_for_check(page)
    page.locator("[data-verdict=unchecked] .badge.warn").wait_for()
    assert page.locator(".badge.good").count() == 0
    page.get_by_text("Сертификат и проверки").click()
    fits(page)


@pytest.mark.chiefly("wide")
def test_without_a_plug_in_a_file_is_brought_and_a_wrong_one_is_refused_in_words(cast, people, desk):
    _way, form = drafted(cast)
    page = people("consultant")
    sign_in(page, "cniis_consultant")
    page.goto(f"/papers/{form.pk}/sign/")
    page.get_by_text("Плагин для подписи в этом браузере не найден").wait_for()
    assert not page.locator("#with-plugin").is_visible()
    with page.expect_download() as download:
        follow(page, "Скачать PDF")
    data = download.value.path().read_bytes()
    assert data == PAPER
    page.get_by_label("Файл подписи").set_input_files(
        {"name": "a.sig", "mimeType": "text/plain", "buffer": b"no"}
    )
    press(page, "Приложить подпись")
    page.locator("[data-refusal]").get_by_text("Приложите отсоединённую подпись").wait_for()
    fits(page)
    page.get_by_label("Файл подписи").set_input_files(
        {"name": "a.sig", "mimeType": "text/plain", "buffer": desk.sign(data)}
    )
    press(page, "Приложить подпись")
    page.get_by_text("Подпись сохранена и проверяется.").wait_for()


def test_the_plug_ins_trouble_is_said_and_signing_can_be_tried_again(cast, people, desk):
    _way, form = drafted(cast)
    page = people("consultant")
    plug_in(page, desk, "doctor", refuses=PAPER)
    sign_in(page, "cniis_consultant")
    page.goto(f"/papers/{form.pk}/sign/")
    press(page, "Подписать")
    page.get_by_text("Плагин не смог подписать").wait_for()
    assert page.get_by_role("button", name="Подписать", exact=True).is_enabled()
    fits(page)


@pytest.mark.chiefly("wide")
def test_the_signatory_signs_several_and_one_that_fails_stops_no_other(cast, people, desk):
    papers = [PAPER, pdf("Vtoroe"), pdf("Tretje")]
    ways = []
    for content in papers:
        way, form = drafted(cast)
        if content != PAPER:
            form = printed(draft_of(way), content, actor=way.consultant)
        desk.bring(form, desk.sign(content), way.consultant)
        ways.append(way)
    desk.check()
    page = people("signatory")
    plug_in(page, desk, "signatory", refuses=papers[1])
    sign_in(page, "cniis_signatory")
    rows = page.locator("#bulk tbody tr")
    for _ in range(40):
        page.goto("/signing/")
        if rows.count() == len(papers):
            break
        page.wait_for_timeout(500)
    page.get_by_label("Сертификат").wait_for()
    fits(page)
    for row in rows.all():
        row.get_by_role("checkbox").check()
    press(page, "Подписать выбранные 3")
    page.get_by_text("Подписано: 2. Не подписано: 1.").wait_for()
    fits(page)
    said = {
        row.get_by_role("link").inner_text(): " ".join(row.locator(".result > *").all_inner_texts())
        for row in rows.all()
    }
    assert [" ".join(said[way.row.number].split()) for way in ways] == [
        "Подписан, проверяется",
        "Не подписан Плагин не смог подписать: Ключ не вставлен",
        "Подписан, проверяется",
    ]
    assert page.locator(".badge.good").count() == 0
    page.goto("/signing/")
    assert rows.count() == 1
