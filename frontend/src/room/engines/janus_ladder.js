// What a page takes of the others, for Janus doesn't ask its line: begin low, step down with loss, and try the next step
// up only after a while that doubles with each failure.
export const STEPS = ["sound", "low", "high"];
const LOOK_MS = 2000;
const TOO_MUCH = 0.04;
const CLEAN = 0.01;
const FIRST_WAIT = 6;
const LONGEST_WAIT = 160;

export class Ladder {
  #clean = 0;
  #wait = FIRST_WAIT;
  #since = 0;

  constructor({ lowest = "sound", highest = "high", begin = "low" } = {}) {
    this.lowest = lowest;
    this.highest = highest;
    this.step = begin;
  }

  // Take the share of packets lost in the last look; return the step to take now. A look lasts LOOK_MS.
  look(loss) {
    this.#since += 1;
    if (loss > TOO_MUCH) {
      // A step up that failed at once isn't tried again soon.
      if (this.#since <= 5) this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
      this.#go(-1);
    } else if (loss <= CLEAN) {
      this.#clean += 1;
      if (this.#clean * (LOOK_MS / 1000) >= this.#wait) this.#go(+1);
      // What held for long is forgiven.
      if (this.#since * (LOOK_MS / 1000) > 4 * this.#wait) this.#wait = Math.max(FIRST_WAIT, this.#wait / 2);
    } else {
      this.#clean = 0;
    }
    return this.step;
  }

  // Take nothing above this step from now on, "sound" for the mode without pictures.
  bound(highest) {
    this.highest = highest;
    if (STEPS.indexOf(this.step) > STEPS.indexOf(highest)) this.step = highest;
    return this.step;
  }

  #go(way) {
    this.#clean = 0;
    const [low, high] = [STEPS.indexOf(this.lowest), STEPS.indexOf(this.highest)];
    const to = Math.max(low, Math.min(high, STEPS.indexOf(this.step) + way));
    if (to === STEPS.indexOf(this.step)) return;
    this.step = STEPS[to];
    this.#since = 0;
  }
}

Ladder.LOOK_MS = LOOK_MS;
