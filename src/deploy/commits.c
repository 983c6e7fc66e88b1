#include "deploy/commits.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static const struct err *
add(const struct repo_commit *commit, void *ctx)
{
	struct commits *commits = ctx;
	struct commits_line *added;

	commits->v = xreallocarray(commits->v, commits->n + 1,
	    sizeof(*added));
	added = &commits->v[commits->n++];
	memcpy(added->oid, commit->oid, sizeof(added->oid));
	added->author = xstrdup(commit->author);
	added->subject = xstrdup(commit->subject);
	return NULL;
}

const struct err *
commits_find(struct commits *commits, struct repo *repo, const char *tip,
    const char *hidden)
{
	return repo_walk(repo, tip, &hidden, *hidden == '\0' ? 0 : 1, add,
	    commits);
}

void
commits_release(struct commits *commits)
{
	for (size_t i = 0; i < commits->n; i++) {
		free(commits->v[i].author);
		free(commits->v[i].subject);
	}
	free(commits->v);
	memset(commits, 0, sizeof(*commits));
}
