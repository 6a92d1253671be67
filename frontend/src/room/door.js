// Before the room: do camera and microphone work, which of them, and how to come in.
import { h, say } from "./config.js";
import { capture, devices, meter } from "./devices.js";

// Resolves to {stream, wantsPicture} when the person comes in.
export function door(place) {
  const video = h("video", { autoplay: true, playsinline: true });
  video.muted = true;
  const level = h("meter", { min: 0, max: 1, low: 0.05, value: 0, "aria-label": say("level") });
  const trouble = h("div", { role: "alert" });
  const cameras = h("select", { "aria-label": say("camera"), onchange: () => look() });
  const microphones = h("select", { "aria-label": say("microphone"), onchange: () => look() });
  let stream = new MediaStream();
  let stop = () => {};

  async function look() {
    stop();
    for (const track of stream.getTracks()) track.stop();
    const found = await capture({ camera: cameras.value, microphone: microphones.value });
    stream = found.stream;
    video.srcObject = stream;
    stop = meter(stream, (loud) => (level.value = loud));
    trouble.replaceChildren(...found.troubles.map((words) => h("p", { class: "notice warn" }, words)));
    list(cameras, (await devices()).cameras, stream.getVideoTracks()[0]);
    list(microphones, (await devices()).microphones, stream.getAudioTracks()[0]);
  }

  function list(select, all, chosen) {
    const id = chosen?.getSettings().deviceId;
    select.replaceChildren(...all.map((one, at) => h("option", { value: one.deviceId, selected: one.deviceId === id }, one.label || `${at + 1}`)));
    select.parentElement.hidden = all.length < 2;
  }

  return new Promise((resolve) => {
    const enter = (wantsPicture) => {
      stop();
      place.replaceChildren();
      resolve({ stream, wantsPicture });
    };
    place.replaceChildren(
      h("div", { class: "door" },
        h("div", { class: "mirror" }, video, h("label", { class: "level" }, h("span", {}, say("level")), level)),
        h("div", { class: "stack" }, h("p", {}, say("door_words")), trouble,
          h("label", { class: "field", hidden: true }, h("span", {}, say("camera")), cameras),
          h("label", { class: "field", hidden: true }, h("span", {}, say("microphone")), microphones),
          h("div", { class: "buttons" },
            h("button", { class: "button primary", id: "enter", onclick: () => enter(true) }, say("enter")),
            h("button", { class: "button", id: "enter-sound", onclick: () => enter(false) }, say("enter_sound"))),
          h("p", { class: "small soft" }, say("door_sound_only")))));
    look();
  });
}
