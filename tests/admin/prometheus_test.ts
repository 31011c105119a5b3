import { assertEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { unusedPort } from "../support/ports.ts";
import { need } from "../support/run.ts";
import { test } from "../support/test.ts";
import { startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";

const TOKEN = "correct-horse-battery-staple";

/** Asks Prometheus for the present values of a metric; 0 while it starts. */
async function query(server: string, expression: string): Promise<number[]> {
  const parameters = new URLSearchParams({ query: expression });
  try {
    const response = await fetch(`${server}/api/v1/query?${parameters}`);
    const { data } = await response.json();
    return data.result.map((
      { value: [, text] }: { value: [number, string] },
    ) => Number(text));
  } catch {
    return [];
  }
}

test("a real Prometheus reads the metrics with the token, again and again", async () => {
  await using folder = await Folder.make({ token: TOKEN });
  await using running = await startAdmin(
    `export default { route: () => ({ close: "bye" }) };`,
    { args: ["-w", "1", "--admin-token-file", folder.file("token")] },
  );
  await Deno.writeTextFile(
    folder.file("prometheus.yml"),
    JSON.stringify({
      global: { scrape_interval: "1s", scrape_timeout: "1s" },
      scrape_configs: [{
        job_name: "proxymachine",
        authorization: { credentials_file: folder.file("token") },
        static_configs: [{ targets: [new URL(running.admin).host] }],
      }],
    }),
  );
  const address = `127.0.0.1:${unusedPort()}`;
  const prometheus = new Deno.Command(need("prometheus", "prometheus"), {
    args: [
      `--config.file=${folder.file("prometheus.yml")}`,
      `--storage.tsdb.path=${folder.file("data")}`,
      `--web.listen-address=${address}`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const server = `http://${address}`;
    await until(
      () => query(server, "sum_over_time(up[1m])"),
      ([times = 0]) => times >= 2,
    );
    using client = await running.proxy.connect();
    await client.write(new Uint8Array(1));
    await running.proxy.access.find("end=router-close");
    const ended = 'proxymachine_connections_ended_total{reason="router-close"}';
    assertEquals(
      await until(
        () => query(server, ended),
        ([count]) => count === 1,
      ),
      [1],
    );
  } finally {
    prometheus.kill("SIGKILL");
    await prometheus.status;
  }
});
