/*
 * A notes tree is fanned out by the first two digits, as git's own is: a
 * note that is added rewrites one small folder, not the list of all.
 */
#include "repo.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <git2.h>

#include "alloc.h"

/*
 * Other runners write the same ref: how often to start over, after pauses
 * that grow from one millisecond to PAUSE_MAX_MS and differ by process.
 */
#define ATTEMPTS 200
#define PAUSE_MAX_MS 32

/* "ab/cdef...", the path of a commit's note. */
#define PATH_SIZE (REPO_OID_SIZE + 1)

struct notes {
	git_repository *git;
	const char *ref;
	const char *line;
	git_commit *parent;	/* NULL: the first commit of the ref */
	git_tree *tree;
	git_tree_update *updates;
	char (*paths)[PATH_SIZE];
	size_t n;
};

static void
notes_release(struct notes *notes)
{
	git_commit_free(notes->parent);
	git_tree_free(notes->tree);
	free(notes->updates);
	free(notes->paths);
}

static int
empty_tree(struct notes *notes)
{
	git_treebuilder *builder = NULL;
	git_oid id;
	int code;

	code = git_treebuilder_new(&builder, notes->git, NULL);
	if (code == 0)
		code = git_treebuilder_write(&id, builder);
	if (code == 0)
		code = git_tree_lookup(&notes->tree, notes->git, &id);
	git_treebuilder_free(builder);
	return code;
}

/* The notes as they are now. */
static int
load(struct notes *notes)
{
	git_oid id;
	int code;

	code = git_reference_name_to_id(&id, notes->git, notes->ref);
	if (code == GIT_ENOTFOUND)
		return empty_tree(notes);
	if (code == 0)
		code = git_commit_lookup(&notes->parent, notes->git, &id);
	return code == 0 ? git_commit_tree(&notes->tree, notes->parent) :
	    code;
}

/* What a note says so far. */
static int
read_note(const struct notes *notes, const char *path, struct str *text)
{
	git_tree_entry *entry = NULL;
	git_blob *blob = NULL;
	int code;

	code = git_tree_entry_bypath(&entry, notes->tree, path);
	if (code == GIT_ENOTFOUND)
		return 0;
	if (code == 0)
		code = git_blob_lookup(&blob, notes->git,
		    git_tree_entry_id(entry));
	if (code == 0)
		str_add_bytes(text, git_blob_rawcontent(blob),
		    (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	git_tree_entry_free(entry);
	return code;
}

/* git keeps a short list in one folder: what it wrote stays where it is. */
static void
choose_path(const struct notes *notes, const char *oid, char *path)
{
	memcpy(path, oid, REPO_OID_SIZE);
	if (git_tree_entry_byname(notes->tree, path) != NULL)
		return;
	memmove(path + 3, path + 2, REPO_OID_SIZE - 2);
	path[2] = '/';
}

static int
add_note(struct notes *notes, const char *oid)
{
	git_tree_update *update = &notes->updates[notes->n];
	char *path = notes->paths[notes->n];
	struct str text = STR_INIT;
	int code;

	choose_path(notes, oid, path);
	code = read_note(notes, path, &text);
	if (code != 0 || strstr(text.s, notes->line) != NULL)
		goto done;
	str_addf(&text, "%s\n", notes->line);
	update->action = GIT_TREE_UPDATE_UPSERT;
	update->filemode = GIT_FILEMODE_BLOB;
	update->path = path;
	code = git_blob_create_from_buffer(&update->id, notes->git, text.s,
	    text.len);
	notes->n++;
done:
	str_release(&text);
	return code;
}

/* The new tree as a commit, and the ref on it if nobody was faster. */
static int
save(struct notes *notes)
{
	const git_commit *parents[1] = { notes->parent };
	const char *name, *email;
	git_signature *who = NULL;
	git_reference *made = NULL;
	git_tree *tree = NULL;
	git_oid id;
	int code;

	code = git_tree_create_updated(&id, notes->git, notes->tree,
	    notes->n, notes->updates);
	if (code == 0)
		code = git_tree_lookup(&tree, notes->git, &id);
	if (code == 0)
		code = git_repository_ident(&name, &email, notes->git);
	if (code == 0)
		code = git_signature_now(&who, name, email);
	if (code == 0)
		code = git_commit_create(&id, notes->git, NULL, who, who,
		    NULL, notes->line, tree, notes->parent != NULL, parents);
	if (code == 0)
		code = git_reference_create_matching(&made, notes->git,
		    notes->ref, &id, notes->parent != NULL,
		    notes->parent == NULL ? NULL :
		    git_commit_id(notes->parent), notes->line);
	git_reference_free(made);
	git_signature_free(who);
	git_tree_free(tree);
	return code;
}

static int
attempt(struct repo *repo, const char *ref, const struct vec *oids,
    const char *line)
{
	struct notes notes = {
		.git = repo_handle(repo),
		.ref = ref,
		.line = line,
	};
	int code;

	notes.updates = xcalloc(oids->n + 1, sizeof(*notes.updates));
	notes.paths = xcalloc(oids->n + 1, sizeof(*notes.paths));
	code = load(&notes);
	for (size_t i = 0; code == 0 && i < oids->n; i++)
		code = add_note(&notes, oids->v[i]);
	if (code == 0 && notes.n > 0)
		code = save(&notes);
	notes_release(&notes);
	return code;
}

/* Nobody who waits as long as another meets it again at the end. */
static void
pause_for(int attempt)
{
	int most_ms = attempt < 5 ? 1 << attempt : PAUSE_MAX_MS;
	struct timespec pause = { 0, 0 };

	pause.tv_nsec = 1000000L + (long)((unsigned int)getpid() * 7919u +
	    (unsigned int)attempt * 104729u) % (most_ms * 1000000L);
	nanosleep(&pause, NULL);
}

const struct err *
repo_note_add(struct repo *repo, const char *ref, const struct vec *oids,
    const char *line)
{
	int code = 0;

	for (size_t i = 0; i < oids->n; i++) {
		if (!repo_is_oid(oids->v[i]))
			return err_new(ERR_GIT, "%s is no commit to note",
			    oids->v[i]);
	}
	for (int i = 0; i < ATTEMPTS; i++) {
		code = attempt(repo, ref, oids, line);
		if (code != GIT_EMODIFIED && code != GIT_EEXISTS &&
		    code != GIT_ELOCKED)
			break;
		if (code == GIT_ELOCKED && i + 1 == ATTEMPTS / 2)
			repo_free_lock(repo, ref);
		pause_for(i);
	}
	return code == 0 ? NULL : repo_error(code, "write notes to %s", ref);
}

static char *
line_of(const git_commit *commit, const char *prefix)
{
	const char *line = git_commit_message(commit);

	return line != NULL && str_starts_with(line, prefix) ?
	    xstrdup(line) : NULL;
}

char *
repo_note_last(struct repo *repo, const char *ref, const char *prefix,
    int most)
{
	git_commit *commit = NULL;
	char *line = NULL;
	git_oid id;
	int code;

	code = git_reference_name_to_id(&id, repo_handle(repo), ref);
	if (code == 0)
		code = git_commit_lookup(&commit, repo_handle(repo), &id);
	while (code == 0 && line == NULL && most-- > 0) {
		git_commit *parent = NULL;

		line = line_of(commit, prefix);
		if (line == NULL)
			code = git_commit_parent(&parent, commit, 0);
		git_commit_free(commit);
		commit = parent;
	}
	git_commit_free(commit);
	return line;
}
