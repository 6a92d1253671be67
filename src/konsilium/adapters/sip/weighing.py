"""What counted packets make of a call: loss, jitter and round trip each way, sizes, what is missing, and an answer."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from konsilium.adapters.sip.baresip import FPS, WIDTH
from konsilium.adapters.sip.descriptions import Media
from konsilium.adapters.sip.streams import Heard, Told, mos
from konsilium.workflow.probing import Found, StepFound
from konsilium.workflow.protocol import outcome_of

# Reports that speak of nothing heard say only after the second one that nothing came.
SURE = 2
LEAST = 10


class Way(Protocol):
    """One medium with both its directions."""

    kind: str
    out: Heard
    into: Heard
    told: Told

    @property
    def before(self) -> int:
        """Return how many of the packets that go to them were missing already when they were sent on."""


def weighed(
    media: Sequence[Way],
    answer: Sequence[Media],
    more: Mapping[str, Any],
    picture: bytes | None,
    *,
    is_cut: bool,
) -> Found:
    """Return what a call that stood tells. `is_cut`: the other side ended it early."""
    taken = {one.kind: one for one, line in zip(media, answer, strict=True) if line.is_on}
    sound, sight = taken.get("audio"), taken.get("video")
    codecs = {kind: one.out.codec for kind, one in taken.items()}
    round_trips = [one.told.round_trip for one in taken.values() if one.told.round_trip is not None]
    delay = min(round_trips) if round_trips else None
    steps = _sound(sound, delay) | _sight(sight)
    steps["call"] = StepFound("failed" if is_cut else "", {"round_trip": delay} if delay is not None else {})
    if not steps["call"].outcome and delay is None:
        steps["call"] = StepFound("passed")
    code = _answer(sound, sight, steps)
    measured = {**more, "codecs": codecs, **numbers(taken)}
    return Found(code, measured, _said(steps), picture)


def numbers(taken: Mapping[str, Way]) -> dict[str, Any]:
    """Return each direction's numbers by medium, as they are kept with the probe."""
    return {
        kind: {
            "from_them": _heard(one.into),
            "to_them": {
                "loss": one.told.lost(one.out.base, one.before),
                "jitter": one.told.jitter_ms if one.told.blocks else None,
                "packets": one.out.packets,
                "rate": one.out.a_second(one.out.octets * 8 / 1000),
                "reports": one.told.reports,
            },
        }
        for kind, one in taken.items()
    }


def _heard(one: Heard) -> dict[str, Any]:
    return {
        "loss": one.lost,
        "jitter": one.jitter_ms if one.packets else None,
        "packets": one.packets,
        "rate": one.a_second(one.octets * 8 / 1000),
    }


def comes(one: Way | None) -> bool:
    """Say whether media came from them."""
    return one is not None and one.into.packets >= LEAST


def is_missing_there(one: Way | None) -> bool:
    """Say whether they report that nothing reaches them; silence about it says nothing."""
    return one is not None and one.told.reports >= SURE and not one.told.blocks


def _sound(one: Way | None, delay: float | None) -> dict[str, StepFound]:
    found: dict[str, StepFound] = {"sound_in": StepFound("failed")}
    if one is not None and comes(one):
        found["sound_in"] = StepFound("", _quality(one.into.lost, one.into.jitter_ms, delay))
    if one is None or is_missing_there(one):
        found["sound_out"] = StepFound("failed")
    elif one.told.blocks:
        found["sound_out"] = StepFound(
            "", _quality(one.told.lost(one.out.base, one.before), one.told.jitter_ms, delay)
        )
    return found


def _quality(loss: float | None, jitter: float, delay: float | None) -> dict[str, float]:
    if loss is None:
        return {}
    # A buffer holds back about twice the jitter.
    return {"loss": loss, "jitter": jitter, "mos": mos(loss, (delay or 0) / 2 + 2 * jitter)}


def _sight(one: Way | None) -> dict[str, StepFound]:
    if one is None:
        return {"picture_in": StepFound("failed"), "picture_out": StepFound("failed")}
    found = {"picture_in": StepFound("failed")}
    if comes(one):
        size = {"width": float(one.into.size[0])} if one.into.size[0] else {}
        found["picture_in"] = StepFound("", {**size, "fps": _fps(one.into)})
    if is_missing_there(one):
        found["picture_out"] = StepFound("failed")
    elif one.told.blocks:
        lost = outcome_of({"loss": one.told.lost(one.out.base, one.before) or 0})
        found["picture_out"] = StepFound(
            lost, {"width": float(one.out.size[0] or WIDTH), "fps": _fps(one.out) or FPS}
        )
    return found


def _fps(one: Heard) -> float:
    """Whole pictures: one of fifteen that came a moment late is no worse picture."""
    return float(round(one.a_second(one.pictures)))


def _answer(sound: Way | None, sight: Way | None, steps: Mapping[str, StepFound]) -> str:
    ways = [one for one in (sound, sight) if one is not None]
    has_in, lacks_out = any(map(comes, ways)), bool(ways) and all(map(is_missing_there, ways))
    if not has_in:
        # Whether ours arrived, their reports alone could say.
        return "no_media" if lacks_out else "no_media_in"
    if lacks_out:
        return "no_media_out"
    if not comes(sight) or is_missing_there(sight):
        return "sound_only" if comes(sound) and not is_missing_there(sound) else "call_limited"
    outcomes = {step.outcome or outcome_of(step.numbers) for step in steps.values()}
    return "call_limited" if outcomes & {"limited", "failed"} else "call_good"


def _said(steps: Mapping[str, StepFound]) -> dict[str, StepFound]:
    """Give each step the outcome of its own numbers: one bad direction says nothing of the other."""
    return {
        code: StepFound(step.outcome or outcome_of(step.numbers), step.numbers)
        for code, step in steps.items()
        if step.outcome or step.numbers
    }
