/** When chunks came, as columns over time: the strip that shows at a glance whether a stream flows. */

const COLUMNS = 240;
const LEAST_SPAN_MS = 500;

export class Timeline {
  #counts = new Uint32Array(COLUMNS);
  #spanMs;

  constructor(spanMs) {
    this.#spanMs = Math.max(LEAST_SPAN_MS, spanMs);
  }

  /** So many chunks came, `atMs` from the start. What lasts longer than was thought gets twice the time. */
  add(atMs, chunks) {
    while (atMs >= this.#spanMs) this.#double();
    this.#counts[Math.floor((atMs / this.#spanMs) * COLUMNS)] += chunks;
  }

  #double() {
    this.#spanMs *= 2;
    for (let n = 0; n < COLUMNS / 2; n += 1) this.#counts[n] = this.#counts[2 * n] + this.#counts[2 * n + 1];
    this.#counts.fill(0, COLUMNS / 2);
  }

  /** Draw it, with the time that has gone by; the colours are the style sheet's. */
  draw(canvas, elapsedMs) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = window.devicePixelRatio;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    context.scale(ratio, ratio);
    context.fillStyle = style.getPropertyValue("--elapsed");
    context.fillRect(0, height - 2, width * Math.min(1, elapsedMs / this.#spanMs), 2);
    context.fillStyle = style.getPropertyValue("--chunk");
    this.#bars(context, width, height);
  }

  #bars(context, width, height) {
    const most = Math.max(...this.#counts);
    const columnWidth = width / COLUMNS;
    for (let n = 0; n < COLUMNS; n += 1) {
      if (!this.#counts[n]) continue;
      const share = 0.4 + 0.6 * (most > 1 ? Math.log2(1 + this.#counts[n]) / Math.log2(1 + most) : 1);
      const barHeight = (height - 3) * share;
      context.fillRect(n * columnWidth, height - 3 - barHeight, Math.max(1.5, columnWidth - 0.5), barHeight);
    }
  }
}
