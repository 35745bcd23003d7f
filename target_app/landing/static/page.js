/** The cards of the page: their buttons, knobs and figures, and the connections that they share. */

import { Run, play } from "./streams.js";

const keyField = document.querySelector("#key-field");
const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const number = new Intl.NumberFormat("en");
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const duration = (ms) =>
  ms === null ? "–" : ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`;

/** A browser opens six connections to an HTTP/1.1 server; one is left for the page itself. */
let free = 5;
const waiting = new Set();

async function takeConnection(signal) {
  if (free > 0) return void (free -= 1);
  await new Promise((resolve, reject) => {
    waiting.add(resolve);
    signal.addEventListener("abort", () => waiting.delete(resolve) && reject());
  });
}

function releaseConnection() {
  const [next] = waiting;
  if (!next) return void (free += 1);
  waiting.delete(next);
  next();
}

const askForKey = () => [keyField.focus(), keyField.reportValidity()];

/** When chunks arrived, as bars over time. A stream that takes longer than expected gets twice the time. */
class Timeline {
  constructor(canvas, spanMs) {
    Object.assign(this, { canvas, spanMs: Math.max(500, spanMs), pen: canvas.getContext("2d") });
    [canvas.width, canvas.height] = [canvas.clientWidth * devicePixelRatio, canvas.clientHeight * devicePixelRatio];
    this.pen.fillStyle = getComputedStyle(canvas).color;
  }

  draw(atMs, chunks) {
    const { width, height } = this.canvas;
    for (; atMs > this.spanMs; this.spanMs *= 2) {
      this.pen.globalCompositeOperation = "copy";
      this.pen.drawImage(this.canvas, 0, 0, width / 2, height);
      this.pen.globalCompositeOperation = "source-over";
    }
    const [x, bar] = [(atMs / this.spanMs) * width, chunks && height * Math.min(1, 0.6 + 0.1 * Math.log2(chunks))];
    this.pen.fillRect(0, height - 2, x, 2);
    this.pen.fillRect(x, height - bar, 2 * devicePixelRatio, bar);
  }
}

class Card {
  #stopping = null;
  #drawing = 0;
  #find = (selector) => this.element.querySelector(selector);
  stop = () => this.#stopping?.abort();

  constructor(element) {
    this.element = element;
    this.form = this.#find("form");
    this.playable = !(keyField && element.dataset.protocol === "websocket");
    this.#find(".play").disabled = !this.playable;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.isPlaying) this.stop();
      else this.play();
    });
    this.form.addEventListener("input", () => this.describe());
    if (!this.playable) this.#say("A browser's WebSocket cannot send the key.");
    this.describe();
  }

  get isPlaying() {
    return this.#stopping !== null;
  }

  #value(name) {
    const field = this.#find(`[name=${name}]`);
    return Number(field?.value || field?.dataset.default || 0);
  }

  #request() {
    const { path, method, protocol } = this.element.dataset;
    const value = (name) => this.#find(`[id$="-${name}"]`).value;
    const url = new URL(path.slice(1).replace(/\{(\w+)\}/, (_, name) => value(name)), document.baseURI);
    for (const { name, value, dataset } of this.form.querySelectorAll("[data-in=query]")) {
      if (value !== "" && value !== dataset.default) url.searchParams.set(name, value);
    }
    const messages = protocol === "openai" && [{ role: "user", content: value("prompt") }];
    const body = messages && JSON.stringify({ model: "river", messages, stream: value("stream") === "true" });
    const key = keyField && { "X-API-Key": keyField.value };
    const headers = { ...(body && { "Content-Type": "application/json" }), ...key };
    const via = protocol === "websocket" ? protocol : (!keyField && this.#find("[data-via]")?.value) || "fetch";
    return { url: url.href, method, protocol, headers, body: body || undefined, via, size: this.#value("chunk_bytes") };
  }

  /** Write the command that requests the same in a terminal; a key is left out. */
  describe() {
    const { url, via, headers, body } = this.#request();
    const fields = Object.entries({ ...headers, ...(keyField && { "X-API-Key": "…" }) });
    const options = [...fields.map((each) => `-H ${quoted(each.join(": "))}`), ...(body ? [`-d ${quoted(body)}`] : [])];
    const tool = via === "websocket" ? ["websocat", quoted(url.replace(/^http/, "ws"))] : ["curl -N", quoted(url)];
    this.#find(".command").textContent = [tool[0], ...options, tool[1]].join(" ");
  }

  async play() {
    if (keyField && !keyField.value) return askForKey();
    if (!this.form.checkValidity()) {
      this.#find("details").open = true;
      return this.form.reportValidity();
    }
    const { signal } = (this.#stopping = new AbortController());
    this.#state("waiting", "Waiting for a connection");
    const connected = await takeConnection(signal).then(() => true, () => false);
    const ending = connected ? await this.#run(signal) : { outcome: "aborted", detail: "stopped" };
    this.#stopping = null;
    this.#state("ended", ending.outcome.replaceAll("_", " ") + (ending.detail && `: ${ending.detail}`));
    this.element.dataset.outcome = ending.outcome;
    if (connected) releaseConnection();
    if (ending.detail.startsWith("401")) askForKey();
  }

  async #run(signal) {
    const request = this.#request();
    const expected = request.body && !JSON.parse(request.body).stream ? 1 : this.#value("chunks");
    const intervalMs = Math.max(this.#value("interval_ms"), 2 * this.#value("block_ms"));
    const timeline = new Timeline(this.#find("canvas"), this.#value("chunks") * intervalMs * 1.1);
    const run = new Run(expected, (chunks) => {
      timeline.draw(performance.now() - run.startMs, chunks);
      this.#drawing ||= requestAnimationFrame(show);
    });
    const show = () => {
      this.#drawing = 0;
      this.#show(run);
      if (this.element.dataset.state === "playing" && !stillness.matches) run.changed(0);
    };
    this.#state("playing", "Playing");
    run.changed(0);
    const ending = await play(request, run, signal);
    this.#show(run);
    return ending;
  }

  #state(state, text) {
    this.element.dataset.state = state;
    delete this.element.dataset.outcome;
    this.#say(text);
    this.#find(".play").textContent = state === "ended" ? "Play again" : "Stop";
    this.element.dispatchEvent(new Event("playing", { bubbles: true }));
  }

  /** Set the status, once: a screen reader reads out every change. */
  #say(text) {
    if (this.#find(".outcome").textContent !== text) this.#find(".outcome").textContent = text;
  }

  #show(run) {
    const figures = {
      "chunk-count": number.format(run.chunks),
      expected: ` of ${number.format(run.expected)}`,
      first: duration(run.firstMs),
      interval: duration(run.intervalMs),
      bytes: number.format(run.bytes),
    };
    for (const [name, text] of Object.entries(figures)) this.#find(`.${name}`).textContent = text;
    if (run.reconnects && this.isPlaying) this.#say(`Playing, reconnected ${run.reconnects}×`);
    const items = run.shown.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
    this.#find(".chunks").replaceChildren(...items);
  }
}

document.querySelector("#key")?.addEventListener("submit", (event) => event.preventDefault());
for (const section of document.querySelectorAll("section")) {
  const cards = Array.from(section.querySelectorAll(".card"), (element) => new Card(element));
  const all = section.querySelector(".all");
  const arePlaying = () => cards.some((card) => card.isPlaying);
  all.disabled = false;
  section.addEventListener("playing", () => (all.textContent = arePlaying() ? "Stop all" : "Play all"));
  all.addEventListener("click", () => {
    if (arePlaying()) cards.forEach((card) => card.stop());
    else cards.filter((card) => card.playable).forEach((card) => card.play());
  });
}
