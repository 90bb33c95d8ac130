/** How long to wait before the next try: longer each time, and never the same for two clients. */

/** Doubling delays with jitter, so that all clients of a bus that restarts don't come in step. */
export class BackOff {
  #first;
  #max;
  #tries = 0;

  /** @param {number} first @param {number} max in milliseconds */
  constructor(first, max) {
    this.#first = Math.min(first, max);
    this.#max = max;
  }

  /** The next delay in milliseconds: of a doubling one, a random part, at most half, left out. */
  next() {
    const full = Math.min(this.#first * 2 ** this.#tries, this.#max);
    this.#tries += 1;
    return full * (0.5 + Math.random() / 2);
  }

  /**
   * Begins anew if a connection lasted so long that the trouble is over. One that ends at once,
   * again and again, is not to be tried faster and faster.
   *
   * @param {number} lasted in milliseconds
   */
  noteConnection(lasted) {
    if (lasted >= this.#max) {
      this.#tries = 0;
    }
  }
}
