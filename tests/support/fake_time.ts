/** A clock that goes on only when it is told to. */
export class FakeTime implements Disposable {
  readonly #real = performance.now;
  #now = performance.now();

  /** Stops the clock. */
  constructor() {
    performance.now = () => this.#now;
  }

  /** Sets the clock so many milliseconds forward. */
  tick(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Goes on with the real clock. */
  [Symbol.dispose](): void {
    performance.now = this.#real;
  }
}
