/*
 * vet-tool REPO COMMIT [KNOWN] - say what is wrong with a commit, beside the
 * tree of a known one if there is any. Its exit status is 3 then.
 */
#include <stdio.h>
#include <string.h>

#include "release/vet.h"
#include "repo.h"

static const struct err *
take_known(struct vet *vet, const char *rev)
{
	struct repo_commit known = { 0 };
	char oid[REPO_OID_SIZE];
	const struct err *err;

	err = repo_resolve(vet->repo, rev, oid);
	if (err == NULL)
		err = repo_commit_read(vet->repo, oid, &known);
	if (err == NULL)
		memcpy(vet->known.tree, known.tree, REPO_OID_SIZE);
	repo_commit_release(&known);
	return err;
}

static const struct err *
run(struct vet *vet, char **words)
{
	char oid[REPO_OID_SIZE];
	const struct err *err;

	err = repo_open(&vet->repo, words[0], false);
	if (err == NULL)
		err = repo_resolve(vet->repo, words[1], oid);
	if (err == NULL && words[2] != NULL)
		err = take_known(vet, words[2]);
	if (err == NULL)
		err = vet_commit(vet, oid);
	for (size_t i = 0; err == NULL && i < vet->reasons.n; i++)
		puts(vet->reasons.v[i]);
	if (err == NULL && vet->reasons.n > 0)
		err = err_new(ERR_REFUSED, "it is not fit to be a release");
	return err;
}

int
main(int argc, char **argv)
{
	struct vec none = VEC_INIT;
	struct vet_rules rules = { .shared = &none, .carry = &none,
	    .path_max = 3000 };
	struct vet vet = { .rules = &rules };
	const struct err *err;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: vet-tool REPO COMMIT [KNOWN]\n");
		return 2;
	}
	err = run(&vet, argv + 1);
	if (err != NULL && err->code != ERR_REFUSED)
		err_print("vet-tool", err);
	vet_release(&vet);
	repo_close(vet.repo);
	return err_exit_status(err);
}
