// Recording: asked for by the consulting side, answered by everybody, and shown to everybody while it runs.
import { h, say } from "./config.js";

export class Recording {
  #told = null;

  // send(kind, more) speaks to our server; moved() is called when the media's room is another one than `room()` says.
  constructor(place, { me, moderates, send, moved, room }) {
    Object.assign(this, { me, moderates, send, moved, room });
    this.place = h("section", { class: "recording", "aria-live": "assertive" });
    place.prepend(this.place);
  }

  // The state after each change, from `welcome` and `recording`.
  hear(told) {
    if (!told?.room) return;
    this.#told = told;
    this.show();
    if (this.room() && this.room() !== told.room) this.moved();
  }

  // Whether one's own answer is waited for.
  get isAsked() {
    const { asked_by: by, missing } = this.#told ?? {};
    return Boolean(by) && missing.includes(this.me);
  }

  show() {
    const told = this.#told;
    const isOff = !told.on && !told.asked_by;
    const parts = [
      told.on && h("p", { class: "badge bad", "data-name": "record_on" }, `● ${say("record_on")}`),
      this.isAsked && this.#question(told.asked_by),
      !told.on && told.asked_by && !this.isAsked && h("p", { class: "small" }, say(told.refused.length ? "record_refused" : "record_waits")),
      this.moderates && told.possible && h("button", { class: "button small", "data-name": "record", onclick: () => this.send("record", { on: isOff }) }, say(isOff ? "record" : "record_stop")),
      // Switched off is nothing to speak of; that this room can't is.
      this.moderates && told.why === "here" && h("p", { class: "small soft" }, say("record_not_here")),
      (told.on || told.asked_by) && !this.isAsked && !this.moderates && h("button", { class: "button small", "data-name": "record_withdraw", onclick: () => this.#answer(told.refused.includes(this.me)) }, say(told.refused.includes(this.me) ? "record_yes" : "record_withdraw")),
    ];
    this.place.replaceChildren(...parts.filter(Boolean));
  }

  #question(name) {
    const yes = h("button", { class: "button primary", "data-name": "record_yes", onclick: () => this.#answer(true) }, say("record_yes"));
    const no = h("button", { class: "button", "data-name": "record_no", onclick: () => this.#answer(false) }, say("record_no"));
    return h("div", { class: "notice warn", role: "alertdialog", "aria-label": say("record") }, h("p", {}, say("record_asked").replace("%(name)s", name)), h("div", { class: "buttons" }, yes, no));
  }

  #answer(given) {
    this.send("consent", { given });
  }
}
