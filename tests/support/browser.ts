import {
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { need } from "./run.ts";

/** A page in Chromium, and what it complains about. */
export class Tab implements AsyncDisposable {
  /** The page. */
  readonly page: Page;
  /** Errors of scripts, of requests, and of the content security policy. */
  readonly complaints: string[] = [];
  /** The origins of all that it has asked for. */
  readonly origins: Set<string> = new Set();
  readonly #close: () => Promise<void>;

  private constructor(page: Page, close: () => Promise<void>) {
    this.page = page;
    this.#close = close;
    page.setDefaultTimeout(120_000);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on(
      "request",
      (request) => this.origins.add(new URL(request.url()).origin),
    );
    page.on("console", (message) => {
      if (/^(error|warning)$/.test(message.type())) {
        this.complaints.push(message.text());
      }
    });
  }

  /**
   * Starts Chromium, which has one tab.
   *
   * @param url What to open.
   * @param options Its window, its colours and so on.
   */
  static async open(
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<Tab> {
    const browser = await chromium.launch({
      executablePath: which(need("chromium", "chromium")),
      // root cannot have the sandbox; a container may have little shared memory
      args: [
        "--disable-dev-shm-usage",
        ...Deno.uid() === 0 ? ["--no-sandbox"] : [],
      ],
      timeout: 120_000,
    });
    try {
      const context = await browser.newContext(options);
      const tab = new Tab(await context.newPage(), () => browser.close());
      await tab.page.goto(url);
      return tab;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** Waits until an element has a text; the expression is its whole text. */
  async shows(selector: string, text: string | RegExp): Promise<void> {
    await this.page.locator(selector, { hasText: text }).first().waitFor();
  }

  /** The texts of a table: a row is a list of cells. */
  rows(section: string): Promise<string[][]> {
    return this.page.locator(`section[aria-labelledby=${section}] tbody tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.children].map((cell) => cell.textContent))
      );
  }

  /** Ends Chromium. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** The path of a program. */
function which(name: string): string {
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", `command -v "$0"`, name],
  }).outputSync();
  return new TextDecoder().decode(stdout).trim();
}
