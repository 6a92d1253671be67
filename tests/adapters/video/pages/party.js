// One party of a test: sends a colour and a tone of its own, and says what it gets of the others.
import { JanusEngine } from "/engines/janus.js";
import { Ladder } from "/engines/janus_ladder.js";

const party = (window.party = { events: [], streams: {}, engine: new JanusEngine() });

// What a page of somebody who knows Janus well might add to its own request.
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {
  const said = JSON.parse(text);
  if (party.cheat && said.body?.request === "publish") Object.assign(said.body, party.cheat);
  send.call(this, JSON.stringify(said));
};

// A page without a ladder, to show what it is good for.
const look = Ladder.prototype.look;
Ladder.prototype.look = function (loss) {
  return party.isStubborn ? this.step : look.call(this, loss);
};

// Something that doesn't compress: a colour alone is a handful of bytes.
function noise(brush) {
  const image = brush.createImageData(640, 100);
  crypto.getRandomValues(new Uint8Array(image.data.buffer, 0, 65_536));
  for (let i = 65_536; i < image.data.length; i += 65_536) image.data.copyWithin(i, 0, 65_536);
  for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
  brush.putImageData(image, 0, 0);
}

function picture(colour) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 360];
  const brush = canvas.getContext("2d");
  let step = 0;
  setInterval(() => {
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 640, 360);
    if (party.isNoisy) noise(brush);
    brush.fillStyle = "#808080";
    brush.fillRect((step += 7) % 600, 320, 40, 40);
  }, 1000 / 15);
  return canvas.captureStream(15).getVideoTracks()[0];
}

function tone(hertz) {
  const audio = new AudioContext();
  const source = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  source.frequency.value = hertz;
  source.connect(out);
  source.start();
  return out.stream.getAudioTracks()[0];
}

export const own = (colour, hertz) => new MediaStream([tone(hertz), picture(colour)]);

party.begin = async (grant, colour, hertz) => {
  const told = (name) => (...values) => party.events.push([name, ...values.map(String)]);
  const began = performance.now();
  await party.engine.join(grant, {
    stream: (id, stream) => {
      party.streams[id] = stream;
      party.watch(id, stream);
    },
    gone: (id) => {
      delete party.streams[id];
      told("gone")(id);
    },
    state: told("state"),
    muted: told("muted"),
    removed: told("removed"),
    moved: told("moved"),
    speaking: () => {},
  });
  await party.engine.publish(own(colour, hertz));
  party.took = performance.now() - began;
};

const shown = {};
party.watch = (id, stream) => {
  shown[id] ??= Object.assign(document.createElement("video"), { autoplay: true, muted: true });
  shown[id].srcObject = stream;
  shown[id].play().catch(() => {});
};

// The colour in the middle of somebody's picture, and its size.
party.sees = (id) => {
  const video = shown[id];
  if (!video?.videoWidth) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const brush = canvas.getContext("2d");
  brush.drawImage(video, 0, 0);
  const [r, g, b] = brush.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data;
  return { r, g, b, width: canvas.width };
};

// The loudest frequency of somebody's sound.
party.hears = async (id) => {
  const stream = party.streams[id];
  if (!stream?.getAudioTracks().length) return 0;
  const audio = new AudioContext();
  const look = audio.createAnalyser();
  look.fftSize = 8192;
  audio.createMediaStreamSource(stream).connect(look);
  await new Promise((go) => setTimeout(go, 700));
  const bins = new Uint8Array(look.frequencyBinCount);
  look.getByteFrequencyData(bins);
  const top = bins.indexOf(Math.max(...bins));
  const loud = bins[top] > 60 ? Math.round((top * audio.sampleRate) / look.fftSize) : 0;
  await audio.close();
  return loud;
};

party.frames = async () => {
  let sum = 0;
  for (const one of (await party.engine.stats()).values()) sum += one.in.video?.frames ?? 0;
  return sum;
};

party.take = (step) => {
  for (const id of party.engine.peers) party.engine.take(id, step);
};

party.loudness = () => Object.fromEntries(party.engine.loudness());
