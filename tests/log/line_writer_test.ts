import { assert, assertEquals } from "@std/assert";
import { LineWriter, type Sink } from "../../src/log/line_writer.ts";

/** A sink whose writes are let through by the test. */
class Gate implements Sink {
  text = "";
  writes = 0;
  /** Bytes that it has room for; then it is full. */
  room = Infinity;
  /** Bytes that one write takes at most. */
  portion = Infinity;
  #open: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    await this.#open.promise;
    if (this.room === 0) throw new Error("No space left on device");
    const taken = bytes.subarray(0, Math.min(this.portion, this.room));
    this.text += new TextDecoder().decode(taken);
    this.room -= taken.length;
    return taken.length;
  }

  /** Lets all writes through from now on. */
  open(): void {
    this.#open.resolve();
  }

  /** Fails all writes from now on. */
  fail(error: unknown): void {
    this.#open.reject(error);
  }
}

/** A list, and when it has so many items. */
class Said {
  readonly all: string[] = [];
  #more = Promise.withResolvers<void>();

  add(message: string): void {
    this.all.push(message);
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }

  async has(count: number): Promise<void> {
    while (this.all.length < count) await this.#more.promise;
  }
}

/** A writer that tries a sink that has failed again after so many milliseconds. */
function start(pause = 1): {
  gate: Gate;
  writer: LineWriter;
  said: Said;
  trouble: readonly string[];
  dropped: number[];
} {
  const gate = new Gate();
  const said = new Said();
  const dropped: number[] = [];
  const writer = new LineWriter(gate, {
    onTrouble: (message) => said.add(message),
    onDropped: (lines) => dropped.push(lines),
    pause,
  });
  return { gate, writer, said, trouble: said.all, dropped };
}

const LONG = 60_000;

Deno.test("LineWriter writes all lines in their order", async () => {
  const { gate, writer, trouble } = start();
  gate.open();
  let expected = "";
  for (let i = 0; i < 1000; i++) {
    writer.write(`line ${i} é\n`);
    expected += `line ${i} é\n`;
  }
  await writer.flush(LONG);
  assertEquals(gate.text, expected);
  assertEquals(trouble, []);
});

Deno.test("LineWriter writes the rest when the sink takes a part", async () => {
  const { gate, writer } = start();
  gate.portion = 3;
  gate.open();
  writer.write("one\ntwo\n");
  writer.write("three\n");
  await writer.flush(LONG);
  assertEquals(gate.text, "one\ntwo\nthree\n");
});

Deno.test("LineWriter writes lines together when they came while it was writing", async () => {
  const { gate, writer } = start();
  writer.write("first\n");
  for (let i = 0; i < 100; i++) writer.write(`${i}\n`);
  gate.open();
  await writer.flush(LONG);
  assertEquals(gate.writes, 2);
  assert(gate.text.endsWith("98\n99\n"));
});

Deno.test("LineWriter writes again when it was idle", async () => {
  const { gate, writer } = start();
  gate.open();
  writer.write("one\n");
  await writer.flush(LONG);
  writer.write("two\n");
  await writer.flush(LONG);
  assertEquals(gate.text, "one\ntwo\n");
});

Deno.test("LineWriter drops and counts lines when the sink is stuck", async () => {
  const { gate, writer, trouble, dropped } = start();
  writer.write("stuck\n");
  const megabyte = `${"x".repeat(2 ** 20 - 1)}\n`;
  // eight wait, the others do not
  for (let i = 0; i < 20; i++) writer.write(megabyte);
  writer.write("a\nb\nc\n");
  assertEquals(trouble, ["Dropping lines as the log is read too slowly"]);
  gate.open();
  await writer.flush(LONG);
  assertEquals(gate.text.length, "stuck\n".length + 8 * megabyte.length);
  assertEquals(trouble.slice(1), [
    "Dropped 15 lines as the log is read too slowly",
  ]);
  writer.write("after\n");
  await writer.flush(LONG);
  assert(gate.text.endsWith("x\nafter\n"));
  assertEquals(trouble.length, 2, "it is counted once");
  assertEquals(dropped.reduce((sum, lines) => sum + lines), 15);
});

Deno.test("flush() gives up after its time when the sink is stuck", async () => {
  const { gate, writer } = start();
  writer.write("stuck\n");
  const started = performance.now();
  await writer.flush(30);
  assert(performance.now() - started >= 29);
  assertEquals(gate.text, "");
  gate.open();
  await writer.flush(LONG);
});

Deno.test("flush() returns at once when there is nothing to write", async () => {
  const { writer } = start();
  await writer.flush(LONG);
});

const FULL =
  "Cannot write the log, which is tried again each second: No space left on device";

Deno.test("LineWriter goes on in the middle of a line where the sink was full", async () => {
  const { gate, writer, said, trouble, dropped } = start();
  gate.open();
  gate.room = 6;
  writer.write("one\ntwo\n");
  writer.write("three\n");
  await said.has(1);
  gate.room = Infinity;
  writer.write("four\n");
  await said.has(2);
  assertEquals(await writer.flush(LONG), 0);
  assertEquals(gate.text, "one\ntwo\nthree\nfour\n");
  assertEquals(trouble, [FULL, "The log can be written again"]);
  assertEquals(dropped, []);
});

Deno.test("LineWriter drops and counts what is too much while the sink is full", async () => {
  const { gate, writer, said, trouble, dropped } = start(LONG);
  gate.open();
  gate.room = 0;
  writer.write("one\n");
  const megabyte = `${"x".repeat(2 ** 20 - 1)}\n`;
  await said.has(1);
  for (let i = 0; i < 20; i++) writer.write(megabyte);
  gate.room = Infinity;
  assertEquals(await writer.flush(LONG), 0);
  assertEquals(gate.text.length, "one\n".length + 8 * megabyte.length);
  assertEquals(trouble, [
    FULL,
    "Dropping lines as the log cannot be written",
    "The log can be written again",
    "Dropped 12 lines as the log cannot be written",
  ]);
  assertEquals(dropped.reduce((sum, lines) => sum + lines), 12);
});

Deno.test("flush() tells how many lines are not written, at once if the sink fails", async () => {
  const { gate, writer, trouble } = start(LONG);
  gate.room = 2;
  gate.open();
  writer.write("one\ntwo\n");
  writer.write("three\n");
  assertEquals(await writer.flush(LONG), 3);
  assertEquals(trouble, [FULL]);
  gate.room = Infinity;
  writer.write("four\n");
  assertEquals(await writer.flush(LONG), 0);
  assertEquals(gate.text, "one\ntwo\nthree\nfour\n");
});

Deno.test("replace() lets the write under way finish, and writes the rest to the other sink", async () => {
  const { gate: before, writer, trouble } = start();
  const after = new Gate();
  after.open();
  writer.write("one\n");
  writer.write("two\n");
  let unused = false;
  const replaced = writer.replace(after).then(() => unused = true);
  writer.write("three\n");
  await Promise.resolve();
  assertEquals(unused, false, "it may not be closed during a write");
  before.open();
  await replaced;
  await writer.flush(LONG);
  assertEquals(before.text, "one\n");
  assertEquals(after.text, "two\nthree\n");
  assertEquals(trouble, []);
});

Deno.test("replace() is done at once when nothing is being written", async () => {
  const { gate: before, writer } = start();
  const after = new Gate();
  after.open();
  await writer.replace(after);
  writer.write("one\n");
  await writer.flush(LONG);
  assertEquals(before.writes, 0);
  assertEquals(after.text, "one\n");
});

Deno.test("replace() gives what the sink of before was too full for to the other one", async () => {
  const { gate, writer, said, trouble, dropped } = start(LONG);
  gate.open();
  gate.room = 6;
  writer.write("one\ntwo\nthree\n");
  writer.write("four\n");
  await said.has(1);
  const after = new Gate();
  after.open();
  await writer.replace(after);
  writer.write("five\n");
  assertEquals(await writer.flush(LONG), 0);
  // the line that it has a half of is in neither
  assertEquals(gate.text, "one\ntw");
  assertEquals(after.text, "three\nfour\nfive\n");
  assertEquals(dropped, [1]);
  assertEquals(trouble, [
    FULL,
    "Dropped 1 line as the log cannot be written",
    "The log can be written again",
  ]);
});

Deno.test("replace() loses nothing of what the sink of before then fails to write", async () => {
  const { gate: before, writer, dropped } = start(LONG);
  const after = new Gate();
  after.open();
  writer.write("one\n");
  const replaced = writer.replace(after);
  writer.write("two\n");
  before.fail(new Error("Broken pipe"));
  await replaced;
  assertEquals(await writer.flush(LONG), 0);
  assertEquals(after.text.split("\n").sort(), ["", "one", "two"]);
  assertEquals(dropped, []);
});

Deno.test("replace() does not wait for a sink that is stuck", async () => {
  const { gate: stuck, writer, dropped } = start(LONG);
  writer.write("one\n");
  writer.write("two\n");
  const after = new Gate();
  after.open();
  const replaced = writer.replace(after);
  writer.write("three\n");
  assertEquals(await writer.flush(LONG), 1, "what is stuck is not written");
  assertEquals(after.text, "two\nthree\n");
  stuck.open();
  await replaced;
  assertEquals(stuck.text, "one\n");
  writer.write("four\n");
  assertEquals(await writer.flush(LONG), 0);
  assertEquals(after.text, "two\nthree\nfour\n");
  assertEquals(dropped, []);
});

Deno.test("LineWriter survives a reader of a pipe that is gone", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const sink = writable.getWriter();
  await readable.cancel("gone");
  const trouble: string[] = [];
  const writer = new LineWriter({
    async write(bytes) {
      await sink.write(bytes);
      return bytes.length;
    },
  }, { onTrouble: (message) => trouble.push(message), pause: LONG });
  writer.write("one\n");
  assertEquals(await writer.flush(LONG), 1);
  writer.write("two\n");
  assertEquals(await writer.flush(LONG), 2);
  assertEquals(trouble.length, 1);
  await sink.closed.catch(() => {});
});
