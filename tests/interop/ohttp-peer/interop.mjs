// SPDX-License-Identifier: Apache-2.0
// lib/ohttp against an independent client and gateway, both ways: every KEM of the build, every KDF and AEAD, plain and
// chunked, both framings of binary HTTP, both HPKE packages.   node interop.mjs PEER-PROGRAM
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as B from "./lib/bhttp.mjs";
import * as O from "./lib/ohttp.mjs";
import { KEM, backends } from "./lib/hpke.mjs";

const peer = spawn(process.argv[2], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
async function ask(...words) {
  peer.stdin.write(words.join(" ") + "\n");
  const { value, done } = await lines.next();
  if (done) throw new Error("the peer ended at: " + words.join(" ").slice(0, 80));
  return value;
}
const hex = (b) => Buffer.from(b).toString("hex"), unhex = (s) => new Uint8Array(Buffer.from(s, "hex"));

let pass = 0, fail = 0;
function check(name, ok) { if (ok) pass++; else { fail++; console.log("FAIL", name); } }
async function attempt(name, run) { try { check(name, await run()); } catch (e) { check(`${name}: ${e.message}`, false); } }

const configs = O.parseKeyConfigs(unhex(await ask("keys")));
const content = (n) => Buffer.from(Array.from({ length: n }, (_, i) => i * 7 & 255));

// their client, our gateway
async function toUs(config, kdf, aead, chunked, framing, backend) {
  const body = content(chunked ? 12000 : 700);
  const request = B.encode({ kind: "request", method: "POST", scheme: "https", authority: "a.example", path: "/", headers: [["a", "b"]], content: body, trailers: [["t", "1"]] }, { framing, pad: 128, chunk: 999 });
  const sealed = await O.encapsulate({ ...config, kdf, aead }, request, { chunked, chunk: 4096, backend });
  const answer = await ask("open", chunked ? "chunked" : "plain", hex(sealed.message));
  const m = B.decode(await O.openResponse(sealed, unhex(answer)));
  return m.status === 200 && Buffer.from(m.content).equals(body) && m.trailers[0][1] === "1";
}

// our client, their gateway
async function toThem(key, kdf, aead, chunked, framing, backend) {
  const body = content(chunked ? 12000 : 700), kind = chunked ? "chunked" : "plain";
  const sealed = await ask("seal", kind, kdf, aead, framing === "known" ? 0 : 2, hex(O.encodeKeyConfigs([key])), hex(body));
  const state = await O.decapsulate([key], unhex(sealed), { chunked, backend });
  const m = B.decode(state.request);
  if (m.path !== "/q?x=1&y=%20" || m.headers[0][1] !== "POST" || !Buffer.from(m.content).equals(body)) return false;
  const response = B.encode({ kind: "response", status: 200, headers: [], content: body }, { framing, pad: 256, chunk: 1234 });
  return await ask("answer", hex(await O.sealResponse(state, response, { chunk: 3333 }))) === hex(body);
}

for (const backend of Object.keys(backends)) {
  for (const config of configs) {
    const pair = await backends[backend].generate(config.kem);
    for (const [kdf, aead] of config.sym) for (const chunked of [false, true]) {
      const framing = (kdf + aead + chunked) % 2 ? "known" : "indeterminate";
      const name = `${backend} KEM 0x${config.kem.toString(16)} KDF ${kdf} AEAD ${aead} ${chunked ? "chunked" : "plain"} ${framing}`;
      await attempt("their client " + name, () => toUs(config, kdf, aead, chunked, framing, backend));
      await attempt("our client " + name, () => toThem({ keyId: 9, kem: config.kem, ...pair, sym: config.sym }, kdf, aead, chunked, framing, backend));
    }
  }
}
const one = { ...configs[0], kdf: 1, aead: 1 };
for (const [what, change, want] of [["a flipped bit", (m) => { m[m.length - 1] ^= 1; }, "refused malformed message"], ["another key", (m) => { m[0] = 99; }, "refused not found"]]) {
  const { message } = await O.encapsulate(one, B.encode({ kind: "request", method: "GET", scheme: "https", authority: "a", path: "/" }));
  change(message);
  const said = await ask("open", "plain", hex(message));
  check(`${what}: ${said}`, said === want);
}
check("the classic KEMs are there", [KEM.X25519, KEM.P256].every((k) => configs.some((c) => c.kem === k)));
peer.stdin.end();
console.log(`KEMs ${configs.map((c) => "0x" + c.kem.toString(16)).join(" ")}: ${pass} passed, ${fail} failed`);
process.exit(fail ? 1 : 0);
