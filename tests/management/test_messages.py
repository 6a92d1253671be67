"""The Russian catalogue: joined from the desks' parts, refusing what contradicts itself, finding what is missing."""

import polib
import pytest
from django.core.management import CommandError

from konsilium.management.commands import messages


@pytest.fixture
def desks(tmp_path, monkeypatch):
    """A package with two pages and two desks' parts; returns a writer of parts."""
    parts = tmp_path / "locale" / "ru"
    parts.mkdir(parents=True)
    monkeypatch.setattr(messages, "PACKAGE", tmp_path)
    monkeypatch.setattr(messages, "PARTS", parts)

    def write(name, *pairs):
        (parts / f"{name}.po").write_text(
            'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
            + "".join(f'\nmsgid "{english}"\nmsgstr "{russian}"\n' for english, russian in pairs)
        )

    return write


def test_parts_are_joined_into_one_compiled_catalogue(desks):
    desks("one", ("Send", "Отправить"))
    desks("two", ("Send", "Отправить"), ("Back", "Назад"))
    assert messages.compile_catalogue() == 2
    compiled = polib.mofile(str(messages.PARTS / "LC_MESSAGES" / "django.mo"))
    assert {entry.msgid: entry.msgstr for entry in compiled} == {"Send": "Отправить", "Back": "Назад"}


def test_two_translations_of_one_text_are_refused(desks):
    desks("one", ("Send", "Отправить"))
    desks("two", ("Send", "Послать"))
    with pytest.raises(CommandError, match="Two translations of 'Send'"):
        messages.compile_catalogue()


def test_a_translation_that_loses_a_placeholder_is_refused(desks):
    desks("one", ("%(count)s requests", "заявки"))
    with pytest.raises(CommandError, match="other placeholders"):
        messages.compile_catalogue()


def test_texts_of_pages_and_code_without_russian_are_found_with_their_place(desks, tmp_path):
    desks("one", ("Send", "Отправить"))
    (tmp_path / "page.html").write_text(
        '{% load i18n %}\n<h1>{% translate \'Send\' %}</h1>\n<p title="{% translate "It\'s new" %}">'
        "{% blocktranslate count n=n %}{{ n }} case{% plural %}{{ n }} cases{% endblocktranslate %}</p>\n"
    )
    (tmp_path / "code.py").write_text('from x import _\nWORDS = _("Never said")\n')
    messages.compile_catalogue()
    found = messages.missing()
    assert [place.split(": ", 1)[1] for place in found] == ["Never said", "It's new", "%(n)s case"]
    assert found[0].startswith("code.py:2")


def test_the_product_is_said_in_russian_whole():
    messages.compile_catalogue()
    assert messages.missing() == []
