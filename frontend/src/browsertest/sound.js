// The microphone's level while somebody speaks, and a tone to be heard.
import { pause } from "./config.js";
import { ask } from "./devices.js";

const SECONDS = 4;
const EVERY = 50;
// Below this nothing was said into it: about -50 dB. At full scale it breaks up.
const SILENT = 0.003;
const FULL = 0.99;
const CLIPPED_SHARE = 0.001;

export async function checkMicrophone(context, level) {
  const given = await ask("audio", { echoCancellation: true, noiseSuppression: false, autoGainControl: false });
  if (given.why) return { found: { microphone: given.why } };
  const listening = context.createAnalyser();
  listening.fftSize = 4096;
  const source = context.createMediaStreamSource(given.stream);
  source.connect(listening);
  level.hidden = false;
  const heard = await listen(listening, level);
  source.disconnect();
  const found = {
    microphone: heard.peak < SILENT ? "silent" : heard.clipped > CLIPPED_SHARE ? "clipping" : "ok",
    microphone_peak: decibels(heard.peak),
    microphone_rms: decibels(heard.rms),
    microphone_label: given.track.label,
  };
  return { found, stream: given.stream };
}

async function listen(listening, level) {
  const values = new Float32Array(listening.fftSize);
  let [peak, squares, full, count] = [0, 0, 0, 0];
  for (let at = 0; at < (SECONDS * 1000) / EVERY; at += 1) {
    await pause(EVERY);
    listening.getFloatTimeDomainData(values);
    let now = 0;
    for (const value of values) {
      const size = Math.abs(value);
      now = Math.max(now, size);
      squares += value * value;
      full += size >= FULL;
    }
    count += values.length;
    peak = Math.max(peak, now);
    level.value = Math.sqrt(now);
  }
  return { peak, rms: Math.sqrt(squares / count), clipped: full / count };
}

const decibels = (size) => Math.max(-120, Math.min(0, 20 * Math.log10(size || 1e-6)));

// Half a second left, half a second right.
export async function playTone(context) {
  for (const side of [-1, 1]) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    const place = context.createStereoPanner();
    [tone.frequency.value, loudness.gain.value, place.pan.value] = [440, 0.2, side];
    tone.connect(loudness).connect(place).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.6);
    await pause(700);
  }
}
