/*
 * Two trees are walked side by side, the commit's and the known one, both in
 * git's order; what is the same in both is passed over. The walk also counts:
 * what the known tree has and the commit has not is subtracted.
 *
 * A tree can hold one subtree any number of times, in any number of layers,
 * so the entries that are looked at are limited, folders included.
 */
#include "release/vet.h"

#include <git2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "path.h"
#include "release/checkout.h"
#include "release/convert.h"
#include "release/plumbing.h"
#include "release/vet_part.h"

/* Of a path that is told, more is not of interest. */
#define SHOWN_MAX 200

/* One of the two trees, and the entry that comes next. */
struct side {
	struct rawtree tree;
	struct rawtree_item item;
	bool has;
};

/* Names of the files that an entry to come could have once more. */
struct names {
	struct rawtree_item *v;
	size_t n;
	size_t size;
};

bool
vetting_is_over(const struct vetting *vetting)
{
	int64_t max = vetting->vet->rules->max_files;

	return vetting->vet->reasons.n > VET_REASONS_MAX ||
	    vetting->seen >= VET_FILES_MAX ||
	    vetting->link_bytes > VETTING_LINK_BYTES_MAX ||
	    (max != 0 && vetting->taken > max);
}

static void __attribute__((format(printf, 4, 0)))
add_reason(struct vetting *vetting, const char *path, size_t len,
    const char *fmt, va_list ap)
{
	struct vec *reasons = &vetting->vet->reasons;
	struct str text = STR_INIT;

	if (reasons->n >= VET_REASONS_MAX) {
		if (reasons->n == VET_REASONS_MAX)
			vec_push(reasons, "and there is more like this");
		return;
	}
	if (len == 0)
		str_add(&text, "the top folder");
	str_add_visible(&text, path, len < SHOWN_MAX ? len : SHOWN_MAX);
	str_add(&text, len < SHOWN_MAX ? "" : "...");
	str_addv(&text, fmt, ap);
	vec_push_take(reasons, str_detach(&text));
}

void
vetting_complain(struct vetting *vetting, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_reason(vetting, vetting->path.s, vetting->path.len, fmt, ap);
	va_end(ap);
}

void
vetting_complain_of(struct vetting *vetting, const char *path,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_reason(vetting, path, strlen(path), fmt, ap);
	va_end(ap);
}

static bool
has_control(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return true;
	}
	return false;
}

/* The path with the name is what is looked at. */
static void
check_name(struct vetting *vetting, const struct rawtree_item *item)
{
	size_t max = vetting->vet->rules->path_max;

	if (item->len == 0)
		vetting_complain(vetting, ": an entry of this folder has no"
		    " name; make the commit again with git");
	else if (!path_is_component(item->name, item->len))
		vetting_complain(vetting, " is not a name that a release can"
		    " hold (%zu bytes; none of '.', '..', '.git' in any"
		    " spelling, no slash, at most 255 bytes); rename it in"
		    " the repository", item->len);
	else if (has_control(item->name, item->len))
		vetting_complain(vetting, " has a control character in its"
		    " name; rename it in the repository");
	else if (vetting->path.len > max)
		vetting_complain(vetting, ": a path of %zu bytes, and a"
		    " release can hold one of %zu; shorten it in the"
		    " repository", vetting->path.len, max);
}

static void
check_mode(struct vetting *vetting, const struct rawtree_item *item)
{
	char hex[8];

	switch (item->mode) {
	case RAWTREE_FOLDER:
	case RAWTREE_FILE:
	case RAWTREE_OLD_FILE:
	case RAWTREE_PROGRAM:
	case RAWTREE_SYMLINK:
		return;
	case RAWTREE_SUBMODULE:
		git_oid_tostr(hex, sizeof(hex), &item->oid);
		vetting_complain(vetting, " is a submodule (commit %s), which"
		    " a release cannot hold; commit its files themselves, or"
		    " git rm --cached it and fetch them with an action", hex);
		return;
	default:
		vetting_complain(vetting, " has mode %o in the tree, and git"
		    " writes only 100644, 100755 and 120000; make the commit"
		    " again with git", (unsigned int)item->mode);
	}
}

/*
 * A file and a folder of one name need not be neighbours: "a", "a.b", "a/".
 * What comes between the two begins with their name, so of the files so far
 * only those that do are kept.
 */
static void
check_twice(struct vetting *vetting, struct names *names,
    const struct rawtree_item *item)
{
	while (names->n > 0) {
		const struct rawtree_item *last = &names->v[names->n - 1];

		if (last->len <= item->len &&
		    memcmp(last->name, item->name, last->len) == 0)
			break;
		names->n--;
	}
	if (names->n > 0 && names->v[names->n - 1].len == item->len)
		vetting_complain(vetting, " is there twice; make the commit"
		    " again with git");
	if (item->mode == RAWTREE_FOLDER)
		return;
	if (names->n == names->size) {
		names->size = names->size == 0 ? 16 : names->size * 2;
		names->v = xreallocarray(names->v, names->size,
		    sizeof(*names->v));
	}
	names->v[names->n++] = *item;
}

static void
count(struct vetting *vetting)
{
	if (++vetting->seen == VET_FILES_MAX)
		vetting_complain(vetting, ": more than %d files and folders;"
		    " keep some elsewhere", VET_FILES_MAX);
}

static const struct err *walk(struct vetting *vetting, const git_oid *new,
    const git_oid *old, int depth);

static size_t
enter(struct vetting *vetting, const struct rawtree_item *item)
{
	size_t len = vetting->path.len;

	if (len > 0)
		str_addch(&vetting->path, '/');
	str_add_bytes(&vetting->path, item->name, item->len);
	return len;
}

/* What the commit has, and the known tree has not, or not so. */
static const struct err *
take(struct vetting *vetting, const struct rawtree_item *item,
    const struct rawtree_item *old, int depth)
{
	bool is_folder = item->mode == RAWTREE_FOLDER;
	size_t reasons = vetting->vet->reasons.n;
	const struct err *err = NULL;

	if (old != NULL && !is_folder)
		err = vetting_drop_file(vetting, old);
	if (!vetting->for_pointers) {
		count(vetting);
		check_name(vetting, item);
		check_mode(vetting, item);
	}
	if (err != NULL || vetting->vet->reasons.n != reasons)
		return err;
	return is_folder ? walk(vetting, &item->oid, old == NULL ? NULL :
	    &old->oid, depth + 1) : vetting_take_file(vetting, item);
}

static const struct err *
drop(struct vetting *vetting, const struct rawtree_item *item, int depth)
{
	return item->mode == RAWTREE_FOLDER ?
	    walk(vetting, NULL, &item->oid, depth + 1) :
	    vetting_drop_file(vetting, item);
}

/* One step of both: what comes first, or both where they have one name. */
static const struct err *
step(struct vetting *vetting, const struct side *new, const struct side *old,
    int order, int depth)
{
	const struct rawtree_item *item = order <= 0 ? &new->item :
	    &old->item;
	size_t len = enter(vetting, item);
	const struct err *err = NULL;

	if (order <= 0 && item->len == strlen(".gitattributes") &&
	    memcmp(item->name, ".gitattributes", item->len) == 0)
		err = vetting_look_at_attributes(vetting, item);
	if (err != NULL)
		return err;
	if (order > 0)
		err = drop(vetting, item, depth);
	else if (order < 0)
		err = take(vetting, item, NULL, depth);
	else if (item->mode != old->item.mode ||
	    !git_oid_equal(&item->oid, &old->item.oid))
		err = take(vetting, item, &old->item, depth);
	str_truncate(&vetting->path, len);
	return err;
}

static void
advance(struct vetting *vetting, struct side *side, struct names *names)
{
	struct rawtree_item last = side->item;
	bool had = side->has;
	size_t len;

	side->has = rawtree_next(&side->tree, &side->item);
	if (names == NULL || vetting->for_pointers)
		return;
	if (side->tree.is_broken)
		vetting_complain(vetting, ": a tree object that cannot be"
		    " read; make the commit again with git");
	if (!side->has)
		return;
	len = enter(vetting, &side->item);
	if (had && rawtree_order(&last, &side->item) > 0)
		vetting_complain(vetting, " is not in git's order in its"
		    " folder; make the commit again with git");
	check_twice(vetting, names, &side->item);
	str_truncate(&vetting->path, len);
}

static int
which(const struct side *new, const struct side *old)
{
	if (!new->has || !old->has)
		return new->has ? -1 : 1;
	return rawtree_order(&new->item, &old->item);
}

static const struct err *
walk_sides(struct vetting *vetting, struct side *new, struct side *old,
    int depth)
{
	struct names names = { NULL, 0, 0 };
	const struct err *err = NULL;

	advance(vetting, new, &names);
	advance(vetting, old, NULL);
	while (err == NULL && (new->has || old->has) &&
	    !vetting_is_over(vetting)) {
		int order = which(new, old);

		err = step(vetting, new, old, order, depth);
		if (order <= 0)
			advance(vetting, new, &names);
		if (order >= 0)
			advance(vetting, old, NULL);
	}
	free(names.v);
	return err;
}

static const struct err *
walk(struct vetting *vetting, const git_oid *new, const git_oid *old,
    int depth)
{
	struct side sides[2] = { { .tree = RAWTREE_INIT },
	    { .tree = RAWTREE_INIT } };
	const struct err *err = NULL;

	if (vetting_is_over(vetting) ||
	    (new != NULL && old != NULL && git_oid_equal(new, old)))
		return NULL;
	if (depth >= CHECKOUT_DEPTH_MAX) {
		vetting_complain(vetting, ": more than %d folders inside each"
		    " other; make it flatter in the repository",
		    CHECKOUT_DEPTH_MAX);
		return NULL;
	}
	if (new != NULL)
		err = rawtree_open(&sides[0].tree, vetting->odb,
		    &vetting->trees, new);
	if (err == NULL && old != NULL)
		err = rawtree_open(&sides[1].tree, vetting->odb,
		    &vetting->trees, old);
	if (err == NULL)
		err = walk_sides(vetting, &sides[0], &sides[1], depth);
	rawtree_close(&sides[0].tree);
	rawtree_close(&sides[1].tree);
	return err;
}

/* Attribute files that belong to no commit. */
static const struct err *
look_outside(struct vetting *vetting, const char *commit)
{
	struct repo *repo = vetting->vet->repo;
	const struct err *err;
	struct plumbing git;

	plumbing_init(&git, repo, commit, -1, NULL);
	err = convert_asks_outside(&vetting->filters, repo, &git);
	return err_first(err, plumbing_release(&git));
}

static void
check_counts(struct vetting *vetting)
{
	const struct vet_rules *rules = vetting->vet->rules;
	const struct vet_known *known = &vetting->vet->known;

	if (rules->max_files != 0 && known->files > rules->max_files)
		vetting_complain_of(vetting, "the commit", " has %s%lld"
		    " files, and slipway.ini takes %lld (max_files); keep"
		    " some elsewhere, or have it raised on the server",
		    vetting->taken > rules->max_files ? "at least " : "",
		    (long long)known->files, (long long)rules->max_files);
	if (rules->max_bytes != 0 && known->bytes > rules->max_bytes)
		vetting_complain_of(vetting, "the commit", " has %lld bytes"
		    " of files, and slipway.ini takes %lld (max_size); keep"
		    " some elsewhere, or have it raised on the server",
		    (long long)known->bytes, (long long)rules->max_bytes);
}

/* One look, beside the known tree or without. */
static const struct err *
look(struct vetting *vetting, const struct vet_known *known,
    const char *commit)
{
	struct vet *vet = vetting->vet;
	const struct err *err;
	git_oid old;
	bool has_old = *known->tree != '\0' &&
	    git_oid_fromstr(&old, known->tree) == 0;

	err = look_outside(vetting, commit);
	if (err == NULL)
		err = walk(vetting, &vetting->root, has_old ? &old : NULL, 0);
	git_oid_tostr(vet->known.tree, sizeof(vet->known.tree),
	    &vetting->root);
	vet->known.files = vetting->files + (has_old ? known->files : 0);
	vet->known.bytes = vetting->bytes + (has_old ? known->bytes : 0);
	check_counts(vetting);
	/* Everything from here on can rely on sound trees. */
	if (err == NULL && vet->reasons.n == 0)
		err = vetting_check_own(vetting, commit);
	if (err == NULL && vet->reasons.n == 0)
		err = vetting_check_links(vetting);
	if (err == NULL && vet->reasons.n == 0 && vetting->filters) {
		vetting->for_pointers = true;
		err = walk(vetting, &vetting->root, has_old ? &old : NULL, 0);
	}
	return err;
}

/* Whether what was passed over may mean something else now. */
static bool
is_enough(const struct vetting *vetting)
{
	return !(vetting->relinked &&
	    vetting->vet->rules->links == VET_INSIDE) &&
	    !(vetting->attributed && vetting->filters);
}

static const struct err *
try(struct vet *vet, const struct vet_known *known, const char *commit,
    bool *enough)
{
	struct vetting *vetting = xcalloc(1, sizeof(*vetting));
	struct repo_commit row = { 0 };
	const struct err *err;
	int code;

	vetting->vet = vet;
	str_init(&vetting->path);
	err = repo_commit_read(vet->repo, commit, &row);
	if (err == NULL) {
		git_oid_fromstr(&vetting->root, row.tree);
		code = git_repository_odb(&vetting->odb,
		    repo_handle(vet->repo));
		if (code != 0)
			err = repo_error(code, "open the objects");
	}
	if (err == NULL)
		err = look(vetting, known, commit);
	*enough = is_enough(vetting);
	rawtree_cache_release(&vetting->trees);
	git_odb_free(vetting->odb);
	str_release(&vetting->path);
	vec_release(&vetting->links);
	vec_release(&vetting->targets);
	free(vetting);
	repo_commit_release(&row);
	return err;
}

/* A known tree may be gone, or half of it: nobody keeps it. */
const struct err *
vet_commit(struct vet *vet, const char *commit)
{
	struct vet_known known = vet->known, none = { .tree = "" };
	const struct err *err = NULL;
	bool enough = false;

	if (*known.tree != '\0')
		err = try(vet, &known, commit, &enough);
	if (err == NULL && enough)
		return NULL;
	vec_clear(&vet->reasons);
	vec_clear(&vet->pointers);
	return try(vet, &none, commit, &enough);
}

void
vet_release(struct vet *vet)
{
	vec_release(&vet->reasons);
	vec_release(&vet->pointers);
}
