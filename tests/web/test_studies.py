"""What stands of a request's studies, for whom; what the centre isn't shown; names on pictures; copies."""

from datetime import date

import pytest
from django.urls import reverse

from konsilium.models import Derived, Document, Event, Instance, Reading, Series, Study
from konsilium.models.access import acting, as_inspector
from tests import pictures
from tests.requests import draft, sent

pytestmark = pytest.mark.django_db
STRANGER = {"patient_name": "IVANOV^PETR", "patient_birth_date": date(1975, 2, 3), "patient_sex": "M"}


@pytest.fixture
def case(cast, owner):
    """A draft with a study of two series in one archive. The owner's row must be committed with the request."""

    class Case:
        def __init__(self, row):
            self.row = row
            self.document = pictures.paper(owner, row)
            self.study = pictures.study(row)
            self.bone = pictures.series(self.study, self.document)
            self.soft = pictures.series(
                self.study, self.document, uid="1.2.3.2", description="Мягкие ткани", number=2
            )

    return Case


def shown(client_as, actor, row):
    return client_as(actor).get(reverse("consultation:show", args=[row.pk])).content.decode()


def form_of(client_as, actor, row):
    return client_as(actor).get(reverse("drafting:edit", args=[row.pk])).content.decode()


@pytest.mark.django_db(transaction=True)
class TestPanel:
    """The panel in the form, before sending, and on the request page."""

    def test_a_study_stands_there_with_its_series(self, case, cast, client_as):
        given = case(draft(cast))
        page = form_of(client_as, cast.omsk_doctor, given.row)
        for words in (
            "КЛКТ челюстей, 20.11.2026",
            "Кость 0,3 мм",
            "Мягкие ткани",
            "КТ · 2 снимка",
            "Омская ОКБ",
        ):
            assert words in page
        assert "Другой пациент?" not in page

    def test_while_something_is_read_the_panel_asks_again_and_then_stops(self, case, cast, client_as):
        given = case(draft(cast))
        work = pictures.reading(given.row, "index", document=given.document, progress=40)
        page = form_of(client_as, cast.omsk_doctor, given.row)
        assert "прочитано: 40 %" in page
        assert 'hx-trigger="every 3s, documents-changed from:body"' in page
        with as_inspector(given.row.pk):
            Reading.objects.filter(pk=work.pk).update(done_at="2026-11-23T06:00Z")
        url = reverse("studies:show", args=[given.row.pk])
        part = client_as(cast.omsk_doctor).get(url, headers={"HX-Request": "true"}).content.decode()
        assert part.lstrip().startswith("<section")
        assert 'hx-trigger="documents-changed from:body"' in part

    def test_what_was_left_out_is_told_with_the_reason_in_words(self, case, cast, client_as):
        given = case(draft(cast))
        pictures.left_out(given.document, "AUTORUN.INF", "not_dicom")
        pictures.left_out(given.document, "VIEWER.EXE", "something new")
        page = form_of(client_as, cast.omsk_doctor, given.row)
        assert "не снимок DICOM: 1" in page
        assert "не удалось прочитать: 1" in page
        assert "AUTORUN.INF" in page

    @pytest.mark.parametrize("page", ["drafting:edit", "drafting:send"])
    def test_another_patient_is_said_before_sending(self, case, cast, client_as, page):
        given = case(draft(cast))
        other = pictures.study(given.row, uid="9.9", **STRANGER)
        pictures.series(other, given.document, uid="9.9.1")
        text = client_as(cast.omsk_doctor).get(reverse(page, args=[given.row.pk])).content.decode()
        assert "Другой пациент?" in text
        assert "имя, дата рождения, пол" in text
        assert "IVANOV PETR, 03.02.1975, мужской" in text
        assert "Зайцева Ольга Петровна, 04.05.1981, женский" in text

    def test_the_centre_is_told_too_and_emptied_tags_are_no_mismatch(self, case, cast, client_as, owner):
        row = sent(cast)
        document = pictures.paper(owner, row)
        pictures.series(pictures.study(row, patient_name="ANONYMOUS", patient_sex="M"), document)
        assert "Другой пациент?" not in shown(client_as, cast.cniis_dispatcher, row)
        other = pictures.study(row, uid="9.9", **STRANGER)
        pictures.series(other, document, uid="9.9.1")
        assert "Другой пациент?" in shown(client_as, cast.cniis_dispatcher, row)

    def test_a_strangers_study_is_nobodys_warning_once_it_is_not_sent(self, case, cast, client_as):
        given = case(draft(cast))
        other = pictures.study(given.row, uid="9.9", **STRANGER)
        one = pictures.series(other, given.document, uid="9.9.1")
        client_as(cast.omsk_doctor).post(reverse("studies:include", args=[one.pk]), {"wanted": "0"})
        text = client_as(cast.omsk_doctor).get(reverse("drafting:send", args=[given.row.pk])).content.decode()
        assert text.count("Другой пациент?") == 1  # beside the study itself, not as what is about to be sent


def unticked(given, client_as, cast):
    answer = client_as(cast.omsk_doctor).post(
        reverse("studies:include", args=[given.soft.pk]), {"wanted": "0"}
    )
    assert answer.status_code == 302


@pytest.mark.django_db(transaction=True)
class TestChoosing:
    """Which series go to the centre."""

    def submitted(self, case, cast):
        return case(sent(cast))

    def hidden(self, given, **values):
        with as_inspector(given.row.pk):
            Series.objects.filter(pk=given.soft.pk).update(**values)

    def test_an_unticked_series_is_kept_in_the_record_and_can_be_ticked_again(self, case, cast, client_as):
        given = case(draft(cast))
        unticked(given, client_as, cast)
        page = form_of(client_as, cast.omsk_doctor, given.row)
        assert "не отправляется" in page
        assert "Всё же отправить" in page
        client_as(cast.omsk_doctor).post(
            reverse("studies:include", args=[given.soft.pk]), {"wanted": "1"}, headers={"HX-Request": "true"}
        )
        assert "не отправляется" not in form_of(client_as, cast.omsk_doctor, given.row)
        with acting(cast.omsk_doctor):
            kinds = Event.objects.filter(consultation=given.row, subject="series").values_list(
                "kind", flat=True
            )
            assert list(kinds) == ["series_left_out", "series_included"]

    @pytest.mark.parametrize("how", [{"is_included": False}, {"burned_in": "yes"}])
    def test_the_centre_sees_what_is_not_sent_by_no_route(self, case, cast, client_as, how):
        given = self.submitted(case, cast)
        assert "Мягкие ткани" in shown(client_as, cast.cniis_dispatcher, given.row)
        self.hidden(given, **how)
        assert "Мягкие ткани" in shown(client_as, cast.omsk_doctor, given.row)
        assert "Мягкие ткани" not in shown(client_as, cast.cniis_dispatcher, given.row)
        take = reverse("documents:open", args=[given.document.pk])
        assert client_as(cast.omsk_doctor).get(take).status_code == 302
        assert client_as(cast.cniis_dispatcher).get(take).status_code == 404
        with acting(cast.cniis_dispatcher):
            assert list(Series.objects.values_list("description", flat=True)) == ["Кость 0,3 мм"]
            assert set(Instance.objects.values_list("series_id", flat=True)) == {given.bone.pk}

    def test_the_centre_may_take_a_file_of_which_it_sees_everything(self, case, cast, client_as):
        given = self.submitted(case, cast)
        take = reverse("documents:open", args=[given.document.pk])
        assert client_as(cast.cniis_dispatcher).get(take).status_code == 302

    def test_a_ticket_from_before_is_worth_nothing_afterwards(self, case, cast, client_as):
        given = self.submitted(case, cast)
        client = client_as(cast.cniis_dispatcher)
        ticket = client.get(reverse("documents:open", args=[given.document.pk])).headers["Location"]
        assert client.get(ticket).status_code == 200
        self.hidden(given, is_included=False)
        assert client.get(ticket).status_code == 404

    def test_copies_of_a_file_with_such_a_series_are_not_shown_either(self, case, cast):
        given = self.submitted(case, cast)
        pictures.copy_of(given.document)
        with acting(cast.cniis_dispatcher):
            assert Derived.objects.count() == 1
        self.hidden(given, is_included=False)
        with acting(cast.cniis_dispatcher):
            assert Derived.objects.count() == 0
            assert Document.objects.filter(pk=given.document.pk).exists()
        with acting(cast.omsk_doctor):
            assert Derived.objects.count() == 1

    def test_a_study_without_a_shown_series_is_not_there(self, case, cast):
        given = self.submitted(case, cast)
        with acting(cast.cniis_dispatcher):
            assert Study.objects.count() == 1
        with as_inspector(given.row.pk):
            Series.objects.update(is_included=False)
        with acting(cast.cniis_dispatcher):
            assert Study.objects.count() == 0

    def test_after_sending_nothing_can_be_chosen(self, case, cast, client_as):
        given = self.submitted(case, cast)
        client = client_as(cast.omsk_doctor)
        answer = client.post(reverse("studies:include", args=[given.soft.pk]), {"wanted": "0"}, follow=True)
        assert "Запрос уже отправлен" in answer.content.decode()
        with acting(cast.omsk_doctor):
            assert Series.objects.filter(is_included=False).count() == 0

    def test_the_database_lets_nobody_else_choose(self, case, cast):
        given = self.submitted(case, cast)
        with acting(cast.omsk_doctor):
            assert Series.objects.filter(pk=given.soft.pk).update(is_included=False) == 0


@pytest.mark.django_db(transaction=True)
class TestNames:
    """Names burned into pictures."""

    def asked(self, case, cast):
        given = case(draft(cast))
        with as_inspector(given.row.pk):
            Series.objects.filter(pk=given.soft.pk).update(burned_in="asked")
        return given, reverse("studies:names", args=[given.soft.pk])

    def test_it_is_asked_where_the_risk_is(self, case, cast, client_as):
        given, url = self.asked(case, cast)
        assert form_of(client_as, cast.omsk_doctor, given.row).count("Есть имя на снимке?") == 1
        page = client_as(cast.omsk_doctor).get(url).content.decode()
        assert "Имени нет" in page
        assert "200 × 100" in page

    def test_no_names_is_an_answer(self, case, cast, client_as):
        given, url = self.asked(case, cast)
        client_as(cast.omsk_doctor).post(url, {"go": "none"})
        assert "Есть имя на снимке?" not in form_of(client_as, cast.omsk_doctor, given.row)
        with acting(cast.omsk_doctor):
            assert Series.objects.get(pk=given.soft.pk).burned_in == "no"

    def test_with_names_the_series_waits_to_be_blacked_out(self, case, cast, client_as):
        given, url = self.asked(case, cast)
        answer = client_as(cast.omsk_doctor).post(url, {"go": "there"})
        assert answer.headers["Location"] == url
        assert "имя на снимке: центру не показывается" in form_of(client_as, cast.omsk_doctor, given.row)

    def test_boxes_become_work_for_the_inspector_cut_to_the_picture(self, case, cast, client_as):
        given, url = self.asked(case, cast)
        boxes = {
            "left": ["10", "150", "", "500"],
            "top": ["5", "90", "1", "0"],
            "width": ["20", "100", "2", "9"],
            "height": ["10", "50", "3", "9"],
        }
        client_as(cast.omsk_doctor).post(url, {"go": "hide", **boxes})
        with acting(cast.omsk_doctor):
            work = Reading.objects.get(task="black_out")
            assert (work.series_id, work.arguments) == (
                given.soft.pk,
                {"boxes": [[10, 5, 20, 10], [150, 90, 50, 10]]},
            )
            assert Series.objects.get(pk=given.soft.pk).burned_in == "yes"

    def test_no_box_on_the_picture_is_said_and_nothing_changes(self, case, cast, client_as):
        given, url = self.asked(case, cast)
        answer = client_as(cast.omsk_doctor).post(
            url, {"go": "hide", "left": "300", "top": "0", "width": "5", "height": "5"}
        )
        assert answer.status_code == 422
        assert "Сначала обведите" in answer.content.decode()
        with acting(cast.omsk_doctor):
            assert Reading.objects.count() == 0
            assert Series.objects.get(pk=given.soft.pk).burned_in == "asked"

    def test_an_answer_is_taken_back_only_before_boxes_are_drawn(self, case, cast, client_as):
        given, url = self.asked(case, cast)
        client = client_as(cast.omsk_doctor)
        client.post(url, {"go": "there"})
        assert "Имени нет" in client.get(url).content.decode()
        client.post(url, {"go": "none"})
        with acting(cast.omsk_doctor):
            assert Series.objects.get(pk=given.soft.pk).burned_in == "no"
        client.post(url, {"go": "hide", "left": "1", "top": "1", "width": "5", "height": "5"})
        assert "Имени нет" not in client.get(url).content.decode()
        client.post(url, {"go": "none"})
        with acting(cast.omsk_doctor):
            assert Series.objects.get(pk=given.soft.pk).burned_in == "yes"

    def test_what_was_blacked_out_is_not_declared_clean(self, case, cast, client_as):
        given, url = self.asked(case, cast)
        with as_inspector(given.row.pk):
            Series.objects.filter(pk=given.soft.pk).update(burned_in="hidden")
        client_as(cast.omsk_doctor).post(url, {"go": "none"})
        with acting(cast.omsk_doctor):
            assert Series.objects.get(pk=given.soft.pk).burned_in == "hidden"


@pytest.mark.django_db(transaction=True)
class TestCopies:
    """De-identified copies."""

    def made(self, given, series):
        pictures.copy_of(
            given.document,
            purpose=f"deid-{given.study.pk.hex[-15:]}",
            content=b"PK copy",
            media_type="application/zip",
            study=str(given.study.pk),
            series=series,
        )

    def test_the_warning_about_faces_stands_there_and_one_order_is_enough(self, case, cast, client_as):
        given = case(sent(cast))
        url = reverse("studies:export", args=[given.study.pk])
        client = client_as(cast.omsk_doctor)
        assert "можно построить лицо" in client.get(url).content.decode()
        client.post(url)
        client.post(url)
        assert "Копия готовится" in client.get(url).content.decode()
        with acting(cast.omsk_doctor):
            work = Reading.objects.get(task="deidentify")
            assert work.arguments == {
                "study": str(given.study.pk),
                "series": sorted([str(given.bone.pk), str(given.soft.pk)]),
            }

    def test_a_ready_copy_is_handed_out_by_ticket_to_whoever_asked(self, case, cast, client_as):
        given = case(sent(cast))
        self.made(given, sorted([str(given.bone.pk), str(given.soft.pk)]))
        client = client_as(cast.cniis_dispatcher)
        assert "Копия готова" in client.get(reverse("studies:export", args=[given.study.pk])).content.decode()
        ticket = client.get(reverse("studies:copy", args=[given.study.pk])).headers["Location"]
        answer = client.get(ticket)
        assert b"".join(answer.streaming_content) == b"PK copy"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert client_as(cast.omsk_doctor).get(ticket).status_code == 404

    def test_a_copy_that_holds_a_series_the_centre_no_longer_sees_is_not_handed_out(
        self, case, cast, client_as
    ):
        given = case(sent(cast))
        self.made(given, sorted([str(given.bone.pk), str(given.soft.pk)]))
        client = client_as(cast.cniis_dispatcher)
        ticket = client.get(reverse("studies:copy", args=[given.study.pk])).headers["Location"]
        with as_inspector(given.row.pk):
            Series.objects.filter(pk=given.soft.pk).update(is_included=False)
        assert client.get(ticket).status_code == 404
        assert client.get(reverse("studies:copy", args=[given.study.pk])).status_code == 404
