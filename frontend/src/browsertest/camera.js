// The camera: how soon it gives a picture, how large and how often, and whether there is something on it that moves.
import { pause } from "./config.js";
import { ask } from "./devices.js";

const SECONDS = 3;
const LOOKS = 6;
const WIDTH = 160;
const HEIGHT = 90;
// Of 255. Even a covered camera has noise; a black picture is this dark and this even.
const BLACK = { brightness: 20, spread: 8 };
const DARK = 45;

export async function checkCamera(preview) {
  const given = await ask("video", { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 } });
  if (given.why) return { found: { camera: given.why } };
  const begun = performance.now();
  preview.srcObject = given.stream;
  preview.hidden = false;
  await Promise.race([preview.play().catch(() => {}), pause(4000)]);
  const ms = given.ms + performance.now() - begun;
  const looks = await look(preview);
  const found = {
    camera: judge(looks),
    camera_ms: Math.round(ms),
    camera_fps: looks.fps,
    camera_width: preview.videoWidth,
    camera_height: preview.videoHeight,
    camera_brightness: looks.brightness,
    camera_spread: looks.spread,
    camera_label: given.track.label,
  };
  return { found, stream: given.stream };
}

async function look(preview) {
  const before = frames(preview);
  const begun = performance.now();
  const planes = [];
  for (let at = 0; at < LOOKS; at += 1) {
    planes.push(plane(preview));
    await pause((SECONDS * 1000) / LOOKS);
  }
  const fps = ((frames(preview) - before) * 1000) / (performance.now() - begun);
  const last = planes.at(-1);
  const brightness = mean(last);
  const spread = Math.sqrt(mean(last.map((value) => (value - brightness) ** 2)));
  const differs = planes.slice(1).some((one, at) => one.some((value, place) => value !== planes[at][place]));
  return { fps, brightness, spread, differs };
}

function judge({ fps, brightness, spread, differs }) {
  if (brightness < BLACK.brightness && spread < BLACK.spread) return "black";
  if (fps < 1 || !differs) return "frozen";
  return brightness < DARK ? "dark" : "ok";
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
const frames = (video) => video.getVideoPlaybackQuality?.().totalVideoFrames ?? video.webkitDecodedFrameCount ?? 0;

// The picture's brightness, in a small plane.
function plane(video) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, WIDTH, HEIGHT);
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  return Array.from({ length: WIDTH * HEIGHT }, (_, at) => 0.2126 * data[at * 4] + 0.7152 * data[at * 4 + 1] + 0.0722 * data[at * 4 + 2]);
}
