import assert from "node:assert/strict";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import type { Deployment } from "kubernetes-types/apps/v1";
import type { ConfigMap, Service } from "kubernetes-types/core/v1";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1";
import { parseCommandLine } from "../../src/cli/command_line.ts";
import {
  Folder,
  Proxy,
  receiveAll,
  ROOT,
  run,
  send,
  test,
} from "../fixtures.ts";
import { adminOf, curl } from "../admin/helpers.ts";
import { PACKAGES } from "./helpers.ts";

const FILE = join(PACKAGES, "kubernetes", "deployment.yaml");
const TEXT = await Deno.readTextFile(FILE);

/** What is in the file; the first test checks that it is of these types. */
const [config, deployment, service, budget] = loadAll(TEXT) as [
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
  const documents = loadAll(text) as { apiVersion: string; kind: string }[];
  const module = documents.map((document) => {
    const { apiVersion, kind } = document;
    const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    const literal = JSON.stringify(document, undefined, 2);
    return `(${literal}) satisfies import("kubernetes-types/${group}").${kind};\n`;
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
  assert.equal(await mistakes(TEXT), "");
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
  ) assert.deepEqual(selector, labels);
  assert.equal(pod?.spec?.volumes?.[0]?.configMap?.name, config.metadata?.name);
  assert.deepEqual(container?.volumeMounts, [
    { name: pod?.spec?.volumes?.[0]?.name, mountPath: MOUNT, readOnly: true },
    {
      name: pod?.spec?.volumes?.[1]?.name,
      mountPath: ADMIN_MOUNT,
      readOnly: true,
    },
  ]);
  const secret = pod?.spec?.volumes?.[1]?.secret?.secretName;
  assert(TEXT.includes(`kubectl create secret generic ${secret} `));
  assert(TEXT.includes("--from-literal=token="));
  const port = container?.ports?.[0];
  assert.equal(service.spec?.ports?.[0]?.targetPort, port?.name);
});

Deno.test("the container has the arguments and the ports of the program", () => {
  const command = parseCommandLine(container?.args ?? [], 1);
  assert(command.kind === "run");
  const [listener] = command.options.listen;
  assert(listener !== undefined && "port" in listener);
  assert.equal(container?.ports?.[0]?.containerPort, listener.port);
  const { admin } = command.options;
  assert.equal(container?.ports?.[1]?.containerPort, admin?.port);
  assert.equal(admin?.tokenFile, join(ADMIN_MOUNT, "token"));
  assert.equal(
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
  assert.equal(await ask(), "");
  await proxy.access.find("end=router-close");
  // all files of a ConfigMap change at once
  await Deno.symlink("..2", folder.file("..next"));
  await Deno.rename(folder.file("..next"), folder.file("..data"));
  await proxy.log.find("Reloaded");
  assert.equal(await ask(), "new");
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
    assert.equal(probe?.httpGet?.port, port?.name);
    assert.equal(await ask(probe?.httpGet?.path ?? ""), 200);
  }
  assert.equal(await ask("/metrics"), 401);
  assert.equal(await ask("/api/status"), 401);
  const first = "Authorization: Bearer first-token-of-the-secret";
  const second = "Authorization: Bearer another-token-of-the-secret";
  assert.equal(await ask("/metrics", first), 200);
  await Deno.symlink("..2", secret.file("..next"));
  await Deno.rename(secret.file("..next"), secret.file("..data"));
  await proxy.log.find("Reloaded");
  assert.equal(await ask("/metrics", first), 401);
  assert.equal(await ask("/metrics", second), 200);
});
