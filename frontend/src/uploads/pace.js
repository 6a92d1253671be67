// How fast and when to send: a ceiling for all lines together, and the hours of the night. Kept in this browser.
const KEPT = "konsilium-sending";

export class Pace {
  #free = 0;

  constructor() {
    const blank = { limit: 0, night: false, from: "22:00", to: "06:00" };
    try {
      Object.assign(this, blank, JSON.parse(localStorage.getItem(KEPT) || "{}"));
    } catch {
      Object.assign(this, blank);
    }
  }

  keep(values) {
    Object.assign(this, values);
    this.#free = 0;
    const { limit, night, from, to } = this;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ limit, night, from, to }));
    } catch {} // a browser that keeps nothing: it holds for this page
  }

  // Bytes a second; 0 is as fast as the line is. The limit is said in megabits.
  get rate() {
    return this.limit * 125_000;
  }

  // One piece of so many bytes: about two seconds of the ceiling.
  get piece() {
    return this.rate ? Math.max(64 * 1024, Math.min(this.rate * 2, 4 * 1024 * 1024)) : Infinity;
  }

  // Wait for the turn of so many bytes.
  turn(bytes) {
    if (!this.rate) return Promise.resolve();
    const now = performance.now();
    const wait = Math.max(this.#free - now, 0);
    this.#free = now + wait + (1000 * bytes) / this.rate;
    return new Promise((go) => setTimeout(go, wait));
  }

  // Whether sending waits for the night now.
  get isClosed() {
    if (!this.night) return false;
    const now = new Date().toTimeString().slice(0, 5);
    const inside = this.from <= this.to ? now >= this.from && now < this.to : now >= this.from || now < this.to;
    return !inside;
  }
}
