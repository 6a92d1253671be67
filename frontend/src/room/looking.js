// Looking at the same thing: a study or a document of the case beside the pictures, the same slice and pointer for all.
//
// What is looked at opens in a frame of our own; it and the room talk over a channel of this browser.
import { config, h, say } from "./config.js";

const POINTER_MS = 90;

export class Looking {
  #frame = null;
  #shown = "";
  #pointed = 0;
  #last = {};

  constructor(place, send) {
    this.place = place;
    this.send = send;
    this.channel = new BroadcastChannel(`konsilium-room-${config.session}`);
    this.channel.onmessage = ({ data }) => this.#said(data);
    const choice = h("select", { "aria-label": say("look_choose"), onchange: () => choice.value && this.offer(choice.value) }, h("option", { value: "" }, say("look_choose")), ...config.things.map(({ key, name }) => h("option", { value: key }, name)));
    this.choice = choice;
    this.close = h("button", { class: "button small", hidden: true, onclick: () => this.#change({}) }, say("look_close"));
    this.stage = h("div", { class: "look", hidden: true });
    place.append(h("div", { class: "row look-bar" }, config.things.length ? choice : null, this.close), this.stage);
  }

  offer(key) {
    this.#change({ thing: key });
  }

  #change(body) {
    this.send(body);
    this.hear(body);
  }

  // What another person's page shows, or a place in it.
  hear(body) {
    if (body.pointer) return this.channel.postMessage({ to: "viewer", pointer: body.pointer });
    this.#last = body;
    this.#show(body.thing ?? "");
    if (body.view) this.channel.postMessage({ to: "viewer", view: body.view });
    if (body.marks) this.channel.postMessage({ to: "viewer", marks: body.marks });
  }

  #show(key) {
    if (key === this.#shown) return;
    this.#shown = key;
    const thing = config.things.find((one) => one.key === key);
    this.stage.replaceChildren();
    this.stage.hidden = this.close.hidden = !key;
    document.body.classList.toggle("looks", Boolean(key));
    this.choice.value = thing ? key : "";
    if (!key) return;
    if (!thing) return this.stage.append(h("p", { class: "notice" }, say("look_not_yours")));
    this.#frame = h("iframe", { src: thing.url, title: thing.name, allow: "fullscreen" });
    this.stage.append(this.#frame);
  }

  // What our own frame tells: ready, another view, a moved pointer, a new mark.
  #said(data) {
    if (data.to !== "room") return;
    if (data.ready && this.#last.view) return this.channel.postMessage({ to: "viewer", view: this.#last.view });
    if (data.pointer) {
      const now = performance.now();
      if (now - this.#pointed < POINTER_MS) return;
      this.#pointed = now;
      return this.send({ pointer: data.pointer });
    }
    if (data.view) this.#last = { thing: this.#shown, view: data.view };
    if (data.view || data.marks) this.send({ thing: this.#shown, view: this.#last.view, ...(data.marks && { marks: data.marks }) });
  }
}
