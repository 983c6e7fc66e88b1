/*
 * Blobs that are texts of ours rather than files of a release.
 */
#include "repo.h"

#include <inttypes.h>

#include <git2.h>

const struct err *
repo_blob(struct repo *repo, const char *oid, size_t max_bytes,
    struct str *text)
{
	git_blob *blob = NULL;
	const struct err *err = NULL;
	git_oid id;
	int code;

	code = git_oid_fromstr(&id, oid);
	if (code == 0)
		code = git_blob_lookup(&blob, repo_handle(repo), &id);
	if (code != 0)
		return repo_error(code, "read blob %s", oid);
	if ((uint64_t)git_blob_rawsize(blob) > max_bytes)
		err = err_new(ERR_REFUSED, "blob %s has %" PRIu64 " bytes,"
		    " more than %zu", oid, (uint64_t)git_blob_rawsize(blob),
		    max_bytes);
	else
		str_add_bytes(text, git_blob_rawcontent(blob),
		    (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	return err;
}
