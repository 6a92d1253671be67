// The line: sound and pictures go out through the relay and come back to this page, for 16 seconds. Nothing else is
// needed, and the way is the one that a session takes. The loop crosses the line twice: loss and delay of both ways add up.
import { pause } from "./config.js";

const SECONDS = 16;
// The sender needs a while to find out how much gets through; what counts is the rest.
const SETTLING = 8;
const OPENING = 8;
// A little more than the best band asks for.
const MOST = 1_600_000;

export async function checkLine(servers, progress) {
  if (!servers.length) return { line: "no_relay" };
  const options = { iceServers: servers, iceTransportPolicy: "relay" };
  const [out, back] = [new RTCPeerConnection(options), new RTCPeerConnection(options)];
  const noise = drawNoise();
  const sound = hum();
  try {
    const open = opened(out, back);
    for (const stream of [noise.stream, sound.stream]) stream.getTracks().forEach((track) => out.addTrack(track, stream));
    await connect(out, back);
    if (!(await open)) return { line: "blocked" };
    return await measure(out, back, progress);
  } finally {
    noise.stop();
    sound.stop();
    out.close();
    back.close();
  }
}

function opened(out, back) {
  const pass = (from, to) =>
    from.addEventListener("icecandidate", ({ candidate }) => candidate && to.addIceCandidate(candidate).catch(() => {}));
  pass(out, back);
  pass(back, out);
  const connected = new Promise((done) => {
    out.addEventListener("connectionstatechange", () => out.connectionState === "connected" && done(true));
    out.addEventListener("connectionstatechange", () => out.connectionState === "failed" && done(false));
  });
  return Promise.race([connected, pause(OPENING * 1000).then(() => false)]);
}

async function connect(out, back) {
  await out.setLocalDescription();
  await back.setRemoteDescription(out.localDescription);
  await back.setLocalDescription();
  await out.setRemoteDescription(back.localDescription);
  for (const sender of out.getSenders().filter(({ track }) => track.kind === "video")) {
    const how = sender.getParameters();
    how.degradationPreference = "maintain-framerate";
    how.encodings.forEach((one) => (one.maxBitrate = MOST));
    await sender.setParameters(how).catch(() => {});
  }
}

async function measure(out, back, progress) {
  progress.hidden = false;
  const begun = performance.now();
  let settled = null;
  const trips = [];
  for (let second = 1; second <= SECONDS; second += 1) {
    await pause(begun + second * 1000 - performance.now());
    progress.value = second / SECONDS;
    trips.push(await roundTrip(out));
    if (second === SETTLING) settled = await received(back);
  }
  const last = await received(back);
  const seconds = (last.at - settled.at) / 1000;
  const [came, lost] = [last.packets - settled.packets, last.lost - settled.lost];
  return {
    line: came > 0 ? "ok" : "blocked",
    line_kbits: ((last.bytes - settled.bytes) * 8) / 1000 / seconds,
    line_loss: came + lost > 0 ? (Math.max(lost, 0) * 100) / (came + lost) : 0,
    line_jitter: last.jitter * 1000,
    // An answer over the loop crosses the line four times.
    line_round_trip: middle(trips.filter(Number.isFinite)) * 500,
  };
}

async function received(back) {
  const sums = { at: performance.now(), packets: 0, lost: 0, bytes: 0, jitter: 0 };
  for (const one of (await back.getStats()).values()) {
    if (one.type !== "inbound-rtp") continue;
    sums.packets += one.packetsReceived;
    sums.lost += one.packetsLost;
    sums.bytes += one.bytesReceived + (one.headerBytesReceived ?? 0);
    if (one.kind === "audio") sums.jitter = one.jitter ?? 0;
  }
  return sums;
}

async function roundTrip(out) {
  for (const one of (await out.getStats()).values()) {
    if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime) return one.currentRoundTripTime;
  }
  return NaN;
}

const middle = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

// A picture that doesn't compress: it takes as much of the line as it may.
function drawNoise() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [480, 270];
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  const values = new Uint32Array(picture.data.buffer);
  const draw = () => {
    for (let at = 0; at < values.length; at += 1) values[at] = 0xff000000 | (Math.random() * 0x1000000);
    context.putImageData(picture, 0, 0);
  };
  draw();
  const timer = setInterval(draw, 1000 / 15);
  const stream = canvas.captureStream(15);
  return { stream, stop: () => (clearInterval(timer), stream.getTracks().forEach((track) => track.stop())) };
}

// A sound that nobody hears: it goes into the connection only.
function hum() {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const into = context.createMediaStreamDestination();
  tone.connect(into);
  tone.start();
  return { stream: into.stream, stop: () => context.close() };
}
