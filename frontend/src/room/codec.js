// A room codec on the line, for the consulting side: the number that it may dial, and dialling it.
import { config, h, say } from "./config.js";
import { CodecCall } from "./engines/janus_sip.js";

export class Codec {
  // stream() gives the own sound and picture of now.
  constructor(place, { grant, stream }) {
    this.stream = stream;
    this.place = h("section", { class: "codec", "data-name": "codec" });
    place.append(this.place);
    this.call = new CodecCall(grant, {
      ringing: (from) => this.show("ringing", from),
      stream: (came) => this.#seen(came),
      state: (state) => this.show(state),
    });
    this.call.ready().then(() => this.show("over"), () => this.show("failed"));
  }

  renew(grant) {
    this.call.renew(grant);
  }

  #seen(came) {
    this.video ??= h("video", { autoplay: true, playsinline: true, class: "codec-picture" });
    this.video.srcObject = came;
    this.video.play().catch(() => {});
  }

  show(state, from = "") {
    const button = (name, act, tone = "") => h("button", { class: `button small ${tone}`, "data-name": `codec_${name}`, onclick: act }, say(`codec_${name}`));
    const number = this.call.number.replace(/^sip:/, "");
    const parts = {
      failed: () => [h("p", { class: "small" }, say("codec_failed"))],
      over: () => [h("p", { class: "small" }, `${say("codec_number")}: `, h("b", { class: "mono" }, number)), this.#form(button)],
      calling: () => [h("p", { role: "status" }, say("codec_calling")), button("hang_up", () => this.call.hangUp(), "danger")],
      ringing: () => [h("p", { role: "alert" }, `${say("codec_rings")}: ${from.replace(/^sip:/, "")}`), button("answer", () => this.#answer(), "primary"), button("hang_up", () => this.call.hangUp(), "danger")],
      up: () => [this.video, button("hang_up", () => this.call.hangUp(), "danger")],
    };
    if (state === "over" || state === "calling") this.video = null;
    this.place.replaceChildren(h("h2", {}, say("codec")), ...parts[state]().filter(Boolean));
  }

  #form(button) {
    const address = h("input", { type: "text", value: config.codec ?? "", "aria-label": say("codec_address"), placeholder: say("codec_address"), autocomplete: "off", spellcheck: "false" });
    const dial = (event) => {
      event.preventDefault();
      const typed = address.value.trim();
      if (!typed) return;
      config.codec = typed;
      this.call.call(typed.startsWith("sip:") ? typed : `sip:${typed}`, this.stream()).catch(() => this.show("failed"));
    };
    return h("form", { class: "chat-form", onsubmit: dial }, address, button("call", null, "primary"));
  }

  #answer() {
    this.call.answer(this.stream()).catch(() => this.show("failed"));
  }

  leave() {
    return this.call.close();
  }
}
