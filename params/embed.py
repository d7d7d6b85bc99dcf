#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns params/*.params and params/security.tsv into the C tables of lib/rlwe/table.h.

usage: embed.py OUTPUT SECURITY_TSV FILE.params...
"""
import sys
from pathlib import Path

ERRORS = {"cbd21": "RLWE_CBD21"}
USES = {"search_approximate": "RLWE_USE_SEARCH_APPROXIMATE", "search_exact": "RLWE_USE_SEARCH_EXACT",
        "bfv": "RLWE_USE_BFV", "retrieval": "RLWE_USE_RETRIEVAL", "sealed": "RLWE_USE_SEALED"}
LEVELS = {"quantum128": "false", "insecure": "true"}
KEYS = ["n", "q", "error", "level", "use", "purpose", "source"]
SEARCH = ["upload_bits", "reply_c1_bits", "reply_c0_bits"]
SILENT = SEARCH + [f"{key}.{field}" for key in "gh" for field in ("digits", "bits", "drop", "key_bits")]
NUMBERS = {"search_approximate": SEARCH, "search_exact": SEARCH, "bfv": ["t"], "retrieval": SILENT, "sealed": SILENT}  # what else a use asks for


def lines(path):
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def read(path):
    values = {}
    for number, line in lines(path):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or key in values or not value:
            sys.exit(f"{path}:{number}: not 'key = value' with a new key")
        values[key] = value
    keys = {*KEYS, *NUMBERS.get(values.get("use"), [])}
    if keys != values.keys():
        sys.exit(f"{path}: the keys are not {', '.join(sorted(keys))}")
    if path.stem.startswith("insecure_") != (values["level"] == "insecure"):
        sys.exit(f"{path}: sets of level insecure, and no others, are named insecure_...")
    return values


def log2(path, n):
    if n & (n - 1) or n < 2:
        sys.exit(f"{path}: {n} is not a power of two")
    return n.bit_length() - 1


def choice(path, table, word):
    if word not in table:
        sys.exit(f"{path}: '{word}' is not one of {', '.join(table)}")
    return table[word]


def main(output, security, *files):
    out = ["/* Made by params/embed.py. */", '#include "rlwe/table.h"', ""]
    sets = []
    for path in map(Path, files):
        values = read(path)
        moduli = [int(word) for word in values["q"].split()]
        out.append(f"static const uint64_t q_{path.stem}[] = {{ {', '.join(f'{q}u' for q in moduli)} }};")
        sets += [
            f'\t{{ .name = "{path.stem}", .log_n = {log2(path, int(values["n"]))}, .q_count = {len(moduli)}, '
            f".q = q_{path.stem},",
            f"\t  .error = {choice(path, ERRORS, values['error'])}, .use = {choice(path, USES, values['use'])},",
            *(f"\t  .{key} = {int(values[key])}u," for key in NUMBERS[values["use"]]),
            f"\t  .special = {'true' if values['use'] == 'bfv' and len(moduli) > 1 else 'false'},",
            f"\t  .insecure = {choice(path, LEVELS, values['level'])} }},",
        ]
    out += ["", "const struct rlwe_params rlwe_table_sets[] = {", *sets, "};"]
    out.append(f"const size_t rlwe_table_set_count = {len(files)};")
    out += ["", "const struct rlwe_security rlwe_table_security[] = {"]
    rows = [line.split("\t") for _, line in lines(Path(security))]
    out += [f"\t{{ .log_n = {log2(security, int(n))}, .bits = {int(bits)} }}," for n, bits, _ in rows]
    out += ["};", f"const size_t rlwe_table_security_count = {len(rows)};", ""]
    Path(output).write_text("\n".join(out), encoding="ascii")


main(*sys.argv[1:])
