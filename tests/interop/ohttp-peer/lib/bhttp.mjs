// SPDX-License-Identifier: Apache-2.0
// Independent Binary HTTP (RFC 9292) codec: all four framings, strict decoder.
// Written from the RFC text; shares no code with any implementation under test.
const te = new TextEncoder();
const latin1 = (s) => Uint8Array.from(s, (c) => { const v = c.charCodeAt(0); if (v > 255) throw new Error("non-octet in field value"); return v; });
const unlatin1 = (b) => Buffer.from(b).toString("latin1");
export const cat = (...a) => new Uint8Array(Buffer.concat(a.map((x) => Buffer.from(x))));

export function vi(n, width) { // QUIC varint; width forces a (possibly non-minimal) size
  n = BigInt(n);
  const w = width ?? (n < 64n ? 1 : n < 16384n ? 2 : n < (1n << 30n) ? 4 : 8);
  if (n >= 1n << BigInt(8 * w - 2)) throw new Error("varint too large");
  const out = new Uint8Array(w);
  let v = n | (BigInt({ 1: 0, 2: 1, 4: 2, 8: 3 }[w]) << BigInt(8 * w - 2));
  for (let i = w - 1; i >= 0; i--) { out[i] = Number(v & 255n); v >>= 8n; }
  return out;
}
export function readVi(buf, p) { // -> [value(Number), newpos] or null when truncated
  if (p >= buf.length) return null;
  const w = 1 << (buf[p] >> 6);
  if (p + w > buf.length) return null;
  let v = BigInt(buf[p] & 0x3f);
  for (let i = 1; i < w; i++) v = (v << 8n) | BigInt(buf[p + i]);
  if (v > BigInt(Number.MAX_SAFE_INTEGER)) throw new BhttpError("varint beyond 2^53");
  return [Number(v), p + w];
}
export class BhttpError extends Error {}

const lp = (b) => cat(vi(b.length), b);
const fieldLine = ([n, v]) => cat(lp(latin1(n.toLowerCase())), lp(latin1(v)));
const fieldsK = (h) => lp(cat(...h.map(fieldLine)));
const fieldsI = (h) => cat(...h.map(fieldLine), vi(0));

// msg: {kind:'request',method,scheme,authority,path,headers,content,trailers}
//   or {kind:'response',informational:[{status,headers}],status,headers,content,trailers}
// opt: {framing:'known'|'indeterminate', chunk, pad, truncate}
export function encode(msg, opt = {}) {
  const ind = opt.framing === "indeterminate";
  const fields = ind ? fieldsI : fieldsK;
  const req = msg.kind === "request";
  const parts = [vi((ind ? 2 : 0) + (req ? 0 : 1))];
  if (req) for (const k of ["method", "scheme", "authority", "path"]) parts.push(lp(latin1(msg[k] ?? "")));
  else {
    for (const i of msg.informational ?? []) parts.push(vi(i.status), fields(i.headers ?? []));
    parts.push(vi(msg.status));
  }
  parts.push(fields(msg.headers ?? []));
  const content = typeof msg.content === "string" ? te.encode(msg.content) : (msg.content ?? new Uint8Array());
  const trailers = msg.trailers ?? [];
  if (opt.truncate && trailers.length === 0 && content.length === 0) { /* omit both */
    if ((msg.headers ?? []).length === 0) parts.pop(); // an empty header section may be omitted too
  } else {
    if (ind) {
      const c = opt.chunk ?? 16384;
      for (let i = 0; i < content.length; i += c) parts.push(lp(content.subarray(i, i + c)));
      parts.push(vi(0));
    } else parts.push(lp(content));
    if (!(opt.truncate && trailers.length === 0)) parts.push(fields(trailers));
  }
  let out = cat(...parts);
  if (opt.pad) { const t = Math.ceil(out.length / opt.pad) * opt.pad; out = cat(out, new Uint8Array(t - out.length)); }
  return out;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
function checkField(name, value, seenRegular, trailers) {
  if (name.startsWith(":")) {
    if ([":method", ":scheme", ":authority", ":path", ":status"].includes(name)) throw new BhttpError("forbidden pseudo-field " + name);
    if (trailers) throw new BhttpError("pseudo-field in trailers");
    if (seenRegular) throw new BhttpError("pseudo-field after regular field");
  } else if (!TOKEN.test(name)) throw new BhttpError("invalid field name");
  if (name !== name.toLowerCase()) throw new BhttpError("uppercase field name (RFC 9113 8.2.1)");
  if (/[\0\r\n]/.test(value)) throw new BhttpError("NUL/CR/LF in field value");
  if (/^[ \t]|[ \t]$/.test(value)) throw new BhttpError("leading/trailing whitespace in field value");
}
export function decode(buf, { maxFields = 256, maxSection = 65536, maxContent = 1 << 26 } = {}) {
  buf = new Uint8Array(buf);
  let p = 0;
  const need = () => { const r = readVi(buf, p); if (!r) throw new BhttpError("truncated integer"); p = r[1]; return r[0]; };
  const bytes = (n) => { if (n > buf.length - p) throw new BhttpError("truncated data"); const b = buf.subarray(p, p + n); p += n; return b; };
  const str = (n) => unlatin1(bytes(n));
  const framing = need();
  if (framing > 3) throw new BhttpError("invalid framing indicator " + framing);
  const ind = framing >= 2, req = framing % 2 === 0;
  const parseLines = (trailers, end) => {
    const out = []; let seen = false;
    for (;;) {
      if (end !== undefined && p === end) break;
      const n = need();
      if (n === 0) { if (end === undefined) break; throw new BhttpError("zero-length field name"); }
      const name = str(n), value = str(need());
      if (end !== undefined && p > end) throw new BhttpError("field section overrun");
      checkField(name, value, seen, trailers);
      if (!name.startsWith(":")) seen = true;
      out.push([name, value]);
      if (out.length > maxFields) throw new BhttpError("too many fields");
    }
    return out;
  };
  const fields = (trailers) => {
    if (p === buf.length) return []; // legal truncation point
    if (ind) return parseLines(trailers);
    const n = need();
    if (n > maxSection) throw new BhttpError("field section too large");
    if (n > buf.length - p) throw new BhttpError("truncated field section");
    return parseLines(trailers, p + n);
  };
  const msg = { kind: req ? "request" : "response", framing };
  if (req) for (const k of ["method", "scheme", "authority", "path"]) msg[k] = str(need());
  else {
    msg.informational = [];
    for (;;) {
      const s = need();
      if (s < 100 || s > 599) throw new BhttpError("status code out of range");
      if (s >= 200) { msg.status = s; break; }
      if (p === buf.length) throw new BhttpError("truncated after informational status");
      msg.informational.push({ status: s, headers: fields(false) });
    }
  }
  msg.headers = fields(false);
  let content = [];
  if (p < buf.length) {
    if (ind) {
      let total = 0;
      for (;;) {
        const n = need();
        if (n === 0) break;
        total += n; if (total > maxContent) throw new BhttpError("content too large");
        content.push(bytes(n));
      }
    } else { const n = need(); if (n > maxContent) throw new BhttpError("content too large"); content.push(bytes(n)); }
  }
  msg.content = cat(...content);
  msg.trailers = p < buf.length ? fields(true) : [];
  msg.padding = buf.length - p;
  for (; p < buf.length; p++) if (buf[p] !== 0) throw new BhttpError("non-zero padding");
  return msg;
}
