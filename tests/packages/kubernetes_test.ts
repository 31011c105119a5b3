import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { parseAll } from "@std/yaml";
import type { Deployment } from "npm:kubernetes-types@^1.30.0/apps/v1";
import type { ConfigMap, Service } from "npm:kubernetes-types@^1.30.0/core/v1";
import type { PodDisruptionBudget } from "npm:kubernetes-types@^1.30.0/policy/v1";
import { parseCommandLine } from "../../src/cli/command_line.ts";
import { Folder } from "../support/folder.ts";
import { ROOT } from "../support/paths.ts";
import { Proxy } from "../support/proxy.ts";
import { run } from "../support/run.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { adminOf, curl } from "../support/admin.ts";
import { PACKAGES } from "../support/paths.ts";

const FILE = join(PACKAGES, "kubernetes", "deployment.yaml");
const TEXT = await Deno.readTextFile(FILE);

/** What is in the file; the first test checks that it is of these types. */
const [config, deployment, service, budget] = parseAll(TEXT) as [
  ConfigMap,
  Deployment,
  Service,
  PodDisruptionBudget,
];
const pod = deployment.spec?.template;
const container = pod?.spec?.containers[0];

/** Where the router is mounted. */
const MOUNT = "/etc/proxymachine";

/** Where the secret with the token of the admin server is mounted. */
const ADMIN_MOUNT = "/etc/proxymachine-admin";

/**
 * Checks manifests against the types that are made of the OpenAPI description
 * of Kubernetes: as literals in a module, such that no key may be unknown.
 *
 * @param text YAML.
 * @returns What is wrong, or nothing.
 */
async function mistakes(text: string): Promise<string> {
  const documents = parseAll(text) as { apiVersion: string; kind: string }[];
  const module = documents.map((document) => {
    const { apiVersion, kind } = document;
    const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    const literal = JSON.stringify(document, undefined, 2);
    return `(${literal}) satisfies import("npm:kubernetes-types@^1.30.0/${group}").${kind};\n`;
  });
  await using folder = await Folder.make({ "manifests.ts": module.join("") });
  const { code, stderr } = await run([
    Deno.execPath(),
    "check",
    "--quiet",
    `--config=${join(ROOT, "deno.json")}`,
    folder.file("manifests.ts"),
  ]);
  return code === 0 ? "" : stderr;
}

test("the manifests are as Kubernetes describes them", async () => {
  assertEquals(await mistakes(TEXT), "");
  const wrong = [
    ["containerPort:", "containerPorts:"],
    ["replicas: 2", "replicas: two"],
    ["seconds: 10", "second: 10"],
    ["maxUnavailable: 1", "maxUnavailable: [1]"],
  ] as const;
  const broken = wrong.reduce((text, [right, wrong]) => {
    assert(text.includes(right), right);
    return text.replace(right, wrong);
  }, TEXT);
  const found = await mistakes(broken);
  for (const key of ["containerPorts", "replicas", "second", "maxUnavail"]) {
    assert(found.includes(key), `${key} in ${found}`);
  }
});

Deno.test("the manifests name each other", () => {
  const labels = pod?.metadata?.labels;
  for (
    const selector of [
      deployment.spec?.selector.matchLabels,
      service.spec?.selector,
      budget.spec?.selector?.matchLabels,
      pod?.spec?.topologySpreadConstraints?.[0]?.labelSelector?.matchLabels,
    ]
  ) assertEquals(selector, labels);
  assertEquals(pod?.spec?.volumes?.[0]?.configMap?.name, config.metadata?.name);
  const [mounted, admin] = pod?.spec?.volumes ?? [];
  assert(mounted && admin);
  assertEquals(container?.volumeMounts, [
    { name: mounted.name, mountPath: MOUNT, readOnly: true },
    {
      name: admin.name,
      mountPath: ADMIN_MOUNT,
      readOnly: true,
    },
  ]);
  const secret = pod?.spec?.volumes?.[1]?.secret?.secretName;
  assert(TEXT.includes(`kubectl create secret generic ${secret} `));
  assert(TEXT.includes("--from-literal=token="));
  const port = container?.ports?.[0];
  assertEquals(service.spec?.ports?.[0]?.targetPort, port?.name);
});

Deno.test("the container has the arguments and the ports of the program", () => {
  const command = parseCommandLine(container?.args ?? [], 1);
  assert(command.kind === "run");
  const [listener] = command.options.listen;
  assert(listener !== undefined && "port" in listener);
  assertEquals(container?.ports?.[0]?.containerPort, listener.port);
  const { admin } = command.options;
  assertEquals(container?.ports?.[1]?.containerPort, admin?.port);
  assertEquals(admin?.tokenFile, join(ADMIN_MOUNT, "token"));
  assertEquals(
    command.options.config,
    join(MOUNT, Object.keys(config.data ?? {})[0] ?? ""),
  );
});

Deno.test("the pod has at least a minute to drain once it gets no new clients", () => {
  const grace = pod?.spec?.terminationGracePeriodSeconds ?? 0;
  const sleep = container?.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const probe = container?.readinessProbe;
  assert(sleep > (probe?.periodSeconds ?? 10) * (probe?.failureThreshold ?? 3));
  assert(grace >= sleep + 60);
});

test("the router of the ConfigMap serves, and follows it as a node updates it", async () => {
  const [[name, text] = ["", ""]] = Object.entries(config.data ?? {});
  await using folder = await Folder.make({
    [`..1/${name}`]: text,
    [`..2/${name}`]: `export default { accept: () => ({ close: "new" }) };`,
  });
  await Deno.symlink("..1", folder.file("..data"));
  await Deno.symlink(join("..data", name), folder.file(name));
  assert(container?.args?.includes("--watch"));
  await using proxy = await Proxy.start(folder.url(name), {
    args: ["--watch", "-w", "1"],
  });
  const ask = async () => {
    using client = await proxy.connect();
    await send(client, "SSH-2.0\r\n");
    return await receiveAll(client);
  };
  assertEquals(await ask(), "");
  await proxy.access.find("end=router-close");
  // all files of a ConfigMap change at once
  await Deno.symlink("..2", folder.file("..next"));
  await Deno.rename(folder.file("..next"), folder.file("..data"));
  await proxy.log.find("Reloaded");
  assertEquals(await ask(), "new");
});

test("the probes are answered without the token, and nothing else is; a new token is followed", async () => {
  await using secret = await Folder.make({
    "..1/token": "first-token-of-the-secret\n",
    "..2/token": "another-token-of-the-secret",
  });
  await Deno.symlink("..1", secret.file("..data"));
  await Deno.symlink(join("..data", "token"), secret.file("token"));
  const args = (container?.args ?? [])
    .filter((arg) => !arg.startsWith("--config="))
    .map((arg) =>
      arg.replace(/^(--admin=.*:)\d+$/, "$10")
        .replace(ADMIN_MOUNT, secret.path)
    );
  await using proxy = await Proxy.start(
    Object.values(config.data ?? {})[0] ?? "",
    {
      args,
    },
  );
  const port = container?.ports?.[1];
  const { port: bound } = new URL(await adminOf(proxy));
  const ask = async (path: string, ...headers: string[]) => {
    // as the node does: the host is the address of the pod
    const all = [`Host: 10.1.2.3:${port?.containerPort}`, ...headers];
    const answer = await curl(
      ...all.flatMap((header) => ["-H", header]),
      `http://127.0.0.1:${bound}${path}`,
    );
    return Number(/^HTTP\S+ (\d+)/.exec(answer)?.[1]);
  };
  const { startupProbe, readinessProbe, livenessProbe } = container ?? {};
  for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
    assertEquals(probe?.httpGet?.port, port?.name);
    assertEquals(await ask(probe?.httpGet?.path ?? ""), 200);
  }
  assertEquals(await ask("/metrics"), 401);
  assertEquals(await ask("/api/status"), 401);
  const first = "Authorization: Bearer first-token-of-the-secret";
  const second = "Authorization: Bearer another-token-of-the-secret";
  assertEquals(await ask("/metrics", first), 200);
  await Deno.symlink("..2", secret.file("..next"));
  await Deno.rename(secret.file("..next"), secret.file("..data"));
  await proxy.log.find("Reloaded");
  assertEquals(await ask("/metrics", first), 401);
  assertEquals(await ask("/metrics", second), 200);
});
