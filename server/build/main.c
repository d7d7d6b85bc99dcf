/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "build/commands.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"build", cmd_build,
		"veil-index build --input FILE --output DIR [OPTIONS]\n"
		"Builds an encrypted-search index from vectors: a new version in DIR, the old one stays "
		"whole until then.\n"
		"A build that was cut off goes on when it is started again.\n"
		"  --input FILE        .fvecs, .npy or .jsonl; a row is a vector (and in .jsonl an id and a "
		"name)\n"
		"  --names FILE        names for .fvecs and .npy: lines of row, tab, name\n"
		"  --output DIR        directory of the index; created where it is missing\n"
		"  --shards K          number of shards (default: so that one has about 4096 rows)\n"
		"  --terms G           polynomials of a query (default: least traffic)\n"
		"  --kind KIND         how it is searched: nn (default), bfv: exact, by homomorphic "
		"rotations, or\n"
		"                      sealed: as nn, and of all shards at once, so that not even the shard "
		"shows\n"
		"  --plan              of kind sealed: say which shape would be chosen and why, and build "
		"nothing\n"
		"  --params NAME       parameter set (default search_n2048_q28, exact: "
		"search_n2048_q38_exact; bfv: n_8192_logq_3x36_logt_22)\n"
		"  --replication X     rows stored in all, at most X times the input (default 2.0)\n"
		"  --closure X         a row goes to every shard whose centroid is at most X times as far as "
		"the nearest "
		"(1.1)\n"
		"  --max-copies N      of one row, 1..8 (default 8)\n"
		"  --label-bytes N     0, or 4..24 for record number and name (default 16)\n"
		"  --name TEXT         what the index is called (default: the input file's name)\n"
		"  --seed N            of clustering and row order (default 1): same input, options, seed: "
		"same index\n"
		"  --keep N            earlier versions to keep (default 1)\n"
		"  --threads N         default: one a processor\n"
		"  --memory SIZE       stay within so many bytes (as 512M or 2G) or refuse; default: no "
		"bound\n"
		"  --json              the report as one JSON object\n"},
	{"build-kv", cmd_build_kv,
		"veil-index build-kv --input FILE --output DIR [OPTIONS]\n"
		"Builds a collection for private retrieval: a new version in DIR, the old one stays whole "
		"until "
		"then.\n"
		"A build that was cut off goes on when it is started again.\n"
		"  --input FILE        .tsv (key, tab, value), .jsonl (key, value) or .mdb (LMDB)\n"
		"  --output DIR        directory of the collection; created where it is missing\n"
		"  --classes LIST      sizes of values, as 256,4096,1048576/64: bytes, and chunks that a "
		"value is "
		"cut into\n"
		"                      (default: one, of the longest value, in chunks of 32768 bytes)\n"
		"  --keys N            keys of every request, 1..64 (default 1)\n"
		"  --number            values alone: they are asked by their row\n"
		"  --no-delta          takes no changes (update-kv), and a request is shorter\n"
		"  --name TEXT         what the collection is called (default: the input file's name)\n"
		"  --keep N            earlier versions to keep (default 1)\n"
		"  --threads N         default: one a processor\n"
		"  --memory SIZE       stay within so many bytes (as 512M or 2G) or refuse; default: no "
		"bound\n"
		"  --json              the report as one JSON object\n"},
	{"update-kv", cmd_update_kv,
		"veil-index update-kv --input FILE --output DIR [OPTIONS]\n"
		"Changes single values of a collection within seconds: a new version that shares what did "
		"not "
		"change.\n"
		"  --input FILE        as for build-kv; .jsonl may hold {\"key\": K, \"gone\": true}. Asked "
		"by "
		"number, K is the number\n"
		"  --output DIR        directory of the collection\n"
		"  --keep N            earlier versions to keep (default 1)\n"
		"  --threads N         default: one a processor\n"
		"  --json              the report as one JSON object\n"},
	{"info", cmd_info,
		"veil-index info DIR [--json]\n"
		"Says what an index or a collection holds and what a query costs.\n"},
	{"verify", cmd_verify,
		"veil-index verify DIR\n"
		"Checks every byte and every rule of an index; names the file that is broken. Exit status 0: "
		"whole, 1: not.\n"},
	{"sign", cmd_sign,
		"veil-index sign DIR --key FILE --gateway-keys FILE --authority HOST --output FILE "
		"[OPTIONS]\n"
		"Signs what clients are to be shown: the version in force, keys of the gateway, and for how "
		"long.\n"
		"  --key FILE           of new-signing-key; again for each key of an overlap, up to 4\n"
		"  --gateway-keys FILE  what veild answers at /.well-known/ohttp-gateway\n"
		"  --authority HOST     host[:port] that every request inside names\n"
		"  --collection DIR     also what veild --collection serves\n"
		"  --output FILE        for veild --signed-config\n"
		"  --days N             how long it is valid (default 30)\n"
		"  --sequence N         its number, larger than all before (default: the time, or one more)\n"
		"  --from SECONDS       begin, in seconds since 1970 (default: an hour ago)\n"},
	{"new-signing-key", cmd_new_signing_key,
		"veil-index new-signing-key FILE\n"
		"Makes a key to sign with: FILE, for its owner only, and FILE.pub, the trust file of "
		"clients.\n"},
};

static int usage(FILE *to)
{
	fputs("veil-index COMMAND [OPTIONS]\n"
	      "  build    vectors to an index\n"
	      "  build-kv   keys and values to a collection\n"
	      "  update-kv  change values of a collection\n"
	      "  info     what an index holds\n"
	      "  verify   check an index\n"
	      "  sign     vouch for an index and keys of a gateway\n"
	      "  new-signing-key   make a key to sign with\n"
	      "veil-index COMMAND --help says more; veil-index --version.\n",
		to);
	return to == stdout ? 0 : EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout);
	if (strcmp(argv[1], "--version") == 0)
		return printf("veil-index %s\n", VEIL_VERSION) < 0;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		for (int j = 2; j < argc; j++)
			if (strcmp(argv[j], "--help") == 0 || strcmp(argv[j], "-h") == 0)
				return fputs(commands[i].help, stdout) < 0;
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "veil-index: no command \"%s\"; see veil-index --help\n", argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "veil-index: the output could not all be written: %s\n", strerror(errno));
	return code ? code : 1;
}
