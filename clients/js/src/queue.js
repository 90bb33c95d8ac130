/**
 * The bounded queue between a connection and a `for await` loop.
 *
 * It never refuses anything: when it holds too much it says so, and its owner stops reading the
 * socket. So one read may exceed the limit. A stream of Node was the alternative; browsers have
 * none of that kind.
 */

/** First in, first out; taking is cheap however long it is. @template T */
export class Fifo {
  /** @type {(T | undefined)[]} */
  #items = [];
  #head = 0;

  get length() {
    return this.#items.length - this.#head;
  }

  /** @param {T} item */
  push(item) {
    this.#items.push(item);
  }

  /** The oldest, which stays. @returns {T | undefined} */
  peek() {
    return this.#items[this.#head];
  }

  /** @returns {T | undefined} */
  shift() {
    const item = this.#items[this.#head];
    if (item !== undefined) {
      this.#items[this.#head] = undefined;
      this.#head += 1;
      if (this.#head === this.#items.length) {
        this.#items = [];
        this.#head = 0;
      } else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
        this.#items.splice(0, this.#head);
        this.#head = 0;
      }
    }
    return item;
  }
}

/**
 * @typedef {object} Waiting
 * @property {(result: IteratorResult<any, undefined>) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/** @type {Readonly<IteratorReturnResult<undefined>>} */
const DONE = Object.freeze({ done: true, value: undefined });

/**
 * A queue with one producer, read as an async iterator.
 *
 * @template T
 * @implements {AsyncIterableIterator<T, undefined, undefined>}
 */
export class Queue {
  /** @type {Fifo<T>} */
  #items = new Fifo();
  /** @type {Fifo<Waiting>} */
  #readers = new Fifo();
  #size = 0;
  #full = false;
  #ended = false;
  /** Told to the reader once all items are read. @type {unknown} */
  #error = undefined;
  #max;
  #sizeOf;
  #onFull;

  /**
   * @param {number} max size from which on it is full
   * @param {(item: T) => number} sizeOf
   * @param {(full: boolean) => void} onFull called when it becomes full, and when half of it is read
   */
  constructor(max, sizeOf, onFull) {
    this.#max = max;
    this.#sizeOf = sizeOf;
    this.#onFull = onFull;
  }

  /** How many items wait to be read. */
  get unread() {
    return this.#items.length;
  }

  get ended() {
    return this.#ended;
  }

  /** @param {T} item */
  push(item) {
    if (this.#ended) {
      return;
    }
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value: item });
      return;
    }
    this.#items.push(item);
    this.#size += this.#sizeOf(item);
    if (!this.#full && this.#size >= this.#max) {
      this.#full = true;
      this.#onFull(true);
    }
  }

  /**
   * Nothing will be added. What waits may still be read; then comes the error, if there is one.
   *
   * @param {unknown} [error]
   */
  end(error) {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#error = error;
    for (let reader = this.#readers.shift(); reader; reader = this.#readers.shift()) {
      this.#finish(reader);
    }
  }

  /** Nothing will be read: what waits is thrown away. @param {unknown} [error] */
  clear(error) {
    this.#items = new Fifo();
    this.#size = 0;
    this.#noteRoom();
    this.end(error);
  }

  /** @returns {Promise<IteratorResult<T, undefined>>} */
  next() {
    const value = this.#items.shift();
    if (value !== undefined) {
      this.#size -= this.#sizeOf(value);
      this.#noteRoom();
      return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      if (this.#ended) {
        this.#finish(reader);
      } else {
        this.#readers.push(reader);
      }
    });
  }

  /** Called where a `for await` loop is left early. @returns {Promise<IteratorResult<T, undefined>>} */
  async return() {
    this.clear();
    return DONE;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #noteRoom() {
    if (this.#full && this.#size <= this.#max / 2) {
      this.#full = false;
      this.#onFull(false);
    }
  }

  /** @param {Waiting} reader */
  #finish(reader) {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) {
      reader.resolve(DONE);
    } else {
      reader.reject(error);
    }
  }
}
