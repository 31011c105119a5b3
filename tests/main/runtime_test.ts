import { assertEquals } from "@std/assert";
import { checkRuntime } from "../../src/main/runtime.ts";

Deno.test("checkRuntime() accepts Deno 2.9.0 and later", () => {
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0", "3.0.0-rc.1"]) {
    assertEquals(checkRuntime(version, false), undefined, version);
  }
});

Deno.test("checkRuntime() says what an older Deno lacks", () => {
  for (const version of ["2.8.3", "2.0.0", "1.46.3"]) {
    assertEquals(
      checkRuntime(version, false),
      `Cannot start as the runtime must be Deno 2.9.0 or later: current value is ${version}; \`deno upgrade\` gets a newer one`,
    );
  }
});

Deno.test("checkRuntime() accepts what an executable was built with", () => {
  assertEquals(checkRuntime("2.8.3", true), undefined);
});
