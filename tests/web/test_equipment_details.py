"""What a look heard is told beside its answer, in the reader's language."""

import pytest
from django.utils.translation import override

from konsilium.web.equipment.details import details
from konsilium.web.numbers import plain


@pytest.mark.parametrize(
    ("measured", "lines"),
    [
        ({}, []),
        (
            {"connect_ms": 12, "code": 404, "codecs": ["pcma", "h264"]},
            ["Ответ SIP: 404", "Кодеки: pcma, h264"],
        ),
        ({"codecs": {"audio": "opus", "video": "VP8"}}, ["Кодеки: opus, VP8"]),
        ({"cause": 17, "reason": "", "said": ["released"]}, ["Причина (Q.931): 17"]),
        ({"gatekeeper": "rejects"}, ["Гейткипер отвечает и отказывает."]),
        (
            {"gatekeeper": "closed_address"},
            ["Гейткипер не опрошен. Адрес лежит в сети, к которой отсюда не подключаются."],
        ),
    ],
)
def test_a_specialist_reads_what_was_heard(measured, lines):
    with override("ru"):
        assert details(measured) == lines


@pytest.mark.parametrize(("value", "russian"), [(0.3, "0,3"), (150.0, "150"), (29.97, "29,97")])
def test_measured_numbers_are_written_as_the_reader_does(value, russian):
    with override("ru"):
        assert plain(value) == russian
    with override("en"):
        assert plain(value) == russian.replace(",", ".")
