/*
 * The verbs about releases that somebody has put a hand to.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "host/verb.h"
#include "release/adopt.h"
#include "release/adopt_index.h"
#include "release/drift.h"
#include "release/store.h"

/* How many items an answer has, and their bytes; it counts them all. */
#define ITEMS_MAX 10000
#define ITEMS_BYTES (4 * 1024 * 1024)

/* How many "verify" names of those that it counts. */
#define CHANGED_MAX 3

/* The last sign of a change: what was moved here keeps its mtime. */
static int64_t
since_ms(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000 +
	    st->st_ctim.tv_nsec / 1000000;
}

/*
 * For what another owner or mode alone keeps from this user: the bytes are as
 * they were, and root can take back the rest.
 */
static bool
needs_root(int dirfd, const struct drift_item *item)
{
	const struct stat *st = &item->st;

	if (item->kind != DRIFT_MODE || item->is_built ||
	    item->right != NULL || geteuid() == 0)
		return false;
	if (!S_ISDIR(st->st_mode))
		return drift_is_out_of_reach(dirfd, item->path);
	/* Who is not in the group of a folder cannot give it that bit. */
	return st->st_uid != geteuid() || st->st_uid != item->owner ||
	    ((item->mode & ~st->st_mode & S_ISGID) != 0 &&
	    st->st_gid != getegid() && !group_member(st->st_gid));
}

/* Whether the folder that it is in is this user's: its mode, else -1. */
static int
mode_of_own_parent(int dirfd, const char *name)
{
	struct stat st;
	int fd = -1;
	bool is;

	is = strcmp(name, ".") == 0 ? fstatat(dirfd, "..", &st, 0) == 0 :
	    file_open_parent(&fd, dirfd, name) == NULL &&
	    fstat(fd, &st) == 0;
	is = is && st.st_uid == geteuid();
	file_close(&fd);
	return is ? (int)(st.st_mode & 07777) : -1;
}

/*
 * What root is to run, behind a sudo, and how many bytes that are: 0 when there
 * is nothing. "result" NULL: only how many. Of a folder of somebody else it is
 * told for that alone: who has it could have root change any file by a link in
 * it, and the rest is put right without root when it has been given back.
 * chmod(1) goes through a link, so that nobody else may be able to put one
 * there.
 */
static size_t
add_command(struct message *result, const struct agent *agent,
    const char *release, int dirfd, const struct drift_item *item)
{
	char *name = xstrndup(item->path, strlen(item->path) -
	    str_ends_with(item->path, "/"));
	int parent = mode_of_own_parent(dirfd, name);
	struct str command = STR_INIT;
	size_t len;

	if (parent != -1 && item->st.st_uid != item->owner)
		str_addf(&command, "chown -h %u ",
		    (unsigned int)item->owner);
	else if (parent != -1 && S_ISDIR(item->st.st_mode) &&
	    ((parent & 022) == 0 || (parent & S_ISVTX) != 0))
		str_addf(&command, "chmod %o ",
		    (unsigned int)item->mode & 07777);
	if (command.len > 0) {
		char *path = xasprintf("%s/releases/%s/%s",
		    store_root(agent->store), release, name);

		str_add_word(&command, path);
		if (result != NULL)
			message_add(result, "root", command.s);
		free(path);
	}
	len = command.len;
	str_release(&command);
	free(name);
	return len;
}

static void
add_item(struct message *result, int dirfd, const struct drift_item *item)
{
	bool is = item->st.st_ino != 0;
	struct str mode = STR_INIT;
	int what = 0;

	if (item->is_built)
		what |= WIRE_ITEM_BUILT;
	if (adopt_is_left_out(dirfd, item))
		what |= WIRE_ITEM_LEFT_OUT;
	if (item->is_shared)
		what |= WIRE_ITEM_SHARED;
	if (adopt_is_part(item))
		what |= WIRE_ITEM_PART;
	message_addf(result, "item", "%s %" PRId64 " %" PRId64 " %d %s",
	    drift_kind_name(item->kind), is ? since_ms(&item->st) : 0,
	    is ? (int64_t)item->st.st_uid : -1, what, item->path);
	if (item->kind == DRIFT_MODE) {
		if (is)
			drift_add_mode(&mode, item);
		message_add(result, "mode", mode.s);
	}
	str_release(&mode);
}

/* Where there is no room for all, new files do not hide changed ones. */
static void
add_items(struct message *result, const struct agent *agent,
    const char *release, int dirfd, const struct drift *drift)
{
	size_t bytes = 0, n = 0;

	for (int added = 0; added <= 1; added++) {
		for (size_t i = 0; i < drift->n; i++) {
			const struct drift_item *item = &drift->items[i];

			if ((item->kind == DRIFT_ADDED) != (added == 1))
				continue;
			bytes += strlen(item->path);
			if (n++ >= ITEMS_MAX || bytes > ITEMS_BYTES)
				continue;
			add_item(result, dirfd, item);
			if (needs_root(dirfd, item))
				bytes += add_command(result, agent, release,
				    dirfd, item);
		}
	}
	message_add_int(result, "count", (int64_t)drift->n);
}

/* What is there now, of the release that the request names. */
static const struct err *
find(struct agent *agent, const struct message *request,
    const char **release, struct drift *drift)
{
	struct vec writable = VEC_INIT;
	const struct err *err;
	int64_t deep, added;

	memset(drift, 0, sizeof(*drift));
	err = verb_release(request, release);
	if (err == NULL)
		err = verb_int(request, "deep", 0, 1, &deep);
	if (err == NULL)
		err = verb_int(request, "added", 1, 1, &added);
	if (err != NULL)
		return err;
	message_all(request, "writable", &writable);
	err = store_drift(agent->store, *release, deep == 1, added == 1,
	    &writable, drift);
	vec_release(&writable);
	return err;
}

const struct err *
verb_drift(struct agent *agent, const struct message *request,
    struct message *result)
{
	const struct err *err;
	const char *release;
	struct drift drift;
	int dirfd = -1;

	err = find(agent, request, &release, &drift);
	if (err == NULL)
		err = store_open_release(agent->store, release, &dirfd);
	if (err == NULL)
		add_items(result, agent, release, dirfd, &drift);
	file_close(&dirfd);
	drift_release(&drift);
	return err;
}

int64_t
verb_count_edits(struct agent *agent, const struct message *request)
{
	struct vec writable = VEC_INIT;
	struct drift drift = DRIFT_INIT;
	struct str live = STR_INIT;
	const struct err *err;
	int64_t n;

	message_all(request, "writable", &writable);
	err = store_current(agent->store, &live);
	if (err == NULL && live.len > 0)
		err = store_drift(agent->store, live.s, false, true,
		    &writable, &drift);
	n = err == NULL && live.len > 0 ? (int64_t)drift.n : -1;
	drift_release(&drift);
	vec_release(&writable);
	str_release(&live);
	return n;
}

/*
 * What the application has made of files that only commands had made is its
 * own affair. Of a mode that commands set, the executable bit counts.
 */
static bool
is_other(const struct drift_item *item)
{
	if (!item->is_built)
		return item->kind != DRIFT_ADDED;
	/* A folder may hide what was in it. */
	if (item->entry == -1)
		return item->kind == DRIFT_MODE;
	return item->kind != DRIFT_MODE ||
	    (item->st.st_mode & 0100) != (item->mode & 0100);
}

/* What there is besides is counted in "*added". */
static const struct err *
find_other(struct agent *agent, const char *release, struct drift *drift,
    int64_t *added)
{
	const struct err *err;
	size_t n = 0;

	*added = 0;
	err = store_drift(agent->store, release, false, true, NULL, drift);
	for (size_t i = 0; err == NULL && i < drift->n; i++) {
		struct drift_item item = drift->items[i];

		*added += item.kind == DRIFT_ADDED;
		if (!is_other(&item))
			continue;
		drift->items[i] = drift->items[n];
		drift->items[n++] = item;
	}
	for (size_t i = n; err == NULL && i < drift->n; i++)
		drift_item_release(&drift->items[i]);
	drift->n = n;
	return err;
}

/* What is in the place of links to shared/ is kept beside. */
static const struct err *
relink(struct agent *agent, const char *release, const struct drift *drift,
    struct vec *links, struct vec *saved)
{
	for (size_t i = 0; i < drift->n; i++) {
		if (drift->items[i].is_shared)
			vec_push(links, drift->items[i].path);
	}
	return store_relink(agent->store, release, links, saved);
}

const struct err *
verb_note_saved(struct agent *agent, const char *release,
    const struct vec *saved)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < saved->n && err == NULL; i++)
		err = verb_note(agent, "what was in the place of a link to"
		    " shared/ in release %s is in %s/%s now: take over from"
		    " it what is wanted, and remove it", release,
		    store_root(agent->store), saved->v[i]);
	return err;
}

/* What only commands had made, and what no commit can hold, stays. */
static bool
can_mend(int dirfd, const struct drift_item *item)
{
	if (item->is_shared)
		return true;
	if (item->is_built || needs_root(dirfd, item))
		return false;
	if (str_ends_with(item->path, "/"))
		return true;
	return !drift_is_out_of_reach(dirfd, item->path) &&
	    (item->kind != DRIFT_MODIFIED ||
	    !adopt_is_left_out(dirfd, item));
}

/* True when nobody can tell what is in the folder, if it is one. */
static bool
is_closed(int dirfd, const struct drift_item *item)
{
	const struct err *err;
	char *path;
	int fd;

	if (!str_ends_with(item->path, "/"))
		return false;
	path = xstrndup(item->path, strlen(item->path) - 1);
	err = file_open_folder(&fd, dirfd, path);
	if (err == NULL && faccessat(fd, ".", X_OK, AT_EACCESS) == -1)
		err = err_system("search %s", path);
	file_close(&fd);
	free(path);
	return err != NULL;
}

const struct err *
verb_verify(struct agent *agent, const struct message *request,
    struct message *result)
{
	int64_t added = 0, can = 0, cannot = 0, root = 0;
	struct drift drift = DRIFT_INIT;
	const struct err *err;
	const char *release;
	int dirfd = -1;

	err = verb_release(request, &release);
	if (err == NULL)
		err = find_other(agent, release, &drift, &added);
	if (err == NULL)
		err = store_open_release(agent->store, release, &dirfd);
	for (size_t i = 0; err == NULL && i < drift.n; i++) {
		const struct drift_item *item = &drift.items[i];

		if (item->is_built && item->entry == -1 &&
		    !is_closed(dirfd, item))
			continue;
		if (can_mend(dirfd, item))
			can++;
		else if (!needs_root(dirfd, item) || is_closed(dirfd, item)) {
			if (cannot++ < CHANGED_MAX)
				message_add(result, "changed", item->path);
		} else if (add_command(root < CHANGED_MAX ? result : NULL,
		    agent, release, dirfd, item) > 0) {
			root++;
		}
	}
	message_add_int(result, "count", cannot);
	message_add_int(result, "roots", root);
	message_add_int(result, "mend", can);
	message_add_int(result, "added", added);
	drift_release(&drift);
	file_close(&dirfd);
	return err;
}

static void
add_left_out(struct message *result, const struct vec *left_out)
{
	size_t bytes = 0;

	for (size_t i = 0; i < left_out->n && i < ITEMS_MAX; i++) {
		bytes += strlen(left_out->v[i]);
		if (bytes > ITEMS_BYTES)
			break;
		message_add(result, "left-out", left_out->v[i]);
	}
}

/*
 * What can be put right without a loss: all that the commit has, what has
 * another mode alone, and links to shared/. Both lists are in one order.
 */
static void
keep(struct agent *agent, const char *release, struct drift *found,
    const struct vec *left_out)
{
	size_t n = 0, left = 0;

	for (size_t i = 0; i < found->n; i++) {
		struct drift_item item = found->items[i];

		bool out = left < left_out->n &&
		    strcmp(item.path, left_out->v[left]) == 0;

		left += out;
		if (out && !item.is_shared && (item.kind == DRIFT_ADDED ||
		    item.kind == DRIFT_MODIFIED))
			drift_item_release(&item);
		else
			found->items[n++] = item;
	}
	found->n = n;
	drift_release(&agent->kept);
	agent->kept = *found;
	memset(found, 0, sizeof(*found));
	free(agent->kept_of);
	agent->kept_of = xstrdup(release);
}

/* A link or a folder that is gone is no change of a commit. */
static size_t
count_taken(const struct drift *found, const struct vec *left_out)
{
	size_t taken = found->n - left_out->n;

	for (size_t i = 0; i < found->n; i++) {
		const struct drift_item *item = &found->items[i];

		if (item->kind == DRIFT_REMOVED && (item->is_shared ||
		    str_ends_with(item->path, "/")))
			taken--;
	}
	return taken;
}

const struct err *
verb_adopt(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec left_out = VEC_INIT;
	const char *release, *title;
	const struct err *err;
	struct drift found;
	struct repo *repo;
	char commit[41], parent[41];

	err = find(agent, request, &release, &found);
	if (err == NULL)
		err = verb_text(request, "title", &title);
	if (err == NULL)
		err = verb_repo(agent, &repo);
	if (err == NULL)
		err = adopt_edits(agent->store, release, repo, &found, title,
		    &left_out, commit, parent);
	if (err == NULL) {
		message_add(result, "commit", commit);
		message_add(result, "parent", parent);
		message_add_int(result, "left", (int64_t)left_out.n);
		message_add_int(result, "taken", commit[0] == '\0' ? 0 :
		    (int64_t)count_taken(&found, &left_out));
		add_left_out(result, &left_out);
		keep(agent, release, &found, &left_out);
	}
	drift_release(&found);
	vec_release(&left_out);
	return err;
}

const struct err *
verb_repair(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec links = VEC_INIT, saved = VEC_INIT;
	const struct err *err;
	const char *release;
	struct repo *repo;

	err = verb_release(request, &release);
	if (err == NULL && (agent->kept_of == NULL ||
	    strcmp(agent->kept_of, release) != 0))
		err = err_new(ERR_PROTOCOL, "no edits of %s were adopted",
		    release);
	if (err == NULL)
		err = verb_repo(agent, &repo);
	if (err == NULL)
		err = store_put_right(agent->store, release, repo,
		    &agent->kept);
	if (err == NULL)
		err = relink(agent, release, &agent->kept, &links, &saved);
	verb_add_all(result, "saved", &saved);
	vec_release(&links);
	vec_release(&saved);
	return err;
}
