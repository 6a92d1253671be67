"""The gallery: what can be looked at, under which addresses, the photo protocol, and what of it is logged."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from konsilium.adapters.kinds import HEIC, JPEG, MP4, PDF, STL, TIFF, ZIP
from konsilium.models import Derived, Document, Event, Series, Viewing
from konsilium.models.access import acting, as_inspector
from konsilium.web.gallery import looking
from tests import pictures
from tests.requests import draft, sent

pytestmark = pytest.mark.django_db(transaction=True)


def photo(owner, row, name="Анфас.jpg", *, kind="face_photo", media_type=JPEG, view=True, **values):
    """A photograph with its copies for looking."""
    document = pictures.paper(owner, row, name, kind=kind, media_type=media_type, **values)
    pictures.copy_of(document, purpose="thumbnail", media_type="image/webp")
    if view:
        pictures.copy_of(document, content=b"upright and small")
    return document


def gallery(client_as, actor, row, at=None, **more):
    url = reverse("gallery:show", args=[row.pk])
    return client_as(actor).get(url, ({"at": at.pk} if at else {}) | more)


def address(document, purpose, actor, at=None):
    return looking.address(document.pk, purpose, actor=actor, at=at or timezone.now())


def bytes_of(answer):
    return b"".join(answer.streaming_content)


def test_a_photograph_stands_there_large_with_its_neighbours(owner, cast, client_as):
    row = sent(cast)
    first, second = photo(owner, row), photo(owner, row, "Профиль.heic", media_type=HEIC)
    page = gallery(client_as, cast.cniis_dispatcher, row, second).content.decode()
    assert "2 / 2" in page
    assert f'?at={first.pk}" rel="prev"' in page
    assert 'rel="next"' not in page
    assert page.count('aria-current="true"') == 1


def test_without_a_choice_the_first_is_shown_and_a_foreign_choice_is_none(owner, cast, client_as):
    row, other = sent(cast), sent(cast, "chita_doctor")
    photo(owner, row)
    foreign = photo(owner, other, "Чужое.jpg")
    page = gallery(client_as, cast.omsk_doctor, row, foreign).content.decode()
    assert "Анфас.jpg" in page
    assert "Чужое.jpg" not in page


def test_looking_is_logged_once_and_with_the_object(owner, cast, client_as):
    row = sent(cast)
    document = photo(owner, row)
    gallery(client_as, cast.cniis_dispatcher, row, document)
    client_as(cast.cniis_dispatcher).get(address(document, "view", cast.cniis_dispatcher))
    # A small picture in a list is no look.
    assert client_as(cast.omsk_admin).get(address(document, "thumbnail", cast.omsk_admin)).status_code == 200
    with acting(cast.omsk_doctor):
        seen = Viewing.objects.filter(subject_id=document.pk).values_list("person_id", "subject")
        assert list(seen) == [(cast.cniis_dispatcher.person_id, "document")]


def test_the_bytes_are_the_copys_and_can_do_nothing(owner, cast, client_as):
    document = photo(owner, sent(cast))
    answer = client_as(cast.omsk_doctor).get(address(document, "view", cast.omsk_doctor))
    assert bytes_of(answer) == b"upright and small"
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == "inline"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, max-age=900"


@pytest.mark.parametrize("media_type", [PDF, MP4, STL, JPEG])
def test_originals_of_harmless_kinds_are_shown_by_ranges(owner, cast, client_as, media_type):
    document = pictures.paper(owner, sent(cast), "Файл", media_type=media_type, content=b"0123456789")
    url = address(document, "original", cast.omsk_doctor)
    answer = client_as(cast.omsk_doctor).get(url, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, bytes_of(answer)) == (206, b"234")
    assert answer.headers["Content-Range"] == "bytes 2-4/10"
    assert answer.headers["Content-Type"] == media_type
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("media_type", [ZIP, TIFF, "text/html", "image/svg+xml", "text/plain"])
def test_other_originals_are_never_shown_inline(owner, cast, client_as, media_type):
    document = pictures.paper(owner, sent(cast), "Файл", media_type=media_type, content=b"0123456789")
    assert client_as(cast.omsk_doctor).get(address(document, "original", cast.omsk_doctor)).status_code == 404


def test_a_copy_of_a_kind_that_browsers_run_is_not_shown(owner, cast, client_as):
    document = pictures.paper(owner, sent(cast), "Файл", media_type=JPEG)
    pictures.copy_of(document, media_type="image/svg+xml")
    assert client_as(cast.omsk_doctor).get(address(document, "view", cast.omsk_doctor)).status_code == 404


@pytest.mark.parametrize("state", ["quarantined", "refused", "removed"])
def test_what_is_not_released_is_nowhere(owner, cast, client_as, state):
    row = sent(cast)
    document = photo(owner, row, state=state)
    assert "Анфас.jpg" not in gallery(client_as, cast.omsk_doctor, row).content.decode()
    for purpose in ("view", "thumbnail", "original"):
        assert (
            client_as(cast.omsk_doctor).get(address(document, purpose, cast.omsk_doctor)).status_code == 404
        )


def test_an_address_is_its_owners_for_an_hour(owner, cast, client_as):
    document = photo(owner, sent(cast))
    mine = address(document, "view", cast.omsk_doctor)
    assert client_as(cast.omsk_doctor).get(mine).status_code == 200
    assert client_as(cast.omsk_admin).get(mine).status_code == 404
    late = address(document, "view", cast.omsk_doctor, timezone.now() - timedelta(minutes=80))
    early = address(document, "view", cast.omsk_doctor, timezone.now() + timedelta(minutes=20))
    for url in (late, early, mine[:-3] + "x/"):
        assert client_as(cast.omsk_doctor).get(url).status_code == 404


def test_a_right_that_ended_ends_the_address(owner, cast, client_as):
    row = sent(cast)
    document = photo(owner, row)
    urls = [address(document, purpose, cast.cniis_dispatcher) for purpose in ("view", "original")]
    assert [client_as(cast.cniis_dispatcher).get(url).status_code for url in urls] == [200, 200]
    series = pictures.series(pictures.study(row), document)
    with as_inspector(row.pk):
        Series.objects.filter(pk=series.pk).update(is_included=False)
    assert [client_as(cast.cniis_dispatcher).get(url).status_code for url in urls] == [404, 404]
    assert "Анфас.jpg" not in gallery(client_as, cast.cniis_dispatcher, row).content.decode()


def test_a_scan_of_several_pages_is_shown_page_by_page(owner, cast, client_as):
    row = sent(cast)
    scan = photo(owner, row, "Скан.tiff", media_type=TIFF)
    for number in (10, 2):
        pictures.copy_of(scan, purpose=f"view-{number}")
    page = gallery(client_as, cast.omsk_doctor, row, scan, page="2").content.decode()
    assert page.count("&amp;page=") == 3
    assert 'page=2" aria-current="page"' in page
    with acting(cast.omsk_doctor):
        assert Derived.objects.filter(document=scan).count() == 4


def test_papers_films_and_surfaces_have_their_own_scripts_and_no_others(owner, cast, client_as):
    row = sent(cast)
    shown = {
        "papers": pictures.paper(owner, row, "Выписка.pdf", media_type=PDF),
        "video": pictures.paper(owner, row, "Открывание рта.mp4", media_type=MP4),
        "surfaces": pictures.paper(
            owner, row, "Скан.stl", media_type=STL, kind="intraoral_scan", facts='{"triangles": 12}'
        ),
    }
    for name, document in shown.items():
        answer = gallery(client_as, cast.omsk_doctor, row, document)
        page = answer.content.decode()
        marks = {"papers": "gallery/papers.", "video": "<video", "surfaces": "gallery/surfaces."}
        assert {mark: mark in page for mark in marks.values()} == {
            mark: key == name for key, mark in marks.items()
        }
    policy = answer.headers["Content-Security-Policy"]
    assert "media-src 'self'" in policy
    assert "worker-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_protocol_says_what_is_there_and_what_is_missing(owner, cast, client_as):
    row = sent(cast)
    photo(owner, row, photo_view="face_front")
    page = gallery(client_as, cast.cniis_dispatcher, row).content.decode()
    assert "1 из 6 видов" in page
    assert page.count('<span class="badge">нет</span>') == 5
    assert "views/profile_right" in page
    assert "Прикус" not in page


def test_the_uploader_says_which_view_it_is_and_it_is_remembered(owner, cast, client_as):
    row = sent(cast)
    document = photo(owner, row)
    url = reverse("gallery:name_view", args=[document.pk])
    page = gallery(client_as, cast.omsk_doctor, row, document).content.decode()
    assert '<option value="profile_left">Профиль слева</option>' in page
    client_as(cast.omsk_doctor).post(url, {"view": "profile_left"})
    with acting(cast.omsk_doctor):
        assert Document.objects.get(pk=document.pk).photo_view == "profile_left"
        assert Event.objects.filter(kind="photo_named").count() == 1
    assert (
        "Профиль слева"
        in client_as(cast.omsk_doctor).get(reverse("consultation:show", args=[row.pk])).content.decode()
    )


def test_the_centre_names_no_photographs_of_the_hospital(owner, cast, client_as):
    row = sent(cast)
    document = photo(owner, row)
    assert "name_view" not in gallery(client_as, cast.cniis_dispatcher, row, document).content.decode()
    answer = client_as(cast.cniis_dispatcher).post(
        reverse("gallery:name_view", args=[document.pk]), {"view": "face_front"}, follow=True
    )
    assert "указывает только запрашивающая сторона" in answer.content.decode()
    with acting(cast.omsk_doctor):
        assert Document.objects.get(pk=document.pk).photo_view == ""


@pytest.mark.parametrize("view", ["bite_front", "<script>"])
def test_a_view_of_another_kind_is_refused(owner, cast, client_as, view):
    document = photo(owner, draft(cast))
    url = reverse("gallery:name_view", args=[document.pk])
    answer = client_as(cast.omsk_doctor).post(url, {"view": view}, follow=True)
    assert "Выберите вид из списка" in answer.content.decode()


def test_the_documents_have_small_pictures_and_a_way_to_look(owner, cast, client_as):
    row = sent(cast)
    document = photo(owner, row)
    archive = pictures.paper(owner, row, "Диск.zip")
    page = client_as(cast.omsk_doctor).get(reverse("consultation:show", args=[row.pk])).content.decode()
    assert page.count('class="thumb small"') == 1
    assert f"/gallery/?at={document.pk}" in page
    assert f"/gallery/?at={archive.pk}" not in page


def test_the_documents_say_how_much_of_the_protocol_is_there(owner, cast, client_as):
    row = sent(cast)
    photo(owner, row, photo_view="face_front")
    url = reverse("consultation:show", args=[row.pk])
    assert "Фотопротокол: 1 из 6 видов" in client_as(cast.cniis_dispatcher).get(url).content.decode()
    other = sent(cast, profile="neuro")
    url = reverse("consultation:show", args=[other.pk])
    assert "Фотопротокол" not in client_as(cast.cniis_dispatcher).get(url).content.decode()


def test_a_file_that_holds_what_is_not_sent_is_named_without_its_bytes(owner, cast, client_as):
    row = sent(cast)
    archive = pictures.paper(owner, row, "Диск.zip")
    series = pictures.series(pictures.study(row), archive)
    with as_inspector(row.pk):
        Series.objects.filter(pk=series.pk).update(is_included=False)
    url = reverse("consultation:show", args=[row.pk])
    page = client_as(cast.cniis_dispatcher).get(url).content.decode()
    assert "Содержит снимки, которые не отправляются" in page
    assert reverse("documents:open", args=[archive.pk]) not in page
    assert (
        reverse("documents:open", args=[archive.pk]) in client_as(cast.omsk_doctor).get(url).content.decode()
    )


def test_a_refusal_is_told_in_the_doctors_words(owner, cast, client_as):
    row = draft(cast)
    facts = '{"refusal": {"threat": "Eicar"}}'
    words = "The virus scanner found something in the file: %(threat)s."
    pictures.paper(owner, row, "Плохой.pdf", media_type=PDF, state="refused", refusal=words, facts=facts)
    page = client_as(cast.omsk_doctor).get(reverse("drafting:edit", args=[row.pk])).content.decode()
    assert "Eicar" in page
    assert "%(threat)s" not in page
