/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a target over the files of its corpus folder, one TAP line each. A crash is a crash. */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "../unit/tap.h"

enum { MOST = 1 << 20 };

static void replay(const char *path, const char *name)
{
	static uint8_t room[MOST];
	FILE *f = fopen(path, "rbe");
	if (!ok(f != NULL, "opens %s", name))
		return;
	size_t len = fread(room, 1, sizeof room, f);
	(void)fclose(f);
	printf("# %s\n", name);
	(void)fflush(stdout); /* names the input, should it end here */
	uint8_t *exact = malloc(len > 0 ? len : 1); /* so that reading past it is seen */
	if (exact) {
		memcpy(exact, room, len);
		ok(LLVMFuzzerTestOneInput(exact, len) == 0, "%s", name);
	}
	free(exact);
}

/* The folder is named after the program: build/.../tests/fuzz/NAME. */
int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	char folder[PATH_MAX], path[PATH_MAX + 256];
	(void)snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", argc > 1 ? argv[1] : slash ? slash + 1 : argv[0]);
	struct dirent **files = NULL;
	int n = scandir(folder, &files, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
		if (files[i]->d_name[0] != '.')
			replay(path, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	ok(n > 2, "%s holds inputs", folder);
	return tap_done();
}
