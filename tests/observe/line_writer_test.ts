import assert from "node:assert/strict";
import { LineWriter, type Sink } from "../../src/observe/line_writer.ts";

/** A sink whose writes are let through by the test. */
class Gate implements Sink {
  text = "";
  writes = 0;
  /** Bytes that one write takes at most. */
  portion = Infinity;
  #open: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    await this.#open.promise;
    const taken = bytes.subarray(0, this.portion);
    this.text += new TextDecoder().decode(taken);
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

function start(): {
  gate: Gate;
  writer: LineWriter;
  trouble: string[];
  dropped: number[];
} {
  const gate = new Gate();
  const trouble: string[] = [];
  const dropped: number[] = [];
  const writer = new LineWriter(
    gate,
    (message) => trouble.push(message),
    (lines) => dropped.push(lines),
  );
  return { gate, writer, trouble, dropped };
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
  assert.equal(gate.text, expected);
  assert.deepEqual(trouble, []);
});

Deno.test("LineWriter writes the rest when the sink takes a part", async () => {
  const { gate, writer } = start();
  gate.portion = 3;
  gate.open();
  writer.write("one\ntwo\n");
  writer.write("three\n");
  await writer.flush(LONG);
  assert.equal(gate.text, "one\ntwo\nthree\n");
});

Deno.test("LineWriter writes lines together when they came while it was writing", async () => {
  const { gate, writer } = start();
  writer.write("first\n");
  for (let i = 0; i < 100; i++) writer.write(`${i}\n`);
  gate.open();
  await writer.flush(LONG);
  assert.equal(gate.writes, 2);
  assert.ok(gate.text.endsWith("98\n99\n"));
});

Deno.test("LineWriter writes again when it was idle", async () => {
  const { gate, writer } = start();
  gate.open();
  writer.write("one\n");
  await writer.flush(LONG);
  writer.write("two\n");
  await writer.flush(LONG);
  assert.equal(gate.text, "one\ntwo\n");
});

Deno.test("LineWriter drops and counts lines when the sink is stuck", async () => {
  const { gate, writer, trouble, dropped } = start();
  writer.write("stuck\n");
  const megabyte = `${"x".repeat(2 ** 20 - 1)}\n`;
  // eight wait, the others do not
  for (let i = 0; i < 20; i++) writer.write(megabyte);
  writer.write("a\nb\nc\n");
  assert.deepEqual(trouble, ["Dropping lines as the log is read too slowly"]);
  gate.open();
  await writer.flush(LONG);
  assert.equal(gate.text.length, "stuck\n".length + 8 * megabyte.length);
  assert.deepEqual(trouble.slice(1), [
    "Dropped 15 lines as the log is read too slowly",
  ]);
  writer.write("after\n");
  await writer.flush(LONG);
  assert.ok(gate.text.endsWith("x\nafter\n"));
  assert.equal(trouble.length, 2, "it is counted once");
  assert.equal(dropped.reduce((sum, lines) => sum + lines), 15);
});

Deno.test("flush() gives up after its time when the sink is stuck", async () => {
  const { gate, writer } = start();
  writer.write("stuck\n");
  const started = performance.now();
  await writer.flush(30);
  assert.ok(performance.now() - started >= 29);
  assert.equal(gate.text, "");
  gate.open();
  await writer.flush(LONG);
});

Deno.test("flush() returns at once when there is nothing to write", async () => {
  const { writer } = start();
  await writer.flush(LONG);
});

Deno.test("LineWriter says so once and goes on when the sink breaks", async () => {
  const { gate, writer, trouble } = start();
  writer.write("one\n");
  writer.write("two\n");
  gate.fail(new Error("Broken pipe (os error 32)"));
  await writer.flush(LONG);
  for (let i = 0; i < 100; i++) writer.write("three\n");
  await writer.flush(LONG);
  assert.deepEqual(trouble, [
    "Cannot write the log, and go on without: Broken pipe (os error 32)",
  ]);
  assert.equal(gate.writes, 1);
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
  assert.equal(unused, false, "it may not be closed during a write");
  before.open();
  await replaced;
  await writer.flush(LONG);
  assert.equal(before.text, "one\n");
  assert.equal(after.text, "two\nthree\n");
  assert.deepEqual(trouble, []);
});

Deno.test("replace() is done at once when nothing is being written", async () => {
  const { gate: before, writer } = start();
  const after = new Gate();
  after.open();
  await writer.replace(after);
  writer.write("one\n");
  await writer.flush(LONG);
  assert.equal(before.writes, 0);
  assert.equal(after.text, "one\n");
});

Deno.test("replace() makes a writer whose sink is broken write again", async () => {
  const { gate, writer, trouble } = start();
  gate.fail(new Error("No space left on device (os error 28)"));
  writer.write("lost\n");
  await writer.flush(LONG);
  writer.write("lost, too\n");
  const after = new Gate();
  after.open();
  await writer.replace(after);
  writer.write("kept\n");
  await writer.flush(LONG);
  assert.equal(after.text, "kept\n");
  assert.equal(trouble.length, 1);
});

Deno.test("LineWriter goes on with the other sink when the one of before fails after replace()", async () => {
  const { gate: before, writer } = start();
  const after = new Gate();
  after.open();
  writer.write("lost\n");
  const replaced = writer.replace(after);
  writer.write("kept\n");
  before.fail(new Error("Broken pipe"));
  await replaced;
  await writer.flush(LONG);
  assert.equal(after.text, "kept\n");
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
  }, (message) => trouble.push(message));
  writer.write("one\n");
  await writer.flush(LONG);
  writer.write("two\n");
  assert.equal(trouble.length, 1);
  await sink.closed.catch(() => {});
});
