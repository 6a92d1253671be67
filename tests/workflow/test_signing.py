"""A certificate has to name whoever brings its signature."""

import pytest

from konsilium.workflow.signing import Signer, is_named

NAMED = {"family": "Соколов", "given": "Андрей Петрович"}


@pytest.mark.parametrize(
    ("certificate", "signer", "fits"),
    [
        (NAMED, Signer("Соколов Андрей Петрович"), True),
        (NAMED, Signer("СОКОЛОВ  Андрей"), True),
        ({"name": "Соколов Андрей"}, Signer("Соколов Андрей Петрович"), True),
        ({"family": "Королев", "given": "Пётр"}, Signer("Королёв Петр"), True),
        (NAMED, Signer("Соколов Андрей Иванович"), False),
        (NAMED, Signer("Соколова Андрей Петрович"), False),
        (NAMED, Signer("Соколов"), False),
        ({}, Signer("Соколов Андрей"), False),
        ({"name": "Соколов"}, Signer("Соколов Андрей"), False),
        # The SNILS is stronger than a name, either way.
        ({**NAMED, "snils": "11223344595"}, Signer("Иванова Анна", "112-233-445 95"), True),
        ({**NAMED, "snils": "00000000000"}, Signer("Соколов Андрей Петрович", "11223344595"), False),
        ({**NAMED, "snils": "11223344595"}, Signer("Соколов Андрей Петрович"), True),
        # The organisation's own: its OGRN has to be right, and a seal without a person is enough.
        ({"name": "Центр", "ogrn": "1"}, Signer("Лунин Фёдор", ogrn="1"), True),
        ({"name": "Центр", "ogrn": "2"}, Signer("Лунин Фёдор", ogrn="1"), False),
        ({**NAMED, "ogrn": "2"}, Signer("Соколов Андрей", ogrn="1"), False),
        ({**NAMED, "ogrn": "1"}, Signer("Лунин Фёдор", ogrn="1"), False),
        ({"name": "Центр", "ogrn": "1"}, Signer("Соколов Андрей"), False),
    ],
)
def test_a_certificate_has_to_name_the_signer(certificate, signer, fits):
    assert is_named(certificate, signer) is fits
