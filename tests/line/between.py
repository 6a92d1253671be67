"""Put an emulated line between pages in Chromium, and read what they received over it."""

from dataclasses import dataclass
from pathlib import Path

# Pages that meet on this machine, with a camera and a microphone that need nobody's permission.
FLAGS = (
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
_SCRIPT = Path(__file__).with_name("between.js")
_TOTALS = """async () => {
  const of = { audio: [0, 0, 0, 0], video: [0, 0, 0, 0] };
  for (const connection of window.konsiliumConnections ?? []) {
    if (connection.connectionState === "closed") continue;
    for (const one of (await connection.getStats()).values()) {
      if (one.type !== "inbound-rtp" || !of[one.kind]) continue;
      const found = [one.packetsReceived, one.packetsLost, one.kind === "audio" ? one.concealedSamples : one.framesDecoded, one.totalSamplesReceived];
      found.forEach((value, at) => (of[one.kind][at] += value ?? 0));
    }
  }
  return of;
}"""


@dataclass(frozen=True)
class Heard:
    """What a page received in a while, over all its connections."""

    audio_loss: float
    concealed: float
    audio_packets: int
    frames: int
    video_loss: float


def put_between(context, emulator, line):
    """Let every page of a browser context be at the end of this line. Called before the first page opens."""
    context.expose_function("konsiliumOwn", lambda ip, port: emulator.own(line, ip, port))
    context.expose_function("konsiliumStandIn", emulator.stand_in)
    context.add_init_script(_SCRIPT.read_text())


def totals(page):
    """Return what a page has received so far."""
    return page.evaluate(_TOTALS)


def differ(before, after):
    """Return what came between two looks at a page's totals."""
    audio, video = (
        [later - sooner for sooner, later in zip(before[kind], after[kind], strict=True)]
        for kind in ("audio", "video")
    )
    return Heard(
        audio_loss=_share(audio[1], audio[0] + audio[1]),
        concealed=_share(audio[2], audio[3]),
        audio_packets=audio[0],
        frames=video[2],
        video_loss=_share(video[1], video[0] + video[1]),
    )


def heard(pages, milliseconds):
    """Let the pages run, and return what each received meanwhile."""
    before = [totals(page) for page in pages]
    pages[0].wait_for_timeout(milliseconds)
    return [differ(sooner, totals(page)) for sooner, page in zip(before, pages, strict=True)]


def _share(part, whole):
    return max(part, 0) / whole if whole > 0 else 0.0
