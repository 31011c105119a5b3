/**
 * The clocks of one connection. At most one deadline is set for all of them:
 * that of the clock which is due first.
 *
 * @module
 */
import type { Deadlines, Expiring } from "../lib/deadlines.ts";

/** A connection, as its clocks see it. */
export interface Timed {
  /** Grows with every byte that is received, sent or forwarded. */
  readonly progress: number;
  /** Bytes that the client has taken. */
  readonly sent: number;
  /** Bytes that the remote has taken. */
  readonly forwarded: number;
  /** Bytes wait for the client to take them. */
  readonly isSending: boolean;
  /** Bytes wait for the remote to take them. */
  readonly isForwarding: boolean;
  /** The time of the stage has passed, or nothing has moved for so long. */
  expire(): void;
  /** A limit has passed that holds whatever the stage. */
  end(reason: "idle-timeout" | "max-duration"): void;
}

/**
 * How often silence is looked for in the time that it may last. A look may come
 * up to an eighth after the last byte, and the looks up to a tenth later than
 * they are due, as deadlines are rounded up. So a silent connection is closed
 * after one to 1 + 1/4 of that time (measured: at most 1.14 of 5 seconds, 1.24
 * of 8.01), and data that flows costs nothing.
 */
const LOOKS = 8;

/**
 * A stage has a clock of its own, which is replaced or stopped with the stage:
 * a time that it may take (`start`), or a time that it may make no progress
 * (`watch`). The clocks of silence and of the whole duration go on beside it;
 * where there are none of those, they cost nothing.
 */
export class Clocks implements Expiring {
  deadline: Expiring["deadline"];
  readonly #timed: Timed;
  readonly #deadlines: Deadlines;
  /** Milliseconds without progress that the stage may last; 0: it has no such clock. */
  #pause = 0;
  /** `performance.now()` until which progress helps. */
  #until = 0;
  /** The progress at the last look. */
  #mark = 0;
  /** How many looks have seen no progress since. */
  #still = 0;
  /** The clocks that go on; `undefined` for almost all connections. */
  #lasting: Lasting | undefined;

  /**
   * @param timed Is told when a time has passed.
   * @param deadlines Where the deadline is set.
   */
  constructor(timed: Timed, deadlines: Deadlines) {
    this.#timed = timed;
    this.#deadlines = deadlines;
  }

  /**
   * Starts the clock of a stage that must end in time: it expires once.
   *
   * @param milliseconds From now.
   * @param now The present `performance.now()`, if the caller knows it.
   */
  start(milliseconds: number, now?: number): void {
    this.#pause = 0;
    this.#set(milliseconds, now);
  }

  /**
   * Starts the clock of a stage that must make progress.
   *
   * @param pause Milliseconds without progress after which it expires, at most
   * a quarter later; 0 for no such clock.
   * @param until `performance.now()` after which progress does not help.
   */
  watch(pause: number, until = Infinity): void {
    if (pause === 0) return this.stop();
    this.#pause = pause;
    this.#until = until;
    this.#mark = this.#timed.progress;
    this.#still = 0;
    this.#set(pause / LOOKS);
  }

  /** Stops the clock of the stage. */
  stop(): void {
    const lasting = this.#lasting;
    if (lasting === undefined) return this.#deadlines.clear(this);
    lasting.stageDue = Infinity;
    this.#arm(lasting, performance.now());
  }

  /** Stops all clocks. */
  clear(): void {
    this.#lasting = undefined;
    this.#deadlines.clear(this);
  }

  /**
   * Limits the time in which nothing moves, in either direction, or in which a
   * direction that has bytes waiting gets none taken.
   *
   * @param milliseconds From now on; 0 for no limit.
   */
  limitSilence(milliseconds: number): void {
    if (milliseconds === 0 && this.#lasting === undefined) return;
    const now = performance.now();
    const lasting = this.#keep();
    lasting.silence = milliseconds;
    lasting.lookDue = milliseconds === 0
      ? Infinity
      : now + milliseconds / LOOKS;
    lasting.movedAt = lasting.sentAt = lasting.forwardedAt = now;
    lasting.mark = this.#timed.progress;
    lasting.sent = this.#timed.sent;
    lasting.forwarded = this.#timed.forwarded;
    this.#arm(lasting, now);
  }

  /**
   * Limits the duration of the connection.
   *
   * @param due The `performance.now()` at which it ends.
   */
  limitDuration(due: number): void {
    const lasting = this.#keep();
    lasting.endDue = due;
    this.#arm(lasting, performance.now());
  }

  /** Called by {@linkcode Deadlines}. */
  expire(): void {
    const lasting = this.#lasting;
    const now = performance.now();
    if (lasting !== undefined) {
      if (now >= lasting.endDue) return this.#timed.end("max-duration");
      if (now >= lasting.lookDue && this.#isSilent(lasting, now)) {
        return this.#timed.end("idle-timeout");
      }
      if (now < lasting.stageDue) return this.#arm(lasting, now);
      lasting.stageDue = Infinity;
    }
    if (this.#pause > 0 && this.#goesOn(now)) return;
    if (lasting !== undefined) this.#arm(lasting, now);
    this.#timed.expire();
  }

  /** Looks whether the stage may last on; if so, sets the next look. */
  #goesOn(now: number): boolean {
    if (now >= this.#until) return false;
    const { progress } = this.#timed;
    if (progress !== this.#mark) {
      this.#mark = progress;
      this.#still = 0;
    } else if (++this.#still >= LOOKS) return false;
    this.#set(this.#pause / LOOKS, now);
    return true;
  }

  /**
   * Tells whether nothing has moved for too long, or a direction is stalled; if
   * not, sets the next look.
   */
  #isSilent(lasting: Lasting, now: number): boolean {
    const { progress, sent, forwarded, isSending, isForwarding } = this.#timed;
    if (progress !== lasting.mark) {
      lasting.mark = progress;
      lasting.movedAt = now;
    }
    if (sent !== lasting.sent || !isSending) {
      lasting.sent = sent;
      lasting.sentAt = now;
    }
    if (forwarded !== lasting.forwarded || !isForwarding) {
      lasting.forwarded = forwarded;
      lasting.forwardedAt = now;
    }
    lasting.lookDue = now + lasting.silence / LOOKS;
    const oldest = Math.min(
      lasting.movedAt,
      lasting.sentAt,
      lasting.forwardedAt,
    );
    return now - oldest >= lasting.silence;
  }

  #keep(): Lasting {
    return this.#lasting ??= {
      stageDue: this.deadline?.due ?? Infinity,
      silence: 0,
      lookDue: Infinity,
      movedAt: 0,
      mark: 0,
      sentAt: 0,
      sent: 0,
      forwardedAt: 0,
      forwarded: 0,
      endDue: Infinity,
    };
  }

  #set(milliseconds: number, now?: number): void {
    const lasting = this.#lasting;
    if (lasting === undefined) {
      return this.#deadlines.set(this, milliseconds, now);
    }
    const present = performance.now();
    lasting.stageDue = (now ?? present) + milliseconds;
    this.#arm(lasting, present);
  }

  /** Sets the deadline of the clock that is due first. */
  #arm({ stageDue, lookDue, endDue }: Lasting, now: number): void {
    const wait = Math.min(stageDue, lookDue, now + approach(endDue - now)) -
      now;
    if (wait === Infinity) this.#deadlines.clear(this);
    else this.#deadlines.set(this, Math.max(1, wait), now);
  }
}

/** The clocks that go on from stage to stage; times are of `performance.now()`. */
interface Lasting {
  /** When the clock of the stage is due. */
  stageDue: number;
  /** Milliseconds without progress; 0: no limit. */
  silence: number;
  /** When to look for progress. */
  lookDue: number;
  /** When a look has last seen that something had moved. */
  movedAt: number;
  /** The progress at the last look. */
  mark: number;
  /** When a look has last seen that nothing waits for the client, or some went. */
  sentAt: number;
  /** What was sent at the last look. */
  sent: number;
  /** When a look has last seen that nothing waits for the remote, or some went. */
  forwardedAt: number;
  /** What was forwarded at the last look. */
  forwarded: number;
  /** When the connection ends. */
  endDue: number;
}

/**
 * Goes half of a long way at least. Deadlines are kept in lists by duration,
 * and what is left of a duration is different for each connection; so all take
 * the same few steps.
 */
function approach(milliseconds: number): number {
  if (milliseconds <= 1024 || milliseconds === Infinity) return milliseconds;
  return 2 ** Math.floor(Math.log2(milliseconds));
}
