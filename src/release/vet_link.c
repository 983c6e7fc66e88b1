/*
 * Where symlinks lead, as the kernel would find out: ".." goes up from where
 * one is, which behind a symlink is not what the words say. So the other
 * symlinks of the commit are followed on the way; where the commit has
 * nothing, the words count.
 *
 * A shared path is a symlink of ours in the release, and ".." behind that
 * would be in shared/.
 */
#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "release/vet_part.h"
#include "repo.h"

/* As many as the kernel follows; it says that there is no end to it then. */
#define HOPS_MAX 40

/* Deeper than any folder of a release, and further than any sane way. */
#define DEPTH_MAX 512
#define STEPS_MAX 4096

/*
 * The work for all symlinks of a commit: a step costs 1, a folder that is
 * parsed its entries, a target that is put in the place of a name what there
 * is to copy. It is seconds, and a hostile commit can ask for days.
 */
#define WORK_MAX 20000000
#define HOP_COST 16
#define BYTES_PER_WORK 64

/* Folders that were parsed, each where its name says. */
#define PARSED_SLOTS 64

/* Where one is: the folders from the root on. */
struct place {
	struct vetting *vetting;
	git_oid trees[DEPTH_MAX];	/* zeros: the commit has none */
	size_t ends[DEPTH_MAX];	/* of each name in "path" */
	size_t depth;
	size_t floor;		/* ".." does not go beyond this */
	struct str path;
	struct str rest;	/* what is still to go, */
	size_t at;		/* from here on */
	int hops;
	int steps;
	size_t work;		/* for all links so far */
	git_tree *parsed[PARSED_SLOTS];
	const char *escape;	/* how it leads out; NULL: it does not */
};

static bool
is_shared(const struct place *place)
{
	const struct vec *shared = place->vetting->vet->rules->shared;

	for (size_t i = 0; shared != NULL && i < shared->n; i++) {
		const char *text = shared->v[i];
		size_t len = strlen(text) - str_ends_with(text, "/");

		if (len == place->path.len &&
		    strncmp(text, place->path.s, len) == 0)
			return true;
	}
	return false;
}

static void
go_up(struct place *place)
{
	if (place->depth == place->floor) {
		place->escape = place->floor == 0 ? "leads out of the"
		    " release" : "leads through shared files and out again";
		return;
	}
	place->depth--;
	str_truncate(&place->path, place->depth == 0 ? 0 :
	    place->ends[place->depth - 1]);
}

/* The tree is lent until the next call. */
static const struct err *
parse(struct place *place, const git_oid *oid, const git_tree **tree)
{
	git_tree **slot = &place->parsed[oid->id[0] % PARSED_SLOTS];
	int code;

	*tree = NULL;
	if (*slot == NULL || !git_oid_equal(git_tree_id(*slot), oid)) {
		git_tree_free(*slot);
		*slot = NULL;
		code = git_tree_lookup(slot,
		    repo_handle(place->vetting->vet->repo), oid);
		if (code != 0)
			return repo_error(code, "read the folder %s",
			    place->path.s);
		place->work += git_tree_entrycount(*slot);
	}
	*tree = *slot;
	return NULL;
}

/* What the folder where one is has by that name. */
static const struct err *
find(struct place *place, const char *name, git_oid *oid,
    git_filemode_t *mode)
{
	const git_oid *tree_oid = place->depth == 0 ? &place->vetting->root :
	    &place->trees[place->depth - 1];
	const git_tree_entry *entry;
	const struct err *err;
	const git_tree *tree;

	*mode = GIT_FILEMODE_UNREADABLE;
	memset(oid, 0, sizeof(*oid));
	if (git_oid_is_zero(tree_oid))
		return NULL;
	err = parse(place, tree_oid, &tree);
	if (err != NULL || tree == NULL)
		return err;
	entry = git_tree_entry_byname(tree, name);
	if (entry != NULL) {
		*mode = git_tree_entry_filemode_raw(entry);
		git_oid_cpy(oid, git_tree_entry_id(entry));
	}
	return NULL;
}

static void
go_into(struct place *place, const char *name, const git_oid *oid,
    bool is_folder)
{
	if (place->path.len > 0)
		str_addch(&place->path, '/');
	str_add(&place->path, name);
	place->ends[place->depth] = place->path.len;
	memset(&place->trees[place->depth], 0, sizeof(*place->trees));
	if (is_folder)
		git_oid_cpy(&place->trees[place->depth], oid);
	place->depth++;
	if (is_shared(place))
		place->floor = place->depth;
}

/* Its target stands in the place of the name. */
static const struct err *
follow(struct place *place, const git_oid *oid)
{
	struct str rest = STR_INIT;
	git_blob *blob;
	int code;

	code = git_blob_lookup(&blob, repo_handle(place->vetting->vet->repo),
	    oid);
	if (code != 0)
		return repo_error(code, "read a symlink in %s",
		    place->path.s);
	str_add_bytes(&rest, git_blob_rawcontent(blob),
	    (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	if (rest.s[0] == '/')
		place->escape = "leads out of the release";
	str_addch(&rest, '/');
	str_add(&rest, place->rest.s + place->at);
	str_release(&place->rest);
	place->rest = rest;
	place->at = 0;
	place->hops++;
	place->work += HOP_COST + rest.len / BYTES_PER_WORK;
	return NULL;
}

static const struct err *
go_to(struct place *place, const char *name)
{
	const struct err *err;
	git_filemode_t mode;
	git_oid oid;

	if (strcmp(name, ".") == 0)
		return NULL;
	if (strcmp(name, "..") == 0) {
		go_up(place);
		return NULL;
	}
	if (place->depth == DEPTH_MAX) {
		place->escape = "leads deeper than a release is";
		return NULL;
	}
	err = find(place, name, &oid, &mode);
	if (err == NULL && mode == GIT_FILEMODE_LINK)
		return follow(place, &oid);
	if (err == NULL)
		go_into(place, name, &oid, mode == GIT_FILEMODE_TREE);
	return err;
}

/* The next name of what is to go, given; NULL: there is none. */
static char *
next_name(struct place *place)
{
	const char *rest = place->rest.s + place->at;
	size_t skip = strspn(rest, "/"), len = strcspn(rest + skip, "/");

	place->at += skip + len;
	return len == 0 ? NULL : xstrndup(rest + skip, len);
}

static const struct err *
go(struct place *place)
{
	const struct err *err = NULL;

	while (err == NULL && place->escape == NULL &&
	    place->hops <= HOPS_MAX && place->work <= WORK_MAX) {
		char *name = next_name(place);

		if (name == NULL)
			break;
		place->work++;
		if (++place->steps > STEPS_MAX)
			place->escape = "takes too many steps to follow";
		else
			err = go_to(place, name);
		free(name);
	}
	return err;
}

/* From the folder that the link is in, along its target. */
static const struct err *
check_link(struct place *place, const char *link, const char *target)
{
	const char *slash = strrchr(link, '/');
	const struct err *err;

	place->depth = place->floor = 0;
	place->hops = place->steps = 0;
	place->at = 0;
	place->escape = *target == '/' ? "leads out of the release" : NULL;
	str_clear(&place->path);
	str_clear(&place->rest);
	if (slash != NULL)
		str_add_bytes(&place->rest, link, (size_t)(slash - link));
	err = place->escape == NULL ? go(place) : NULL;
	if (err == NULL && place->escape == NULL) {
		str_clear(&place->rest);
		str_add(&place->rest, target);
		place->at = 0;
		err = go(place);
	}
	if (err == NULL && place->escape != NULL) {
		struct str shown = STR_INIT;

		str_add_visible(&shown, target, strnlen(target, 100));
		vetting_complain_of(place->vetting, link, " is a symlink to"
		    " %s, which %s; make it relative and within, share the"
		    " path (shared), or set symlinks = any in slipway.ini",
		    shown.s, place->escape);
		str_release(&shown);
	}
	return err;
}

const struct err *
vetting_check_links(struct vetting *vetting)
{
	struct place *place = xcalloc(1, sizeof(*place));
	const struct err *err = NULL;

	place->vetting = vetting;
	str_init(&place->path);
	str_init(&place->rest);
	for (size_t i = 0; err == NULL && i < vetting->links.n &&
	    place->work <= WORK_MAX && !vetting_is_over(vetting); i++)
		err = check_link(place, vetting->links.v[i],
		    vetting->targets.v[i]);
	if (err == NULL && place->work > WORK_MAX)
		vetting_complain_of(vetting, "the commit", " has symlinks"
		    " that take too long to follow; have fewer of them, or"
		    " shorter ways, or set symlinks = any in slipway.ini");
	for (size_t i = 0; i < PARSED_SLOTS; i++)
		git_tree_free(place->parsed[i]);
	str_release(&place->path);
	str_release(&place->rest);
	free(place);
	return err;
}
