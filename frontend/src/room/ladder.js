// How much a line is asked to carry: begin low, step down with loss, and try the next step up only after a while that
// doubles with each failure. Sound comes first: the lowest step is sound alone, with still pictures.
// `enough` is the bit/s to each of the others below which a step doesn't hold, `before` what the browser must believe in
// before it is tried: of a line that is hardly used it never believes much.
export const SENDING = [
  { name: "sound", bitrate: 0, fps: 0, scale: 1, enough: 0, before: 0 },
  { name: "slow", bitrate: 90_000, fps: 6, scale: 2, enough: 40_000, before: 0 },
  { name: "low", bitrate: 220_000, fps: 12, scale: 1.5, enough: 120_000, before: 90_000 },
  { name: "full", bitrate: 700_000, fps: 20, scale: 1, enough: 300_000, before: 200_000 },
];
const LOOK_MS = 2000;
const TOO_MUCH = 0.03;
const CLEAN = 0.01;
// Then nobody understands a word: everything but sound goes at once.
const RUIN = 0.15;
const LATE_MS = 700;
// A queue that grows is the sign before the loss: so much above the shortest round trip seen.
export const QUEUE_MS = 150;
const FIRST_WAIT = 3;
const LONGEST_WAIT = 60;
// A step that held for fewer looks than this was one too many.
const HELD = 15;

export class Ladder {
  #clean = 0;
  #bad = 0;
  #wait = FIRST_WAIT;
  #since = 0;
  #shortest = Infinity;

  constructor(steps = SENDING, begin = 1) {
    this.steps = steps;
    this.at = begin;
    this.highest = steps.length - 1;
    this.hasFallen = false;
  }

  get step() {
    return this.steps[this.at];
  }

  // One look, every LOOK_MS: the share of packets lost, the round trip in ms, and the bit/s that the browser believes in.
  look({ loss = 0, rtt = 0, rate = Infinity }) {
    this.#since += 1;
    if (rtt > 0) this.#shortest = Math.min(this.#shortest, rtt);
    const isLate = rtt > Math.min(LATE_MS, this.#shortest + QUEUE_MS);
    const isBad = loss > TOO_MUCH || isLate || rate < this.step.enough;
    this.#bad = isBad ? this.#bad + 1 : 0;
    if (loss > RUIN) return this.#down(this.at);
    // Much loss at once is enough; a little has to last.
    if (loss > 4 * TOO_MUCH || this.#bad >= 2) return this.#down();
    if (loss <= CLEAN && rtt <= Math.min(LATE_MS, this.#shortest + QUEUE_MS / 2)) this.#clean += 1;
    else this.#clean = 0;
    const next = this.steps[this.at + 1];
    const carries = !next || rate >= next.before;
    if (next && carries && this.at < this.highest && this.#clean >= this.#wait) return this.#up();
    if (this.#since > 4 * this.#wait + HELD) this.#wait = Math.max(FIRST_WAIT, this.#wait / 2);
    return this.step;
  }

  // The most that is wanted: 0 is the mode without moving pictures.
  bound(highest) {
    this.highest = highest;
    this.at = Math.min(this.at, highest);
    return this.step;
  }

  #down(steps = 1) {
    this.hasFallen = true;
    if (this.#since <= HELD) this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    this.at = Math.max(0, this.at - steps);
    return this.#rest();
  }

  #up() {
    this.at = Math.min(this.highest, this.at + 1);
    return this.#rest();
  }

  #rest() {
    this.#clean = this.#bad = this.#since = 0;
    return this.step;
  }
}

Ladder.LOOK_MS = LOOK_MS;
