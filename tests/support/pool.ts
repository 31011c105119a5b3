import { type Log, makeLog, render } from "../../src/log/log.ts";
import { Attempt } from "../../src/pool/attempt.ts";
import { Cells } from "../../src/pool/memory.ts";
import { chooser } from "../../src/pool/policies.ts";
import { planPool } from "../../src/pool/checked_options.ts";
import { PoolState } from "../../src/pool/state.ts";

/** A log that keeps its lines. */
export class Lines {
  readonly all: string[] = [];
  readonly log: Log = makeLog("info", (line) => this.all.push(render(line)));
}

/** A pool, seen by several workers that share its memory. */
export class Workers {
  readonly log: Lines = new Lines();
  readonly states: readonly PoolState[];
  readonly #attempts: readonly (() => Attempt)[];

  /**
   * @param options What `pool` takes.
   * @param count How many workers there are.
   */
  constructor(options: Record<string, unknown>, count = 2) {
    const plan = planPool("p", options);
    const { shared } = new Cells(plan.members.length);
    this.states = Array.from(
      { length: count },
      () => new PoolState(plan, new Cells(shared), this.log.log),
    );
    this.#attempts = this.states.map((state) => {
      const choose = chooser(state);
      return () => new Attempt(state, choose);
    });
  }

  /** Begins a connection in a worker. */
  attempt(worker = 0, key = ""): Attempt {
    const attempt = this.#attempts[worker]?.();
    if (attempt === undefined) throw new Error(`no worker ${worker}`);
    attempt.key = key;
    return attempt;
  }

  /** The remote that the next connection of a worker gets; it is given back. */
  next(worker = 0, key = ""): string | undefined {
    const attempt = this.attempt(worker, key);
    const remote = attempt.next()?.remote;
    attempt.returned();
    return remote;
  }
}

/** What a connection meets that is refused. */
export const REFUSED = new Error("refused");
