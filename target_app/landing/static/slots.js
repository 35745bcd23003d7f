/** Connections to share: a stream that finds none free waits here, where its clock does not run yet. */

export class Slots {
  #free;
  #waiting = [];

  constructor(free) {
    this.#free = free;
  }

  /** Take one, when there is one: what is given releases it again. Null where `signal` says stop before. */
  take(signal) {
    return new Promise((resolve) => {
      const turn = () => resolve(() => this.#release());
      if (this.#free > 0) {
        this.#free -= 1;
        turn();
        return;
      }
      this.#waiting.push(turn);
      signal.addEventListener("abort", () => {
        if (!this.#waiting.includes(turn)) return;
        this.#waiting = this.#waiting.filter((each) => each !== turn);
        resolve(null);
      });
    });
  }

  #release() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
