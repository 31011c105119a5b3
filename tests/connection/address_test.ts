import assert from "node:assert/strict";
import {
  formatAddress,
  parsePort,
  parseRemote,
} from "../../src/connection/address.ts";

Deno.test("parseRemote() gives the same result when there are more remotes than it remembers", () => {
  for (const _ of [1, 2]) {
    for (let port = 1; port <= 5000; port++) {
      assert.deepEqual(parseRemote(`a:${port}`), { hostname: "a", port });
    }
  }
});

Deno.test("parsePort() takes decimal digits from the least port to 65535", () => {
  assert.equal(parsePort("0", 0), 0);
  assert.equal(parsePort("0", 1), undefined);
  assert.equal(parsePort("1", 1), 1);
  assert.equal(parsePort("65535", 1), 65535);
  for (const text of ["65536", "", "-1", "+1", " 1", "1.0", "0x10", "1e3"]) {
    assert.equal(parsePort(text, 0), undefined, text);
  }
});

Deno.test("formatAddress() puts an IPv6 address in brackets", () => {
  assert.equal(formatAddress({ hostname: "a.b", port: 1 }), "a.b:1");
  assert.equal(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
});
