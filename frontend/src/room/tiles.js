// Who is there: a tile each, with picture or the newest still, name, organisation and what they show of themselves.
import { h, say } from "./config.js";

export class Tiles {
  #tiles = new Map();

  // May one mute and put out: act("mute"|"remove", person).
  constructor(place, { moderates, act }) {
    this.place = place;
    this.moderates = moderates;
    this.act = act;
  }

  get(id) {
    return this.#tiles.get(id);
  }

  show(person, { own = false } = {}) {
    const tile = this.#tiles.get(person.id) ?? this.#make(person, own);
    tile.person = person;
    tile.name.textContent = own ? `${person.name} — ${say("you")}` : person.name;
    tile.organization.textContent = person.organization;
    const marks = [person.hand && say("hand_up"), !person.audio && say("muted"), person.screen && say("screen"), person.mode === "audio" && say("sound_only"), person.guest && say("guest")];
    tile.marks.replaceChildren(...marks.filter(Boolean).map((words) => h("span", { class: "badge" }, words)));
    tile.element.classList.toggle("hand", Boolean(person.hand));
    tile.element.classList.toggle("no-picture", !person.video && !person.screen);
    tile.element.classList.toggle("screen", Boolean(person.screen));
    return tile;
  }

  #make(person, own) {
    const video = h("video", { autoplay: true, playsinline: true, muted: own });
    video.muted = own;
    const still = h("img", { class: "still", alt: "", hidden: true });
    const letters = h("span", { class: "letters", "aria-hidden": "true" }, person.name.split(" ").map((word) => word[0]).slice(0, 2).join(""));
    const tile = { video, still, name: h("b"), organization: h("small"), marks: h("span", { class: "marks" }), state: h("small", { class: "state", role: "status" }) };
    const acts = this.moderates && !own ? h("span", { class: "acts" },
      h("button", { class: "button small", onclick: () => this.act("mute", tile.person) }, say("mute_them")),
      h("button", { class: "button small danger", onclick: () => this.act("remove", tile.person) }, say("remove_them"))) : null;
    tile.element = h("li", { class: own ? "tile own" : "tile", "data-person": person.id }, letters, video, still, h("div", { class: "caption" }, tile.name, tile.organization, tile.marks, tile.state), acts);
    this.#tiles.set(person.id, tile);
    this.place.append(tile.element);
    this.place.dataset.count = this.#tiles.size;
    return tile;
  }

  stream(id, stream) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    if (tile.video.srcObject !== stream) tile.video.srcObject = stream;
    tile.video.play().catch(() => {});
  }

  // A still stands over the picture until a moving one comes again.
  showStill(id, jpeg) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    tile.still.src = `data:image/jpeg;base64,${jpeg}`;
    tile.still.hidden = false;
    tile.element.classList.remove("no-picture");
  }

  hideStill(id) {
    const tile = this.#tiles.get(id);
    if (tile && !tile.still.hidden) tile.still.hidden = true;
  }

  tell(id, words) {
    const tile = this.#tiles.get(id);
    if (tile) tile.state.textContent = words;
  }

  speaks(loudest) {
    for (const [id, tile] of this.#tiles) tile.element.classList.toggle("speaks", id === loudest);
  }

  drop(id) {
    this.#tiles.get(id)?.element.remove();
    this.#tiles.delete(id);
    this.place.dataset.count = this.#tiles.size;
  }

  get ids() {
    return [...this.#tiles.keys()];
  }
}
