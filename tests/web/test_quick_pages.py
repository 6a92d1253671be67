"""What makes pages quick changes nothing of what they say: constant words compiled in, quick compression, cells."""

import gzip

import pytest
from django.http import HttpResponse
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from konsilium.web import cells
from konsilium.web.compressing import QuickGZipMiddleware
from konsilium.web.templates import filled


def test_constant_words_and_addresses_are_put_in_and_the_rest_is_left():
    with translation.override("ru"):
        assert filled("<a href=\"{% url 'triage:list' %}\">{% translate 'Requests' %}</a>") == (
            '<a href="/triage/">Запросы</a>'
        )
        for kept in (
            "{% translate 'Requests' as word %}",
            "{% translate word %}",
            "{% url 'consultation:show' row.pk %}",
            "{% url name %}",
            "{% translate '{{ braces }}' %}",
        ):
            assert filled(kept) == kept


def test_a_template_is_kept_for_each_language():
    django = engines["django"]
    for language, word in (("ru", "Дальше"), ("en", "Further"), ("ru", "Дальше")):
        with translation.override(language):
            page = django.get_template("components/pager.html").render({"next_url": "/x/"})
            assert word in page


def compressed(response, accepts="gzip, br"):
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepts})
    return QuickGZipMiddleware(lambda _: response)(request)


def test_a_page_is_compressed_and_its_length_is_a_little_different_each_time():
    page = ("Запрос " * 500).encode()
    answers = [compressed(HttpResponse(page)) for _ in range(12)]
    assert {gzip.decompress(answer.content) for answer in answers} == {page}
    assert {(answer["Content-Encoding"], answer["Vary"]) for answer in answers} == {
        ("gzip", "Accept-Encoding")
    }
    assert all(int(answer["Content-Length"]) == len(answer.content) for answer in answers)
    assert len({len(answer.content) for answer in answers}) > 1


@pytest.mark.parametrize("accepts", ["", "br", "identity"])
def test_a_page_goes_as_it_is_to_who_takes_no_gzip(accepts):
    answer = compressed(HttpResponse(b"x" * 5000), accepts)
    assert (answer.content, answer.has_header("Content-Encoding")) == (b"x" * 5000, False)


def test_many_texts_are_escaped_in_one_go_and_none_moves():
    rows = [("<b>", "", "a&b"), ('"', "'", "")]
    assert cells.escaped(rows) == [["&lt;b&gt;", "", "a&amp;b"], ["&quot;", "&#x27;", ""]]
    assert cells.escaped([]) == []
