// SPDX-License-Identifier: Apache-2.0
// Two independent HPKE back ends behind one small interface:
//   dajiaji : @hpke/core + @hpke/dhkem-x25519 + @hpke/chacha20poly1305 + @hpke/hybridkem-x-wing + @hpke/ml-kem
//   panva   : hpke + @panva/hpke-noble
import "./webcrypto.mjs";
import * as C from "@hpke/core";
import { DhkemX25519HkdfSha256 } from "@hpke/dhkem-x25519";
import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import { XWing } from "@hpke/hybridkem-x-wing";
import { MlKem768 } from "@hpke/ml-kem";
import * as P from "hpke";
import * as PN from "@panva/hpke-noble";

export const KEM = { P256: 0x0010, X25519: 0x0020, MLKEM768: 0x0041, XWING: 0x647a };
export const SIZES = { // Nenc, Npk, Nsk
  0x0010: [65, 65, 32], 0x0020: [32, 32, 32], 0x0041: [1088, 1184, 64], 0x647a: [1120, 1216, 32],
};
export const AEAD = { 1: { Nk: 16, Nn: 12, name: "aes-128-gcm" }, 2: { Nk: 32, Nn: 12, name: "aes-256-gcm" }, 3: { Nk: 32, Nn: 12, name: "chacha20-poly1305" } };
export const HASH = { 1: "sha256", 2: "sha384", 3: "sha512" };
const u8 = (x) => new Uint8Array(x);
const ab = (x) => { const c = new Uint8Array(x.length); c.set(x); return c.buffer; };

function unknown(what, id) { const e = new Error(`unsupported ${what} 0x${id.toString(16)}`); e.code = "unsupported"; return e; }
const dj = {
  name: "dajiaji",
  suite(kem, kdf, aead) {
    const k = { 0x10: () => new C.DhkemP256HkdfSha256(), 0x20: () => new DhkemX25519HkdfSha256(), 0x41: () => new MlKem768(), 0x647a: () => new XWing() }[kem];
    const f = { 1: () => new C.HkdfSha256(), 2: () => new C.HkdfSha384(), 3: () => new C.HkdfSha512() }[kdf];
    const a = { 1: () => new C.Aes128Gcm(), 2: () => new C.Aes256Gcm(), 3: () => new Chacha20Poly1305() }[aead];
    if (!k) throw unknown("KEM", kem); if (!f) throw unknown("KDF", kdf); if (!a) throw unknown("AEAD", aead);
    return new C.CipherSuite({ kem: k(), kdf: f(), aead: a() });
  },
  async generate(kem) {
    const s = dj.suite(kem, 1, 1), kp = await s.kem.generateKeyPair();
    return { pk: u8(await s.kem.serializePublicKey(kp.publicKey)), sk: u8(await s.kem.serializePrivateKey(kp.privateKey)) };
  },
  async setupS(kem, kdf, aead, pk, info, { ekm } = {}) {
    const s = dj.suite(kem, kdf, aead);
    const recipientPublicKey = await s.kem.deserializePublicKey(ab(pk));
    const c = await s.createSenderContext({ recipientPublicKey, info: ab(info), ...(ekm ? { ekm } : {}) });
    return { enc: u8(c.enc), seal: async (aad, pt) => u8(await c.seal(ab(pt), ab(aad))), export: async (x, l) => u8(await c.export(ab(x), l)) };
  },
  async setupR(kem, kdf, aead, sk, enc, info) {
    const s = dj.suite(kem, kdf, aead);
    const recipientKey = await s.kem.deserializePrivateKey(ab(sk));
    const c = await s.createRecipientContext({ recipientKey, enc: ab(enc), info: ab(info) });
    return { enc, open: async (aad, ct) => u8(await c.open(ab(ct), ab(aad))), export: async (x, l) => u8(await c.export(ab(x), l)) };
  },
};
const pv = {
  name: "panva",
  suite(kem, kdf, aead) {
    const k = { 0x10: P.KEM_DHKEM_P256_HKDF_SHA256, 0x20: P.KEM_DHKEM_X25519_HKDF_SHA256, 0x41: PN.KEM_ML_KEM_768, 0x647a: PN.KEM_MLKEM768_X25519 }[kem];
    const f = { 1: P.KDF_HKDF_SHA256, 2: P.KDF_HKDF_SHA384, 3: P.KDF_HKDF_SHA512 }[kdf];
    const a = { 1: P.AEAD_AES_128_GCM, 2: P.AEAD_AES_256_GCM, 3: PN.AEAD_ChaCha20Poly1305 }[aead];
    if (!k) throw unknown("KEM", kem); if (!f) throw unknown("KDF", kdf); if (!a) throw unknown("AEAD", aead);
    return new P.CipherSuite(k, f, a);
  },
  async generate(kem) {
    const s = pv.suite(kem, 1, 1), kp = await s.GenerateKeyPair(true);
    return { pk: await s.SerializePublicKey(kp.publicKey), sk: await s.SerializePrivateKey(kp.privateKey) };
  },
  async setupS(kem, kdf, aead, pk, info) {
    const s = pv.suite(kem, kdf, aead);
    const { encapsulatedSecret, ctx } = await s.SetupSender(await s.DeserializePublicKey(pk), { info });
    return { enc: u8(encapsulatedSecret), seal: async (aad, pt) => u8(await ctx.Seal(pt, aad)), export: async (x, l) => u8(await ctx.Export(x, l)) };
  },
  async setupR(kem, kdf, aead, sk, enc, info) {
    const s = pv.suite(kem, kdf, aead);
    const ctx = await s.SetupRecipient(await s.DeserializePrivateKey(sk, true), enc, { info });
    return { enc, open: async (aad, ct) => u8(await ctx.Open(ct, aad)), export: async (x, l) => u8(await ctx.Export(x, l)) };
  },
};
export const backends = { dajiaji: dj, panva: pv };
