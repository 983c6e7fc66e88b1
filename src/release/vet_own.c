/*
 * What stands in a commit where something of ours is to be. Shared files
 * are linked in, carried ones copied, hooks run: none of that goes through a
 * symlink, and a commit that would want it is told so before it lands.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "release/vet_part.h"

/* One path of ours, and what is said when it cannot be had. */
struct own {
	struct vetting *vetting;
	const char *commit;
	const char *key;	/* of slipway.ini, with the path as there */
	const char *text;
	bool shared;
};

static void
complain(const struct own *own, const char *path, const char *what)
{
	vetting_complain_of(own->vetting, path, " is a %s, and slipway.ini"
	    " has %s = %s, which would lead through it; take it out of the"
	    " repository, or that out of the config", what, own->key,
	    own->text);
}

static void
check_on_way(const struct own *own, const char *path, enum repo_kind kind)
{
	if (kind == REPO_SYMLINK)
		complain(own, path, "symlink");
	else if (kind == REPO_FILE && own->shared)
		complain(own, path, "file");
}

/* What is shared takes this place; what is carried leaves it alone. */
static void
check_end(const struct own *own, const char *path, enum repo_kind kind)
{
	bool is_folder = str_ends_with(own->text, "/");

	if (!own->shared)
		return;
	if (kind == REPO_SYMLINK)
		vetting_complain_of(own->vetting, path, " is a symlink, and"
		    " slipway.ini has shared = %s, for which Slipway makes"
		    " the link itself; take it out of the repository",
		    own->text);
	else if (kind == REPO_FILE && is_folder)
		vetting_complain_of(own->vetting, path, " is a file, and"
		    " slipway.ini has the folder %s in shared; take it out"
		    " of the repository, or make that entry %s", own->text,
		    path);
	else if (kind == REPO_FOLDER && !is_folder)
		vetting_complain_of(own->vetting, path, " is a folder, and"
		    " slipway.ini has the file %s in shared; take it out of"
		    " the repository, or make that entry %s/", own->text,
		    path);
}

static const struct err *
check_path(const struct own *own)
{
	enum repo_kind kind = REPO_FOLDER;
	char *path = xstrdup(own->text);
	const struct err *err = NULL;
	size_t len = 0;

	while (err == NULL && kind == REPO_FOLDER && path[len] != '\0') {
		char slash;
		bool end;

		len += strcspn(path + len, "/");
		slash = path[len];
		end = slash == '\0' || path[len + 1] == '\0';
		path[len] = '\0';
		err = repo_path_kind(own->vetting->vet->repo, own->commit,
		    path, &kind);
		if (err == NULL && end)
			check_end(own, path, kind);
		else if (err == NULL)
			check_on_way(own, path, kind);
		if (end)
			break;
		path[len++] = slash;
	}
	free(path);
	return err;
}

static const struct err *
check_paths(struct vetting *vetting, const char *commit, const char *key,
    const struct vec *paths, bool shared)
{
	const struct err *err = NULL;

	for (size_t i = 0; paths != NULL && err == NULL && i < paths->n;
	    i++) {
		struct own own = { vetting, commit, key, paths->v[i],
		    shared };

		err = check_path(&own);
	}
	return err;
}

const struct err *
vetting_check_own(struct vetting *vetting, const char *commit)
{
	const struct vet_rules *rules = vetting->vet->rules;
	enum repo_kind kind;
	const struct err *err;

	err = check_paths(vetting, commit, "shared", rules->shared, true);
	if (err == NULL)
		err = check_paths(vetting, commit, "carry", rules->carry,
		    false);
	if (err == NULL)
		err = repo_path_kind(vetting->vet->repo, commit, "deploy",
		    &kind);
	if (err == NULL && kind == REPO_SYMLINK)
		vetting_complain_of(vetting, "deploy", " is a symlink, and"
		    " the hooks of a release are not run through one; make it"
		    " a folder, or call it something else");
	return err;
}
