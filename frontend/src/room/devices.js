// Camera and microphone: what there is, what may be used, and in plain words what to do when it can't be.
import { say } from "./config.js";

// The uplink carries a picture for each of the others: more than this nobody sends.
const PICTURE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 20, max: 20 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const WORDS = { NotFoundError: "no_device", NotAllowedError: "not_allowed", NotReadableError: "in_use", OverconstrainedError: "no_device", SecurityError: "not_allowed" };

// Ask for sound and picture; what isn't there is left out and told. Returns {stream, troubles}.
export async function capture({ audio = true, video = true, microphone, camera } = {}) {
  const sound = audio && { ...SOUND, ...(microphone && { deviceId: { exact: microphone } }) };
  const picture = video && { ...PICTURE, ...(camera && { deviceId: { exact: camera } }) };
  if (!navigator.mediaDevices) return { stream: new MediaStream(), troubles: [say("no_secure")] };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia({ audio: sound, video: picture }), troubles: [] };
  } catch (error) {
    if (!audio || !video) return { stream: new MediaStream(), troubles: [words(error, audio ? "microphone" : "camera")] };
    // One of the two is missing or forbidden: take the other alone.
    const heard = await capture({ audio: true, video: false, microphone });
    const seen = await capture({ audio: false, video: true, camera });
    for (const track of seen.stream.getTracks()) heard.stream.addTrack(track);
    return { stream: heard.stream, troubles: [...heard.troubles, ...seen.troubles] };
  }
}

const words = (error, what) => `${say(what)}: ${say(WORDS[error.name] ?? "device_trouble")}`;

export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return { cameras: all.filter((one) => one.kind === "videoinput"), microphones: all.filter((one) => one.kind === "audioinput") };
}

// Call back with how loud a stream is, 0…1, ten times a second, until the returned function is called.
export function meter(stream, tell) {
  if (!stream.getAudioTracks().length) return () => {};
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    tell(Math.min(1, Math.max(...samples.map(Math.abs))));
  }, 100);
  return () => {
    clearInterval(timer);
    context.close();
  };
}
