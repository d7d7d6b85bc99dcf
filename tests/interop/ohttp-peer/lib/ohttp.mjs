// SPDX-License-Identifier: Apache-2.0
// Independent OHTTP (RFC 9458) and chunked OHTTP (draft-ietf-ohai-chunked-ohttp) encapsulation.
import { createHmac, createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { SIZES, AEAD, HASH, backends } from "./hpke.mjs";
import { cat, vi, readVi } from "./bhttp.mjs";
const te = new TextEncoder();
const u16 = (n) => Uint8Array.of(n >> 8, n & 255);
export const LABELS = { plain: ["message/bhttp request", "message/bhttp response"], chunked: ["message/bhttp chunked request", "message/bhttp chunked response"] };
const FINAL = te.encode("final"), EMPTY = new Uint8Array();
export class OhttpError extends Error { constructor(code, m) { super(m); this.code = code; } }

// ---- key configurations ----------------------------------------------------
export const encodeKeyConfig = (c) => cat([c.keyId], u16(c.kem), c.pk, u16(c.sym.length * 4), ...c.sym.map(([k, a]) => cat(u16(k), u16(a))));
export const encodeKeyConfigs = (l) => cat(...l.map((c) => { const b = encodeKeyConfig(c); return cat(u16(b.length), b); }));
export function parseKeyConfig(b) { // exactly one config, all bytes used
  if (b.length < 3) throw new OhttpError("keyconfig", "short key config");
  const keyId = b[0], kem = (b[1] << 8) | b[2];
  if (!SIZES[kem]) return { keyId, kem, unknown: true };
  const npk = SIZES[kem][1];
  if (b.length < 3 + npk + 2) throw new OhttpError("keyconfig", "short public key");
  const pk = b.slice(3, 3 + npk); let p = 3 + npk;
  const n = (b[p] << 8) | b[p + 1]; p += 2;
  if (n < 4 || n % 4 || n > 65532 || p + n !== b.length) throw new OhttpError("keyconfig", "bad symmetric algorithms length");
  const sym = [];
  for (; p < b.length; p += 4) sym.push([(b[p] << 8) | b[p + 1], (b[p + 2] << 8) | b[p + 3]]);
  return { keyId, kem, pk, sym };
}
export function parseKeyConfigs(b) { // application/ohttp-keys; any encoding error discards the whole list
  const out = []; let p = 0;
  while (p < b.length) {
    if (p + 2 > b.length) throw new OhttpError("keyconfig", "short length prefix");
    const n = (b[p] << 8) | b[p + 1]; p += 2;
    if (p + n > b.length) throw new OhttpError("keyconfig", "length prefix beyond end");
    out.push(parseKeyConfig(b.slice(p, p + n))); p += n;
  }
  if (!out.length) throw new OhttpError("keyconfig", "empty key config list");
  return out;
}
export function select(configs, pref) { // pref: [[kem,kdf,aead],...]
  for (const [kem, kdf, aead] of pref) for (const c of configs)
    if (!c.unknown && c.kem === kem && c.sym.some(([k, a]) => k === kdf && a === aead)) return { ...c, kdf, aead };
  throw new OhttpError("keyconfig", "no acceptable key configuration");
}

// ---- helpers ---------------------------------------------------------------
const extract = (h, salt, ikm) => new Uint8Array(createHmac(h, salt).update(ikm).digest());
function expand(h, prk, info, L) {
  let t = Buffer.alloc(0), out = Buffer.alloc(0);
  for (let i = 1; out.length < L; i++) { t = createHmac(h, prk).update(t).update(info).update(Buffer.of(i)).digest(); out = Buffer.concat([out, t]); }
  return new Uint8Array(out.subarray(0, L));
}
function aeadSeal(aead, key, nonce, aad, pt) {
  const c = createCipheriv(AEAD[aead].name, key, nonce, { authTagLength: 16 });
  c.setAAD(aad, { plaintextLength: pt.length });
  return cat(c.update(pt), c.final(), c.getAuthTag());
}
function aeadOpen(aead, key, nonce, aad, ct) {
  if (ct.length < 16) throw new OhttpError("decrypt", "ciphertext shorter than the tag");
  const c = createDecipheriv(AEAD[aead].name, key, nonce, { authTagLength: 16 });
  c.setAAD(aad, { plaintextLength: ct.length - 16 }); c.setAuthTag(ct.subarray(ct.length - 16));
  try { return cat(c.update(ct.subarray(0, ct.length - 16)), c.final()); } catch { throw new OhttpError("decrypt", "response authentication failed"); }
}
const header = (c) => cat([c.keyId], u16(c.kem), u16(c.kdf), u16(c.aead));
const infoFor = (label, hdr) => cat(te.encode(label), [0], hdr);
async function responseKeys(ctx, c, label, nonce) {
  const { Nk, Nn } = AEAD[c.aead], h = HASH[c.kdf];
  const secret = await ctx.export(te.encode(label), Math.max(Nn, Nk));
  const prk = extract(h, cat(ctx.enc, nonce), secret);
  return { secret, prk, key: expand(h, prk, te.encode("key"), Nk), nonce: expand(h, prk, te.encode("nonce"), Nn) };
}
const xorCtr = (n, i) => { const o = Uint8Array.from(n); let c = BigInt(i); for (let k = o.length - 1; c; k--) { o[k] ^= Number(c & 255n); c >>= 8n; } return o; };

// ---- client ----------------------------------------------------------------
export async function encapsulate(sel, bhttp, { chunked = false, chunk = 16384, backend = "dajiaji", ekm, chunks } = {}) {
  const hdr = header(sel), L = LABELS[chunked ? "chunked" : "plain"];
  const ctx = await backends[backend].setupS(sel.kem, sel.kdf, sel.aead, sel.pk, infoFor(L[0], hdr), { ekm });
  let body;
  if (!chunked) body = await ctx.seal(EMPTY, bhttp);
  else {
    const ps = chunks ?? []; if (!chunks) for (let i = 0; i < bhttp.length; i += chunk) ps.push(bhttp.subarray(i, i + chunk));
    const last = chunks ? ps.pop() : ps.length ? ps.pop() : EMPTY, parts = [];
    for (const q of ps) { const s = await ctx.seal(EMPTY, q); parts.push(vi(s.length), s); }
    parts.push(vi(0), await ctx.seal(FINAL, last));
    body = cat(...parts);
  }
  return { message: cat(hdr, ctx.enc, body), ctx, sel, chunked };
}
export async function openResponse(state, msg) {
  const { Nk, Nn } = AEAD[state.sel.aead], N = Math.max(Nk, Nn), L = LABELS[state.chunked ? "chunked" : "plain"];
  if (msg.length < N + 16) throw new OhttpError("decrypt", "short encapsulated response");
  const k = await responseKeys(state.ctx, state.sel, L[1], msg.subarray(0, N));
  state.responseSecrets = k;
  const body = msg.subarray(N);
  if (!state.chunked) return aeadOpen(state.sel.aead, k.key, k.nonce, EMPTY, body);
  const out = []; let p = 0, i = 0;
  for (;;) {
    const r = readVi(body, p); if (!r) throw new OhttpError("truncated", "chunk length missing");
    const [n, q] = r; p = q;
    if (n === 0) { out.push(aeadOpen(state.sel.aead, k.key, xorCtr(k.nonce, i), FINAL, body.subarray(p))); break; }
    if (p + n > body.length) throw new OhttpError("truncated", "chunk runs past the end");
    const pt = aeadOpen(state.sel.aead, k.key, xorCtr(k.nonce, i++), EMPTY, body.subarray(p, p + n));
    if (!pt.length) throw new OhttpError("decrypt", "empty non-final chunk");
    out.push(pt); p += n;
  }
  state.responseChunks = out.length;
  return cat(...out);
}
// ---- gateway ---------------------------------------------------------------
// keys: [{keyId,kem,sk,pk,sym}]
export async function decapsulate(keys, msg, { chunked = false, backend = "panva" } = {}) {
  if (msg.length < 7) throw new OhttpError("malformed", "short encapsulated request");
  const sel = { keyId: msg[0], kem: (msg[1] << 8) | msg[2], kdf: (msg[3] << 8) | msg[4], aead: (msg[5] << 8) | msg[6] };
  const key = keys.find((k) => k.keyId === sel.keyId);
  if (!key) throw new OhttpError("key", "key identifier unknown");
  if (key.kem !== sel.kem) throw new OhttpError("key", "KEM does not match the key");
  if (!key.sym.some(([k, a]) => k === sel.kdf && a === sel.aead)) throw new OhttpError("key", "KDF/AEAD combination not offered");
  const nenc = SIZES[sel.kem][0];
  if (msg.length < 7 + nenc + (chunked ? 1 : 0) + 16) throw new OhttpError("malformed", "short encapsulated request");
  const hdr = msg.slice(0, 7), enc = msg.slice(7, 7 + nenc), ct = msg.slice(7 + nenc), L = LABELS[chunked ? "chunked" : "plain"];
  let ctx, out;
  try {
    ctx = await backends[backend].setupR(sel.kem, sel.kdf, sel.aead, key.sk, enc, infoFor(L[0], hdr));
    if (!chunked) out = await ctx.open(EMPTY, ct);
    else {
      const parts = []; let p = 0;
      for (;;) {
        const r = readVi(ct, p); if (!r) throw new OhttpError("truncated", "chunk length missing");
        const [n, q] = r; p = q;
        if (n === 0) { parts.push(await ctx.open(FINAL, ct.slice(p))); break; }
        if (p + n > ct.length) throw new OhttpError("truncated", "chunk runs past the end");
        const pt = await ctx.open(EMPTY, ct.slice(p, p + n));
        if (!pt.length) throw new OhttpError("decrypt", "empty non-final chunk");
        parts.push(pt); p += n;
      }
      out = cat(...parts);
    }
  } catch (e) { if (e instanceof OhttpError) throw e; throw new OhttpError("decrypt", "decryption failed"); }
  return { request: out, ctx, sel, chunked };
}
export async function sealResponse(state, bhttp, { chunk = 16384, nonce, chunks } = {}) {
  const { Nk, Nn } = AEAD[state.sel.aead], L = LABELS[state.chunked ? "chunked" : "plain"];
  nonce = nonce ?? new Uint8Array(randomBytes(Math.max(Nk, Nn)));
  const k = await responseKeys(state.ctx, state.sel, L[1], nonce);
  state.responseSecrets = k;
  if (!state.chunked) return cat(nonce, aeadSeal(state.sel.aead, k.key, k.nonce, EMPTY, bhttp));
  const ps = chunks ? [...chunks] : []; if (!chunks) for (let i = 0; i < bhttp.length; i += chunk) ps.push(bhttp.subarray(i, i + chunk));
  const last = ps.length ? ps.pop() : EMPTY, parts = [nonce]; let i = 0;
  for (const q of ps) { const s = aeadSeal(state.sel.aead, k.key, xorCtr(k.nonce, i++), EMPTY, q); parts.push(vi(s.length), s); }
  parts.push(vi(0), aeadSeal(state.sel.aead, k.key, xorCtr(k.nonce, i), FINAL, last));
  return cat(...parts);
}
export const TYPES = { plain: ["message/ohttp-req", "message/ohttp-res"], chunked: ["message/ohttp-chunked-req", "message/ohttp-chunked-res"], keys: "application/ohttp-keys", problem: "application/problem+json" };
