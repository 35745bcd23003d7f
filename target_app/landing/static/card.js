/** One stream on the page: its button, its figures, and what it is playing. */

import { commandOf, knobOf, requestOf } from "./asking.js";
import { play } from "./playing.js";
import { Run } from "./run.js";

const number = new Intl.NumberFormat("en");
const NONE = "–";
/** Whoever wants less motion sees no time go by, but only chunks come. */
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

function duration(ms) {
  if (ms === null) return NONE;
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

export class Card {
  #element;
  #slots;
  #keyring;
  #stopping = null;
  #run = null;
  #drawing = 0;

  /** `slots` are the connections that the cards share; `keyring` has the API key, if one is asked for. */
  constructor(element, slots, keyring) {
    this.#element = element;
    this.#slots = slots;
    this.#keyring = keyring;
    this.form = this.#find("form.asked");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#stopping) this.stop();
      else this.play();
    });
    this.form.addEventListener("input", () => this.describe());
    this.#find(".play").disabled = !this.playable;
    if (!this.playable) this.#say("A browser's WebSocket can show no key.");
    this.describe();
  }

  /** Whether it can be played here at all. */
  get playable() {
    return !(this.#keyring.needed && this.#element.dataset.protocol === "websocket");
  }

  /** Whether it plays, or waits to. */
  get isPlaying() {
    return this.#stopping !== null;
  }

  #find(selector) {
    return this.#element.querySelector(selector);
  }

  /** Write what a terminal would ask for. */
  describe() {
    this.#find(".request").textContent = commandOf(requestOf(this.#element, this.#keyring.key));
  }

  /** Play it from its beginning, once there is a connection for it. */
  async play() {
    if (this.#stopping || !this.#valid()) return;
    const stopping = (this.#stopping = new AbortController());
    this.#state("waiting", "Waiting for a connection");
    const release = await this.#slots.take(stopping.signal);
    const ending = release ? await this.#playNow(stopping.signal) : { outcome: "aborted", detail: "stopped" };
    release?.();
    this.#stopping = null;
    this.#run?.end();
    this.#show();
    this.#state("ended", ending.outcome.replaceAll("_", " ") + (ending.detail ? `: ${ending.detail}` : ""));
    this.#element.dataset.outcome = ending.outcome;
    if (ending.detail.startsWith("401")) this.#keyring.ask();
  }

  /** Stop it. */
  stop() {
    this.#stopping?.abort();
  }

  #valid() {
    if (this.#keyring.needed && !this.#keyring.key) {
      this.#keyring.ask();
      return false;
    }
    if (this.form.checkValidity()) return true;
    this.#find("details").open = true;
    return this.form.reportValidity();
  }

  #playNow(signal) {
    const asked = requestOf(this.#element, this.#keyring.key);
    const whole = asked.body && !JSON.parse(asked.body).stream;
    const chunks = knobOf(this.form, "chunks", 1);
    const intervalMs = Math.max(knobOf(this.form, "interval_ms", 0), 2 * knobOf(this.form, "block_ms", 0));
    this.#run = new Run(whole ? 1 : chunks, chunks * intervalMs * 1.1, () => this.#changed());
    this.#state("playing", "Playing");
    this.#changed();
    return play(asked, this.#run, signal).catch((error) => ({ outcome: "protocol_error", detail: error.message }));
  }

  #state(state, text) {
    this.#element.dataset.state = state;
    delete this.#element.dataset.outcome;
    this.#say(text);
    this.#find(".play").textContent = state === "ended" ? "Play again" : "Stop";
    this.#element.dispatchEvent(new Event("playing", { bubbles: true }));
  }

  /** A screen reader hears it, so it is said once. */
  #say(text) {
    const outcome = this.#find(".outcome");
    if (outcome.textContent !== text) outcome.textContent = text;
  }

  /** Show it at the next frame: however fast chunks come, they are drawn no faster than can be seen. */
  #changed() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#show();
      if (this.#element.dataset.state === "playing" && !still.matches) this.#changed();
    });
  }

  #show() {
    const run = this.#run;
    if (!run) return;
    this.#find(".chunk-count").textContent = number.format(run.chunks);
    this.#find(".expected").textContent = ` of ${number.format(run.expected)}`;
    this.#find(".first").textContent = duration(run.firstMs);
    this.#find(".interval").textContent = duration(run.intervalMs);
    this.#find(".bytes").textContent = number.format(run.bytes);
    if (run.reconnected) this.#say(`Playing, asked for again ${run.reconnected}×`);
    this.#list(run.shown);
    run.timeline.draw(this.#find(".timeline"), run.elapsedMs);
  }

  #list(texts) {
    const list = this.#find(".chunks");
    if (list.dataset.shown === texts.join("\n")) return;
    list.dataset.shown = texts.join("\n");
    list.replaceChildren(
      ...texts.map((text) => {
        const item = document.createElement("li");
        item.textContent = text;
        return item;
      }),
    );
  }
}
