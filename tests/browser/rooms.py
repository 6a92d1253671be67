"""People in a session's room, each with a colour and a tone of their own: who sees and hears whom is read off."""

import time

COLOURS = {"red": "#e01010", "green": "#10c010", "blue": "#1010e0", "yellow": "#d0d010"}
TONES = {"red": 440, "green": 880, "blue": 1320, "yellow": 1760}
MEDIA_FLAGS = [
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--use-fake-ui-for-media-stream",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
# A camera and a microphone of the test's own: a canvas of one colour, and a tone.
MEDIA = """
([colour, tone]) => {
  const make = (constraints) => {
    const stream = new MediaStream();
    if (constraints.video) {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: 320, height: 180 });
      const ink = canvas.getContext("2d");
      let turn = 0;
      setInterval(() => {
        ink.fillStyle = colour;
        ink.fillRect(0, 0, 320, 180);
        ink.fillStyle = "#00000033";
        ink.fillRect((turn += 7) % 320, 0, 12, 180);
      }, 66);
      stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
    }
    if (constraints.audio) {
      const context = new AudioContext();
      const beep = new OscillatorNode(context, { frequency: tone });
      const gain = new GainNode(context, { gain: 0.4 });
      const out = context.createMediaStreamDestination();
      beep.connect(gain).connect(out);
      beep.start();
      stream.addTrack(out.stream.getAudioTracks()[0]);
    }
    return stream;
  };
  navigator.mediaDevices.getUserMedia = async (constraints) => make(constraints);
  navigator.mediaDevices.getDisplayMedia = async () => make({ video: true });
}
"""
SEES = """
(id) => {
  const video = document.querySelector(`[data-person="${id}"] video`);
  if (!video || !video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 8, height: 8 });
  const ink = canvas.getContext("2d");
  ink.drawImage(video, 0, 0, 8, 8);
  const [r, g, b] = ink.getImageData(4, 4, 1, 1).data;
  return { r, g, b };
}
"""
HEARS = """
async (id) => {
  const stream = document.querySelector(`[data-person="${id}"] video`)?.srcObject;
  if (!stream?.getAudioTracks().length) return 0;
  const context = new AudioContext();
  await context.resume();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
  await new Promise((go) => setTimeout(go, 500));
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  let best = 0;
  for (let at = 1; at < bins.length; at += 1) if (bins[at] > bins[best]) best = at;
  const loud = bins[best] > -70;
  const tone = (best * context.sampleRate) / analyser.fftSize;
  await context.close();
  return loud ? tone : 0;
}
"""


class Somebody:
    """One person in the room, by colour."""

    def __init__(self, context, colour, session_key, address):
        self.colour, self.context = colour, context
        self.troubles = []
        context.add_cookies([{"name": "konsilium", "value": session_key, "url": address}])
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.troubles.append(said.text) if "Content Security" in said.text else None,
        )
        self.page.add_init_script(f"({MEDIA})({[COLOURS[colour], TONES[colour]]!r})".replace("'", '"'))

    def come(self, session, *, sound=False):
        self.page.goto(f"/sessions/{session.pk}/room/")
        self.page.locator("#enter-sound" if sound else "#enter").click()
        self.page.locator("#room[data-ready]").wait_for(state="attached")
        self.me = self.page.evaluate("document.getElementById('room').room.me")
        return self

    def sees(self, other):
        """The colour of the other's picture, or nothing."""
        found = self.page.evaluate(SEES, other.me)
        if not found or max(found.values()) < 90:
            return None
        bright = {name for name, value in found.items() if value > 0.6 * max(found.values())}
        return {
            frozenset("r"): "red",
            frozenset("g"): "green",
            frozenset("b"): "blue",
            frozenset("rg"): "yellow",
        }.get(frozenset(bright))

    def hears(self, other):
        """Whose tone comes from the other, or nothing."""
        tone = self.page.evaluate(HEARS, other.me)
        return next((colour for colour, its in TONES.items() if abs(its - tone) < 30), None)

    def hears_soon(self, other):
        """Wait until the other's tone comes: sound may follow the picture by a moment."""
        self.soon(lambda: self.hears(other) == other.colour)

    def press(self, name):
        self.page.locator(f"[data-name={name}]").click()

    def soon(self, check, *, seconds=30):
        """Wait until a check of this page holds; says how many seconds it took."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if check():
                return time.monotonic() - begun
            self.page.wait_for_timeout(100)
        raise AssertionError((self.colour, "in vain"))
