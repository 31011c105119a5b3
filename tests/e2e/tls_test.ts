/**
 * TLS from the command line and route tables, with real clients and servers.
 */
import assert from "node:assert/strict";
import { PROGRAM, Proxy, receive, run, send, test } from "../fixtures.ts";
import { Authority, OpensslServer } from "../tls_fixtures.ts";

test("a route table connects with TLS, and trusts a file of authorities", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  await using server = await OpensslServer.start(issued);
  const table = `
routes:
  - match: { bytes: { prefix: "good" } }
    remote: ${server.remote}
    tls: { serverName: a.example, ca: [ca.pem] }
  - match: { bytes: { prefix: "wrong" } }
    remote: ${server.remote}
    tls: true
`;
  const options = { file: "routes.yaml", files: { "ca.pem": authority.pem } };
  await using proxy = await Proxy.start(table, options);
  {
    using good = await proxy.connect();
    await send(good, "good\n");
    assert.equal(await receive(good, 5), "doog\n");
  }
  // the server serves one after the other
  await proxy.access.find("end=done");
  using wrong = await proxy.connect();
  await send(wrong, "wrong\n");
  await proxy.log.find(/failed: .* invalid peer certificate: UnknownIssuer/);
  await proxy.access.find("end=connect-failed");
});

test("a file of authorities that is none is refused before anything starts", async () => {
  await using authority = await Authority.make();
  const { key } = await authority.issue({ names: "DNS:a.example" });
  const folder = authority.file.replace("ca.pem", "");
  const cases = [
    [
      "missing.pem",
      `Cannot read the certificate ${folder}missing.pem: there is no such file`,
    ],
    [
      key,
      `Cannot use the certificate ${key} as it must be in PEM: it has no "-----BEGIN CERTIFICATE-----"`,
    ],
  ];
  for (const [ca = "", message] of cases) {
    const file = `${folder}routes.yaml`;
    await Deno.writeTextFile(
      file,
      `default: { remote: "a:1", tls: { ca: ${ca} } }`,
    );
    const { code, stderr } = await run([...PROGRAM, "-c", file, "--check"]);
    assert.deepEqual([code, stderr], [2, `proxymachine: ${message}\n`]);
  }
});
