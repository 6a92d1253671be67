"""The demonstration's councils of three centres: one that is discussing, one that has signed with a dissent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from konsilium.actions import concluding, convening, councils
from konsilium.models import Consultation, Council, Membership
from konsilium.models.access import acting, signing_in
from konsilium.workflow.council import SeatKind
from konsilium.workflow.roles import Actor, Role

if TYPE_CHECKING:
    from konsilium.demo.requests import Teller

HOUR = timedelta(hours=1)
REASON = "Рецидив после лечения: мнения о радикальности вмешательства расходятся."
OPINIONS = {
    SeatKind.CHAIR: "Показано радикальное удаление с одномоментной пластикой: повторный рост за полгода доказан.",
    SeatKind.SECRETARY: "Согласен на удаление. До операции нужна КТ с контрастом: связь с сосудами не ясна.",
    SeatKind.MEMBER: "Начал бы с биопсии. По снимкам рост не очевиден, спешить не стоит.",
}
LINES = (
    (SeatKind.MEMBER, "На сравнении двух снимков прирост меньше миллиметра, это в пределах погрешности."),
    (SeatKind.CHAIR, "Клинически появилась асимметрия. Биопсия возможна, но времени она отнимет две недели."),
)
DECISION = (
    "Биопсия и КТ с контрастом в течение двух недель; при подтверждении — удаление с одномоментной пластикой."
)
DISSENT = "Считаю, что ждать биопсии не следует: асимметрия нарастает, объём операции от ответа не зависит."
PROTOCOL = f"Консилиум рассмотрел случай и решил: {DECISION[0].lower()}{DECISION[1:]}"


class Sitting:
    """A council over a request of the teller's, with its people as they act in it."""

    def __init__(self, story: "Teller", row: Consultation) -> None:
        """Let the consultant call it, with a chair and a member from two other centres."""
        self.story, self.row = story, row
        people = {
            SeatKind.CHAIR: _consultant(story, "spb"),
            SeatKind.SECRETARY: story.consultant,
            SeatKind.MEMBER: _consultant(story, "nsk"),
        }
        seats = {person.membership_id: kind for kind, person in people.items()}
        given = convening.Call("treatment", REASON, seats)
        with acting(story.consultant):
            self.council: Council = convening.call(row, given, actor=story.consultant, at=story.at)
        self.people = {kind: _as_member(person) for kind, person in people.items()}

    def do(self, kind: SeatKind, verb: Callable[..., object], *words: str, **named: object) -> None:
        """Let somebody do something a few minutes later."""
        story, actor = self.story, self.people[kind]
        story.at = min(story.at + timedelta(minutes=7), story.world.now)
        with acting(actor):
            council = Council.objects.select_related("consultation").get(pk=self.council.pk)
            verb(council, *words, actor=actor, at=story.at, **named)

    def discussing(self) -> "Sitting":
        """Let everybody seal their opinion, the chair open them, and some talk."""
        for kind, text in OPINIONS.items():
            self.do(kind, councils.write_opinion, text, seal=True)
        self.do(SeatKind.CHAIR, councils.open_opinions)
        for kind, line in LINES:
            self.do(kind, councils.say, line)
        return self

    def signed(self) -> None:
        """Let them decide, the chair dissent, the secretary write the protocol, and everybody sign it."""
        self.discussing()
        self.do(SeatKind.SECRETARY, councils.decide, DECISION)
        self.do(SeatKind.CHAIR, councils.dissent, DISSENT)
        self._write()
        self.do(SeatKind.SECRETARY, councils.submit)
        for kind in (SeatKind.MEMBER, SeatKind.SECRETARY, SeatKind.CHAIR):
            self.do(kind, councils.sign)

    def _write(self) -> None:
        actor, at = self.people[SeatKind.SECRETARY], self.story.at
        with acting(actor):
            draft = concluding.draft_of(self.row, actor=actor, at=at)
            answers = dict.fromkeys(self.row.questions.values_list("pk", flat=True), DECISION)
            values = {"text": PROTOCOL, "kind": "council"}
            concluding.save_draft(draft, values, answers, actor=actor, at=at)


def _consultant(story: "Teller", centre: str) -> Actor:
    actors = story.world.actors.items()
    return next(who for key, who in actors if key.startswith(f"{centre}_{Role.CONSULTANT}_"))


def _as_member(person: Actor) -> Actor:
    with signing_in():
        seat = Membership.objects.get(person_id=person.person_id, role=Role.COUNCIL_MEMBER)
    return replace(person, role=Role.COUNCIL_MEMBER, membership_id=seat.pk)


def tell(story: "Teller") -> None:
    """Tell a council that is discussing, and one that has signed."""
    Sitting(story, story.writing(13 * HOUR)).discussing()
    Sitting(story, story.writing(21 * HOUR)).signed()
