"""The look's promises: contrast, weight, no inline script or style, and every component on the page of components."""

import gzip
import re
from pathlib import Path

import pytest
from django.views.defaults import server_error

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "src/konsilium/web"
TEMPLATES = sorted(WEB.rglob("*.html"))
TOKENS = (ROOT / "frontend/src/css/tokens.css").read_text()

TEXTS = ("ink", "ink-soft", "accent", "good", "warn", "bad")
GROUNDS = ("ground", "surface", "sunken")
ON_TONES = [(tone, f"{tone}-soft") for tone in ("accent", "good", "warn", "bad")]
ON_TONES += [("ink", f"{tone}-soft") for tone in ("accent", "good", "warn", "bad")]
ON_TONES += [("ink-soft", "accent-soft"), ("accent-ink", "accent"), ("bad-ink", "bad")]
READ = [(text, ground) for text in TEXTS for ground in GROUNDS] + ON_TONES
SEEN = [(line, ground) for line in ("line-strong", "focus", "accent", "bad") for ground in GROUNDS]


def scheme(name):
    """The colours of a scheme by name."""
    light, dark = TOKENS.split("@media", 1)
    found = dict(re.findall(r"--([a-z-]+): #([0-9a-f]{3,6});", light))
    return (
        found if name == "light" else {**found, **dict(re.findall(r"--([a-z-]+): #([0-9a-f]{3,6});", dark))}
    )


def luminance(colour):
    full = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_guidelines_say():
    assert round(contrast("fff", "000000"), 1) == 21
    assert round(contrast("777777", "ffffff"), 2) == 4.48


@pytest.mark.parametrize("name", ["light", "dark"])
def test_words_can_be_read_on_every_ground_they_stand_on(name):
    colours = scheme(name)
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in READ}
    assert {pair: round(value, 2) for pair, value in weak.items() if value < 4.5} == {}


@pytest.mark.parametrize("name", ["light", "dark"])
def test_borders_of_fields_and_the_focus_can_be_seen(name):
    colours = scheme(name)
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in SEEN}
    assert {pair: round(value, 2) for pair, value in weak.items() if value < 3} == {}


def test_styles_name_colours_by_token_only():
    sources = [
        path for path in (ROOT / "frontend/src/css").glob("*.css") if path.stem not in ("tokens", "print")
    ]
    loose = {path.name: re.findall(r"#[0-9a-f]{3,8}\b", path.read_text()) for path in sources}
    # A QR code is read by cameras: white in both schemes.
    assert {name: found for name, found in loose.items() if found} == {
        "components.css": ["#fff"],
        "layout.css": ["#000"],
    }


@pytest.mark.parametrize(("name", "most"), [("app.css", 12_000), ("app.js", 20_000)])
def test_styles_and_scripts_stay_light(name, most):
    built = (ROOT / "src/konsilium/static/dist" / name).read_bytes()
    assert len(gzip.compress(built, 9)) <= most


# The sheet that print forms are typeset from is no page: it is sent to nobody's browser.
SHEET = Path("printing/_paper.html")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_page_has_no_inline_script_or_style(path):
    text = path.read_text()
    if path.relative_to(WEB) == SHEET:
        text = text.replace("<style>", "", 1)
    inline = r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:|\shx-on|\shx-vars|=[\"']js:"
    assert re.findall(inline, text, re.IGNORECASE) == []


def includes(path):
    """The templates that a template includes or extends, and what those include."""
    named = re.findall(r"{% (?:include|extends) \"([^\"]+)\"", path.read_text())
    return {name for one in named for name in {one} | includes(WEB / one)}


def test_every_component_stands_on_the_page_of_components():
    components = {f"components/{path.name}" for path in (WEB / "components").glob("*.html")}
    assert components - includes(WEB / "design/show.html") == set()


def test_every_component_says_what_it_takes_and_is_listed():
    listed = (WEB / "components/README.md").read_text()
    for path in (WEB / "components").glob("*.html"):
        assert path.read_text().startswith("{% comment %}"), path.name
        assert f"`components/{path.name}`" in listed, path.name


@pytest.mark.django_db
def test_the_page_of_components_is_there_in_development_only(client, settings):
    assert client.get("/design/").status_code == 200
    settings.KONSILIUM_DESIGN = False
    assert client.get("/design/").status_code == 404


@pytest.mark.django_db
def test_a_refused_form_comes_back_with_links_to_what_is_wrong(client):
    page = client.post("/design/", {"family": "Ли"})
    assert page.status_code == 422
    text = page.content.decode()
    assert '<a href="#field-given">Имя</a>' in text
    assert 'value="Ли"' in text


@pytest.mark.django_db
def test_the_head_says_who_acts_as_whom_and_where_the_content_begins(client_as, cast):
    text = client_as(cast.cniis_dispatcher).get("/triage/").content.decode()
    assert re.search(r'<span class="of">Диспетчер · ЦНИИСиЧЛХ</span>', text)
    assert text.index('href="#content"') < text.index("<header")
    assert '<html lang="ru">' in text
    assert "телемедицинская система" in text


@pytest.mark.django_db
def test_only_a_demonstration_says_that_it_is_one(client, settings):
    settings.DEMO = False
    assert "demo-bar" not in client.get("/sign-in/").content.decode()
    settings.DEMO = True
    assert "demo-bar" in client.get("/sign-in/").content.decode()


def test_labels_hints_and_errors_belong_to_their_fields(client, db):
    text = client.get("/design/").content.decode()
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    pointed = re.findall(r'\s(?:for|aria-labelledby)="([^"]+)"', text)
    pointed += [name for names in re.findall(r'aria-describedby="([^"]+)"', text) for name in names.split()]
    pointed += re.findall(r'href="#([^"]+)"', text)
    assert "id_snils_error" in pointed
    assert set(pointed) - set(ids) == set()


@pytest.mark.django_db
def test_what_isnt_there_and_what_isnt_allowed_is_said_in_words(client_as, cast):
    client = client_as(cast.omsk_doctor)
    missing, forbidden = client.get("/nowhere/"), client.get("/triage/")
    assert (missing.status_code, forbidden.status_code) == (404, 403)
    assert "Такой страницы нет" in missing.content.decode()
    assert "Вашей роли это недоступно" in forbidden.content.decode()


def test_our_own_mistake_is_said_in_words_without_anything_that_could_break_again(rf):
    broken = server_error(rf.get("/"))
    assert broken.status_code == 500
    assert "Здесь что-то сломалось" in broken.content.decode()
