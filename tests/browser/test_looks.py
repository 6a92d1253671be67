"""The page of components in a real browser: it fits, its keys work, and it does without scripts."""

import pytest

from tests.browser.test_story import fits, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_components_fit_wide_and_narrow_screens(people):
    page = people("anybody")
    page.goto("/design/")
    fits(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    fits(page)


def test_times_left_are_said_by_scripts_as_the_server_says_them(people):
    page = people("anybody")
    page.goto("/design/")
    page.wait_for_function("document.readyState === 'complete'")
    said = page.locator("#marks ~ .split time[data-left]").all_text_contents()
    assert said == ["1 д 6 ч", "3 ч 12 мин", "36 мин", "просрочено на 2 ч 12 мин"]


def test_keys_walk_the_list_and_focus_the_search(people):
    page = people("anybody")
    page.goto("/design/")
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == "2026-000121"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("j?")
    assert page.locator("input[type=search]").first.input_value() == "j?"


def test_a_menu_closes_on_escape_and_on_a_click_elsewhere(people):
    page = people("anybody")
    page.goto("/design/")
    menu = page.locator(".top details.menu")
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.locator("h1").click()):
        menu.locator("summary").click()
        assert menu.get_attribute("open") is not None
        close()
        assert menu.get_attribute("open") is None


def test_the_question_mark_shows_the_keys(people, cast):
    page = people("omsk_doctor")
    sign_in(page, "omsk_doctor")
    page.locator("h1").click()
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Клавиши").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#shortcuts").is_visible()


def test_a_changed_form_asks_before_it_is_left(people):
    page = people("anybody")
    page.goto("/design/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("form[data-guard] input[name=given]").fill("Иван")
    page.goto("/sign-in/")
    assert asked == ["beforeunload"]


def test_a_refusal_takes_the_focus_and_leads_to_the_field(people):
    page = people("anybody")
    page.goto("/sign-in/")
    page.evaluate("document.querySelector('form[method=post] [name=login]').form.noValidate = true")
    page.get_by_role("button", name="Войти").click()
    page.locator(".summary").wait_for()
    assert page.evaluate("document.activeElement.className") == "summary"
    page.locator(".summary").get_by_role("link", name="Пароль").click()
    assert page.url.endswith("#field-password")


def test_without_scripts_menus_open_and_forms_are_answered(chromium, site):
    context = chromium.new_context(java_script_enabled=False, base_url=site, locale="ru-RU")
    page = context.new_page()
    page.goto("/design/")
    page.locator(".top details.menu summary").click()
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    page.goto("/design/")
    page.get_by_role("button", name="Save").first.click()
    page.locator("form[method=post]").get_by_role("button", name="Save").click()
    assert page.get_by_text("Not saved yet").is_visible()
    context.close()
