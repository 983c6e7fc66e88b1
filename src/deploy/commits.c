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

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void
commits_index(struct commits_index *index, const struct commits *commits)
{
	commits_index_release(index);
	index->oids = xcalloc(commits->n + 1, sizeof(*index->oids));
	for (size_t i = 0; i < commits->n; i++)
		memcpy(index->oids[i], commits->v[i].oid,
		    sizeof(index->oids[i]));
	index->n = commits->n;
	qsort(index->oids, index->n, sizeof(*index->oids), compare);
}

bool
commits_index_has(const struct commits_index *index, const char *oid)
{
	return index->n > 0 && bsearch(oid, index->oids, index->n,
	    sizeof(*index->oids), compare) != NULL;
}

void
commits_index_release(struct commits_index *index)
{
	free(index->oids);
	memset(index, 0, sizeof(*index));
}
