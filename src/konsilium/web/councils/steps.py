"""What a council waits for, in words for its reader: what they have to do now, or who is waited for."""

from collections.abc import Iterable

from django.utils.translation import gettext

from konsilium.models import Conclusion, Council, Seat
from konsilium.workflow.consultation import FINAL
from konsilium.workflow.council import CouncilState, SeatKind
from konsilium.workflow.words import N_

# An order in which a protocol names them.
_ORDER = {SeatKind.CHAIR: 0, SeatKind.SECRETARY: 1, SeatKind.MEMBER: 2}
TONES = {
    CouncilState.GATHERING: "accent",
    CouncilState.DISCUSSION: "accent",
    CouncilState.DECIDED: "warn",
    CouncilState.SIGNING: "warn",
    CouncilState.SIGNED: "good",
}


def in_order(seats: Iterable[Seat]) -> list[Seat]:
    """Return the seats as a protocol names them: the chair, the secretary, the members as they were called."""
    return sorted(seats, key=lambda seat: (_ORDER[SeatKind(seat.kind)], seat.invited_at, seat.pk))


def is_placed(council: Council) -> bool:
    """Say whether a council's protocol is placed (one query, of a signed council alone)."""
    if council.state != CouncilState.SIGNED:
        return False
    return Conclusion.objects.filter(council=council).exclude(placed_at=None).exists()


def next_step(council: Council, seats: Iterable[Seat], own: Seat | None, *, is_placed: bool) -> str:
    """Say what the reader has to do now, or who is waited for."""
    taking = [seat for seat in seats if seat.answer == "accepted"]
    match council.state:
        case CouncilState.GATHERING:
            return _gathering(council, seats, taking, own)
        case CouncilState.DISCUSSION:
            return gettext(_DISCUSSION[_leads(own)])
        case CouncilState.DECIDED:
            return gettext(_DECIDED[own is not None and own.kind == SeatKind.SECRETARY])
        case CouncilState.SIGNING:
            return _signing(taking, own)
        case CouncilState.SIGNED:
            return _signed(council, own, is_placed=is_placed)
        case _:
            return gettext("This council was cancelled.")


_DISCUSSION = {
    True: N_("Discuss the case, then write down what is decided."),
    False: N_("The case is discussed; the chair or the secretary writes down what is decided."),
}
_DECIDED = {
    True: N_("Write the protocol, then give it to be signed."),
    False: N_("The secretary writes the protocol. Whoever disagrees records their dissent now."),
}


def _leads(own: Seat | None) -> bool:
    return own is not None and own.kind in (SeatKind.CHAIR, SeatKind.SECRETARY)


def _gathering(council: Council, seats: Iterable[Seat], taking: list[Seat], own: Seat | None) -> str:
    if own is not None and own.answer == "invited":
        return gettext("Say whether you take part. Whoever seals an opinion takes part by it.")
    if own is not None and own.opinion_sealed_at is None:
        return gettext("Write your opinion and seal it. Nobody reads it before all are opened together.")
    late = [seat for seat in seats if seat.answer in ("invited", "accepted") and not seat.opinion_sealed_at]
    if any(seat.answer == "accepted" for seat in late) or len(taking) < council.quorum:
        return gettext("Opinions are awaited: %(names)s.") % {"names": names_of(late) or "—"}
    if _leads(own):
        return gettext("Everybody who takes part has sealed their opinion: open them together.")
    return gettext("All opinions are sealed; the chair or the secretary opens them together.")


def _signing(taking: list[Seat], own: Seat | None) -> str:
    unsigned = [seat for seat in taking if seat.signed_at is None]
    others = [seat for seat in unsigned if seat.kind != SeatKind.CHAIR]
    if own is None or own.signed_at is not None:
        return gettext("Signatures are awaited: %(names)s.") % {"names": names_of(unsigned)}
    if own.kind == SeatKind.CHAIR and others:
        return gettext("You sign last, after: %(names)s.") % {"names": names_of(others)}
    return gettext("Read the protocol and sign it, or refuse and say why.")


def _signed(council: Council, own: Seat | None, *, is_placed: bool) -> str:
    if is_placed:
        return gettext("The protocol is placed: the requesting side reads it.")
    if council.consultation.state in FINAL:
        return gettext("The request ended before the protocol was placed.")
    if own is not None and own.kind == SeatKind.SECRETARY:
        return gettext("Everybody has signed: lay the signed protocol's scan to it and place it.")
    return gettext("Everybody has signed; the secretary places the protocol.")


def names_of(seats: Iterable[Seat]) -> str:
    """Name the holders of seats, in the protocol's order."""
    return ", ".join(seat.name for seat in in_order(seats))
