/*
 * checkout-tool [-x] REPO COMMIT FOLDER - write a commit into a new folder,
 * with -x as an export, and say how many files were written.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crew.h"
#include "file.h"
#include "release/checkout.h"
#include "repo.h"

static const struct err *
run(const char *path, const char *rev, const char *folder, bool export)
{
	struct store_made made = { .files = 0 };
	char commit[REPO_OID_SIZE];
	struct checkout checkout = { .commit = commit, .export = export,
	    .from_fd = -1, .threads = crew_size(0) };
	struct repo *repo = NULL;
	unsigned int flags;
	const struct err *err;
	int fd = -1;

	err = repo_open(&repo, path, false);
	if (err == NULL)
		err = repo_resolve(repo, rev, commit);
	if (err == NULL && mkdir(folder, 0755) == -1)
		err = err_system("create %s", folder);
	if (err == NULL) {
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			err = err_system("open %s", folder);
	}
	checkout.repo = repo;
	checkout.dirfd = fd;
	if (err == NULL)
		err = checkout_write(&checkout, NULL, &made, &flags);
	if (err == NULL)
		printf("%" PRId64 "\n", made.written);
	file_close(&fd);
	repo_close(repo);
	return err;
}

int
main(int argc, char **argv)
{
	bool export = argc > 1 && strcmp(argv[1], "-x") == 0;
	const struct err *err;

	if (argc != 4 + export) {
		fprintf(stderr, "usage: checkout-tool [-x] REPO COMMIT"
		    " FOLDER\n");
		return 2;
	}
	argv += export;
	err = run(argv[1], argv[2], argv[3], export);
	if (err != NULL)
		err_print("checkout-tool", err);
	return err_exit_status(err);
}
