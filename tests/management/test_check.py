"""`konsilium check` tells the operator what is not configured."""

from io import StringIO

import pytest
from django.core.management import call_command

from konsilium.adapters.signatures import read_choice


def said():
    told = StringIO()
    call_command("check", stdout=told, stderr=told)
    return told.getvalue()


@pytest.mark.django_db
def test_it_says_that_signatures_are_not_checked(settings, tmp_path):
    settings.SIGNATURES = read_choice({}, tmp_path)
    assert "Signatures are not checked" in said()


@pytest.mark.django_db
def test_it_says_what_a_named_verifier_lacks(settings, tmp_path):
    settings.SIGNATURES = read_choice({"KONSILIUM_SIGNATURES": "openssl"}, tmp_path)
    text = said()
    assert "Signatures are not checked" not in text
    assert str(tmp_path / "trust" / "roots") in text
