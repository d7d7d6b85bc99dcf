// SPDX-License-Identifier: Apache-2.0
// Node 18 has no global Web Crypto: provide it before any HPKE package is loaded.
import { webcrypto } from "node:crypto";
if (!globalThis.crypto) globalThis.crypto = webcrypto;
