/*
 * replay - give a fuzz target the files that are named, and those in the
 * folders that are named. What a target asserts ends the program; the file
 * is told before it is tried.
 *
 * It stands in for libFuzzer where a compiler has none.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "file.h"
#include "fuzz.h"
#include "path.h"

#define INPUT_MAX (16 * 1024 * 1024)

static size_t count;

static void
fail(const struct err *err)
{
	err_print("replay", err);
	exit(1);
}

static void
replay_file(const char *path)
{
	struct str bytes = STR_INIT;
	const struct err *err = file_read(&bytes, path, INPUT_MAX);
	char *exact;

	if (err != NULL)
		fail(err);
	printf("# %s\n", path);
	fflush(stdout);
	exact = fuzz_copy((const uint8_t *)bytes.s, bytes.len);
	LLVMFuzzerTestOneInput((const uint8_t *)exact, bytes.len);
	count++;
	free(exact);
	str_release(&bytes);
}

static void
replay_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);

	if (n == -1)
		fail(err_system("open %s", path));
	for (int i = 0; i < n; i++) {
		char *file = path_join(path, names[i]->d_name);

		if (names[i]->d_name[0] != '.')
			replay_file(file);
		free(file);
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			replay_folder(argv[i]);
		else
			replay_file(argv[i]);
	}
	printf("%zu inputs\n", count);
	return count > 0 ? 0 : 1;
}
