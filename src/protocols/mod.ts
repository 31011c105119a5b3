/**
 * Parsers for the first bytes of a connection, to route by what a client says.
 * Each is a pure function of bytes with three answers: the value, `null` (not
 * this protocol) and `undefined` (not enough bytes yet); see
 * {@linkcode Parser}.
 *
 * A router that recognises several protocols has to wait while a parser that
 * it prefers still answers `undefined`. {@linkcode proxyProtocol},
 * {@linkcode socks5Credentials}, {@linkcode socks5Request},
 * {@linkcode mysqlResponse}, {@linkcode smtpCommand} and
 * {@linkcode imapCommand} read what is due at a certain place and are not meant
 * for guessing.
 *
 * @example HTTPS and SSH on one port
 * ```ts
 * import { ssh, tls } from "proxymachine/protocols";
 * import { Preread, type Router } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * const router = {
 *   route(data) {
 *     if (ssh(data)) return { remote: "10.0.0.1:22" };
 *     if (tls(data)) return { remote: "10.0.0.1:443" };
 *     if (ssh(data) === null && tls(data) === null) return { close: true };
 *     return { noop: true };
 *   },
 * } satisfies Router;
 *
 * const hello = new Preread(new TextEncoder().encode("SSH-2.0-Go\r\n"));
 * assert.deepEqual(router.route(hello), { remote: "10.0.0.1:22" });
 * ```
 *
 * @module
 */
export { amqp, type AmqpHeader } from "./amqp.ts";
export { dns, type DnsQuery } from "./dns.ts";
export { git, type GitRequest, type GitService } from "./git.ts";
export { http, type HttpHeaders, type HttpRequest } from "./http.ts";
export { http2, type Http2Request } from "./http2.ts";
export { ldap, type LdapMessage } from "./ldap.ts";
export {
  type ImapCommand,
  imapCommand,
  type SmtpCommand,
  smtpCommand,
} from "./mail.ts";
export { minecraft, type MinecraftHandshake } from "./minecraft.ts";
export { mqtt, type MqttConnect } from "./mqtt.ts";
export {
  mysqlGreeting,
  type MysqlGreetingOptions,
  type MysqlResponse,
  mysqlResponse,
} from "./mysql.ts";
export { openvpn, type OpenVpnReset } from "./openvpn.ts";
export {
  postgres,
  type PostgresCancelRequest,
  type PostgresEncryptionRequest,
  type PostgresMessage,
  type PostgresStartup,
} from "./postgres.ts";
export {
  proxyProtocol,
  type ProxyProtocolAddress,
  type ProxyProtocolHeader,
  type ProxyProtocolTlv,
} from "./proxy_protocol.ts";
export { rdp, type RdpProtocol, type RdpRequest } from "./rdp.ts";
export { redis, type RedisCommand } from "./redis.ts";
export { socks4, type Socks4Request } from "./socks4.ts";
export {
  socks5,
  type Socks5Credentials,
  socks5Credentials,
  type Socks5Greeting,
  type Socks5Request,
  socks5Request,
} from "./socks5.ts";
export { ssh, type SshIdentification } from "./ssh.ts";
export { tls, type TlsClientHello } from "./tls.ts";
export type { Input, Parser } from "./types.ts";
export { xmpp, type XmppStream } from "./xmpp.ts";
