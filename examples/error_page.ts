// When a web server is down, tries another one; when that is down, too, answers
// with an error page.
//   deno task start -c examples/error_page.ts -p 8080
import type { Router } from "proxymachine";

const FIRST = "127.0.0.1:9001";
const SECOND = "127.0.0.1:9002";

const PAGE = "The server is down. Please try again in a minute.\n";

export default {
  route: () => ({ remote: FIRST, connectTimeout: 1 }),

  connectError(remote) {
    if (remote === FIRST) return { remote: SECOND };
    return {
      close: "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\n" +
        `Content-Length: ${PAGE.length}\r\nConnection: close\r\n\r\n${PAGE}`,
    };
  },
} satisfies Router;
