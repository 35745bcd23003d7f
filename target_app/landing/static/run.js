/** One playing of a stream: what came, when, and what that makes of its end. */

import { Timeline } from "./timeline.js";

const SHOWN_CHUNKS = 4;
const SHOWN_TEXT = 900;

export class Run {
  chunks = 0;
  bytes = 0;
  firstMs = null;
  intervalMs = null;
  reconnected = 0;
  shown = [];
  #lastMs = null;
  #endMs = null;
  #ended = false;
  #error = null;

  /** `expected` chunks are to come, over about `spanMs`; `changed` is called whenever there is something new. */
  constructor(expected, spanMs, changed) {
    this.expected = expected;
    this.timeline = new Timeline(spanMs);
    this.startMs = performance.now();
    this.changed = changed;
  }

  /** The items of one read, of so many bytes. What came in one read has no interval between. */
  take(items, bytes) {
    const nowMs = performance.now();
    const chunks = items.filter(({ kind }) => kind === "chunk");
    this.bytes += bytes;
    this.#ended ||= items.some(({ kind }) => kind === "end");
    this.#error ??= items.find(({ kind }) => kind === "error")?.text ?? null;
    if (chunks.length) {
      this.firstMs ??= nowMs - this.startMs;
      if (this.#lastMs !== null) this.intervalMs = nowMs - this.#lastMs;
      this.#lastMs = nowMs;
      this.chunks += chunks.length;
      this.timeline.add(nowMs - this.startMs, chunks.length);
      this.#show(chunks);
    }
    this.changed();
  }

  #show(chunks) {
    if (chunks[0].flows) {
      this.shown = [((this.shown[0] ?? "") + chunks.map(({ text }) => text).join("")).slice(-SHOWN_TEXT)];
    } else {
      this.shown = [...this.shown, ...chunks.slice(-SHOWN_CHUNKS).map(({ text }) => text)].slice(-SHOWN_CHUNKS);
    }
  }

  /** Nothing more comes. */
  end() {
    this.#endMs = performance.now();
  }

  get elapsedMs() {
    return (this.#endMs ?? performance.now()) - this.startMs;
  }

  /** So many chunks are to come after all. */
  expect(chunks) {
    this.expected = chunks;
  }

  /** The stream was cut, and is asked for again. */
  again() {
    this.reconnected += 1;
    this.changed();
  }

  /** How a stream ended whose transport ended cleanly. */
  ending(marksEnd) {
    if (this.#error !== null) return { outcome: "in_band_error", detail: this.#error };
    if (!marksEnd || this.#ended) return { outcome: "completed", detail: "" };
    return { outcome: "incomplete", detail: "it ended without its end marker" };
  }

  /** How a stream ended that its transport gave up. */
  broken(detail) {
    return this.#ended ? this.ending(true) : { outcome: this.chunks ? "truncated" : "connect_error", detail };
  }
}
