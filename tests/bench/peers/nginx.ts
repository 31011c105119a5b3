/**
 * nginx with one worker process: as a TCP proxy, plain and with a router in
 * njs, and as the HTTP server behind every proxy.
 *
 * @module
 */

import type { Child, Stage } from "../stage.ts";
import type { Setup } from "../peers.ts";
import { njsRouter } from "./routers.ts";

/**
 * Starts nginx's stream proxy on `setup.port`; with a decision per connection
 * if `programmed`.
 */
export function startNginx(
  stage: Stage,
  setup: Setup,
  programmed: boolean,
): Child {
  const modules = programmed
    ? ["ngx_stream_module", "ngx_stream_js_module"]
    : ["ngx_stream_module"];
  let script = "";
  let decision = `proxy_pass ${setup.backend};`;
  if (programmed) {
    const file = `${setup.port}.js`;
    stage.write(file, njsRouter(setup.routing, setup.backend));
    script =
      `js_path ${stage.dir}; js_import main from ${file}; js_var $remote;`;
    decision = "js_preread main.route; proxy_pass $remote;";
  }
  return start(
    stage,
    setup.port,
    modules.map((name) => module(name)).join("\n"),
    `stream {
  ${script}
  server {
    listen 127.0.0.1:${setup.port} backlog=4096;
    proxy_connect_timeout 5s;
    proxy_timeout 1h;
    ${decision}
  }
}`,
  );
}

/**
 * Starts the HTTP server behind the proxies. It answers everything with the
 * same two bytes, on as many ports as asked for: one for each proxy, or all of
 * them would draw on the same local ports for their connections to it.
 */
export function startBackend(stage: Stage, ports: readonly number[]): Child {
  const listen = ports.map((port) =>
    `    listen 127.0.0.1:${port} backlog=4096;`
  ).join("\n");
  return start(
    stage,
    ports[0] ?? 0,
    "",
    `http {
  access_log off;
  server_tokens off;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_temp_path ${stage.dir};
  proxy_temp_path ${stage.dir};
  fastcgi_temp_path ${stage.dir};
  uwsgi_temp_path ${stage.dir};
  scgi_temp_path ${stage.dir};
  server {
${listen}
    location / { return 200 "ok"; }
  }
}`,
  );
}

/** True when this nginx has a module, built in or beside it. */
export function hasModule(name: string): boolean {
  return module(name) !== undefined;
}

function start(
  stage: Stage,
  port: number,
  modules: string,
  body: string,
): Child {
  const config = `${modules}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${stage.dir}/${port}.pid;
error_log stderr error;
events {
  worker_connections 19000;
  multi_accept on;
}
${body}
`;
  const file = stage.write(`${port}.conf`, config);
  return stage.spawn("nginx", [
    "nginx",
    "-e",
    "stderr",
    "-p",
    stage.dir,
    "-c",
    file,
  ]);
}

/**
 * The directive that loads a module: empty if it is built in, `undefined` if it
 * is missing.
 */
function module(name: string): string | undefined {
  const { stderr } = new Deno.Command("nginx", {
    args: ["-V"],
    stdout: "null",
    stderr: "piped",
  })
    .outputSync();
  const options = new TextDecoder().decode(stderr);
  if (name === "ngx_stream_module" && /--with-stream(\s|$)/.test(options)) {
    return "";
  }
  const folder = /--modules-path=(\S+)/.exec(options)?.[1] ??
    "/usr/lib/nginx/modules";
  try {
    Deno.statSync(`${folder}/${name}.so`);
    return `load_module ${folder}/${name}.so;`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
