#include "deploy/edits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/missing.h"
#include "deploy/queue.h"
#include "deploy/work.h"
#include "host/fleet.h"
#include "lock.h"
#include "repo.h"

/* How long to wait for a lock that a dying runner holds. */
#define LOCK_WAIT_MS 200

/* Branches of one day, each with edits of its own. */
#define BRANCHES_MAX 1000

/* One who looks: at these hosts of this environment. */
struct look {
	const struct hub *hub;
	const struct environment *env;
	const struct host **hosts;
	size_t n_hosts;
	struct fleet *fleet;
	struct edits *edits;
	const char *release;	/* NULL: the one that is live */
};

static const char *
release_on(const struct look *look, size_t host)
{
	return look->release != NULL ? look->release :
	    fleet_current(look->fleet, host);
}

void
edits_release(struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		free(edits->v[i].host);
		free(edits->v[i].release);
		free(edits->v[i].change);
		free(edits->v[i].path);
		free(edits->v[i].mode);
	}
	free(edits->v);
	vec_release(&edits->branches);
	vec_release(&edits->commits);
	vec_release(&edits->parents);
	vec_release(&edits->stays);
	vec_release(&edits->roots);
	vec_release(&edits->saved);
	memset(edits, 0, sizeof(*edits));
}

/*
 * "modified 1795000000123 33 0 css/site.css", as the agent says it: see
 * wire.h for the last number.
 */
static const struct err *
add_edit(struct look *look, size_t host, const char *item)
{
	struct edits *edits = look->edits;
	const char *since = strchr(item, ' ');
	char *uid = NULL, *built = NULL, *path = NULL;
	struct edit *edit;
	int64_t at = 0, owner = 0;
	long what = 0;

	if (since != NULL)
		at = strtoll(since + 1, &uid, 10);
	if (uid != NULL)
		owner = strtoll(uid, &built, 10);
	if (built != NULL)
		what = strtol(built, &path, 10);
	if (path == NULL || *path != ' ' || path[1] == '\0')
		return err_new(ERR_PROTOCOL, "'%s' is no edit", item);
	edits->v = xreallocarray(edits->v, edits->n + 1, sizeof(*edits->v));
	edit = &edits->v[edits->n++];
	edit->host = xstrdup(look->hosts[host]->name);
	edit->release = xstrdup(release_on(look, host));
	edit->change = xstrndup(item, (size_t)(since - item));
	edit->path = xstrdup(path + 1);
	edit->mode = NULL;
	edit->since_at = at;
	edit->uid = owner;
	edit->built = (what & WIRE_ITEM_BUILT) != 0;
	edit->left_out = (what & WIRE_ITEM_LEFT_OUT) != 0;
	edit->shared = (what & WIRE_ITEM_SHARED) != 0;
	edit->part = (what & WIRE_ITEM_PART) != 0;
	return NULL;
}

static const struct err *
ask_host(struct look *look, size_t host, const struct message *request)
{
	bool *mask = xcalloc(look->n_hosts, sizeof(*mask));
	const struct err *err;

	mask[host] = true;
	err = fleet_call(look->fleet, mask, request, NULL, NULL);
	free(mask);
	return err;
}

/* What "drift" and "adopt" are to find. */
static void
add_search(const struct look *look, size_t host, bool deep,
    struct message *request)
{
	const struct vec *writable = &look->env->set.writable;

	message_add(request, "release", release_on(look, host));
	message_add_int(request, "added", look->release == NULL);
	message_add_int(request, "deep", deep);
	for (size_t i = 0; i < writable->n; i++)
		message_add(request, "writable", writable->v[i]);
}

static const struct err *
ask_drift(struct look *look, size_t host, bool deep)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "drift");
	add_search(look, host, deep, &request);
	err = ask_host(look, host, &request);
	message_release(&request);
	return err;
}

/* In the order of those of the edits, from "first" on, that have one. */
static void
add_modes(struct look *look, size_t host, size_t first)
{
	struct vec modes = VEC_INIT;
	size_t k = 0;

	message_all(fleet_reply(look->fleet, host), "mode", &modes);
	for (size_t i = first; i < look->edits->n && k < modes.n; i++) {
		struct edit *edit = &look->edits->v[i];

		if (strcmp(edit->change, "mode") == 0 && *modes.v[k++] !=
		    '\0')
			edit->mode = xstrdup(modes.v[k - 1]);
	}
	vec_release(&modes);
}

static const struct err *
find_on(struct look *look, size_t host, bool deep)
{
	size_t first = look->edits->n;
	struct vec items = VEC_INIT;
	const struct err *err = ask_drift(look, host, deep);

	if (err != NULL)
		return err;
	look->edits->count += message_int(fleet_reply(look->fleet, host),
	    "count", 0);
	message_all(fleet_reply(look->fleet, host), "item", &items);
	for (size_t i = 0; i < items.n && err == NULL; i++)
		err = add_edit(look, host, items.v[i]);
	add_modes(look, host, first);
	vec_release(&items);
	return err;
}

static char *
branch_name(const struct look *look, size_t host, int nth)
{
	char now[CLOCK_ISO_SIZE];
	struct str name = STR_INIT;

	clock_iso(now, clock_now_ms());
	str_addf(&name, "drift/%s/%.10s", look->env->name, now);
	if (look->n_hosts > 1)
		str_addf(&name, "-%s", look->hosts[host]->name);
	if (nth > 1)
		str_addf(&name, "-%d", nth);
	return str_detach(&name);
}

/* True when the branch has just these files already. */
static const struct err *
has_tree(struct repo *repo, const char *oid, const char *tree, bool *has)
{
	struct repo_commit commit;
	const struct err *err = repo_commit_read(repo, oid, &commit);

	*has = err == NULL && strcmp(commit.tree, tree) == 0;
	if (err == NULL)
		repo_commit_release(&commit);
	return err;
}

/* "has": the branch has the edits now; ERR_REFUSED: it cannot be made. */
static const struct err *
try_branch(struct repo *repo, const char *ref, const char *commit,
    const char *tree, bool *has)
{
	struct repo_move move = { ref, REPO_ZERO_OID, commit, "edits" };
	char oid[REPO_OID_SIZE];
	const struct err *err, *refused = NULL;

	*has = false;
	err = repo_ref_value(repo, ref, oid);
	if (err == NULL && repo_is_zero(oid)) {
		err = repo_check_new_ref(repo, ref);
		if (err == NULL)
			err = repo_move_ref(repo, &move);
		*has = err == NULL;
		if (err == NULL || err->code != ERR_REFUSED)
			return err;
		/* Somebody else may have been faster. */
		refused = err;
		err = repo_ref_value(repo, ref, oid);
	}
	if (err == NULL && !repo_is_zero(oid))
		return has_tree(repo, oid, tree, has);
	return err == NULL ? refused : err;
}

/*
 * A deploy that failed is tried again: edits that are on a branch of today
 * are not put on another one. A name below which there is a branch already
 * is passed over.
 */
static const struct err *
put_on_branch(struct look *look, size_t host, struct repo *repo,
    const char *commit, const char *tree)
{
	struct err_kept refused = ERR_KEPT_INIT;

	for (int nth = 1; nth <= BRANCHES_MAX; nth++) {
		char *name = branch_name(look, host, nth);
		char *ref = xasprintf("refs/heads/%s", name);
		const struct err *err;
		bool has;

		err = try_branch(repo, ref, commit, tree, &has);
		if (err == NULL && has)
			vec_push(&look->edits->branches, name);
		free(ref);
		free(name);
		if (err != NULL && err->code == ERR_REFUSED)
			err_keep(&refused, err);
		else if (err != NULL || has)
			return err;
	}
	if (refused.is)
		return err_kept(&refused);
	return err_new(ERR_FAILED, "there are %d branches drift/%s of today"
	    " already", BRANCHES_MAX, look->env->name);
}

static const struct err *
take_commit(struct look *look, size_t host, bool branch)
{
	const char *oid = message_get(fleet_reply(look->fleet, host),
	    "commit");
	const char *parent = message_get(fleet_reply(look->fleet, host),
	    "parent");
	struct repo_commit commit;
	struct repo *repo = NULL;
	const struct err *err;

	if (oid == NULL || !repo_is_oid(oid) || parent == NULL)
		return err_new(ERR_PROTOCOL, "no commit was made");
	vec_push(&look->edits->commits, oid);
	vec_push(&look->edits->parents, parent);
	if (!branch)
		return NULL;
	err = repo_open(&repo, look->hub->path, false);
	if (err == NULL)
		err = repo_commit_read(repo, oid, &commit);
	if (err == NULL) {
		err = put_on_branch(look, host, repo, commit.oid,
		    commit.tree);
		repo_commit_release(&commit);
	}
	repo_close(repo);
	return err;
}

static void
mark_left_out(struct look *look, size_t host)
{
	const struct message *reply = fleet_reply(look->fleet, host);
	struct vec paths = VEC_INIT;

	look->edits->left_out += message_int(reply, "left", 0);
	message_all(reply, "left-out", &paths);
	for (size_t i = 0; i < look->edits->n && paths.n > 0; i++) {
		struct edit *edit = &look->edits->v[i];

		if (strcmp(edit->host, look->hosts[host]->name) == 0 &&
		    vec_has(&paths, edit->path))
			edit->left_out = true;
	}
	vec_release(&paths);
}

static const struct err *
adopt_on(struct look *look, size_t host, bool deep, bool branch)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "adopt");
	message_addf(&request, "title", "edits by hand in release %s of %s on"
	    " %s", release_on(look, host), look->env->name,
	    look->hosts[host]->name);
	add_search(look, host, deep, &request);
	err = ask_host(look, host, &request);
	if (err == NULL) {
		mark_left_out(look, host);
		if (message_int(fleet_reply(look->fleet, host), "taken", 0) >
		    0)
			err = take_commit(look, host, branch);
	}
	message_release(&request);
	return err;
}

/* "modified gen/app.js": without the three numbers between. */
static void
keep_stays(struct look *look, size_t host)
{
	struct vec items = VEC_INIT, roots = VEC_INIT;
	bool many = look->n_hosts > 1;

	message_all(fleet_reply(look->fleet, host), "root", &roots);
	for (size_t i = 0; i < roots.n; i++)
		vec_pushf(&look->edits->roots, "run%s%s: sudo %s", many ?
		    " on " : "", many ? look->hosts[host]->name : "",
		    roots.v[i]);
	message_all(fleet_reply(look->fleet, host), "item", &items);
	for (size_t i = 0; i < items.n; i++) {
		const char *item = items.v[i], *path = item;

		for (int k = 0; k < 4 && path != NULL; k++)
			path = strchr(path + (k > 0), ' ');
		if (path != NULL)
			vec_pushf(&look->edits->stays, "%.*s%s",
			    (int)strcspn(item, " "), item, path);
	}
	look->edits->stay += message_int(fleet_reply(look->fleet, host),
	    "count", 0);
	vec_release(&items);
	vec_release(&roots);
}

/* And look again: what stays is for somebody else to put right. */
static const struct err *
repair_on(struct look *look, size_t host, bool deep)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "repair");
	message_add(&request, "release", release_on(look, host));
	err = ask_host(look, host, &request);
	message_release(&request);
	if (err == NULL)
		message_all(fleet_reply(look->fleet, host), "saved",
		    &look->edits->saved);
	if (err == NULL)
		err = ask_drift(look, host, deep);
	if (err == NULL)
		keep_stays(look, host);
	return err;
}

static const struct err *
look_at(struct look *look, const struct edits_query *query)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < look->n_hosts && err == NULL; i++) {
		if (*release_on(look, i) == '\0')
			return missing_current(look->hub, look->env,
			    look->hosts[i]->name);
		if (query->but != NULL &&
		    strcmp(release_on(look, i), query->but) == 0)
			continue;
		err = find_on(look, i, query->deep);
		if (err != NULL || message_int(fleet_reply(look->fleet, i),
		    "count", 0) == 0)
			continue;
		if (query->adopt || query->repair)
			err = adopt_on(look, i, query->deep, query->branch ||
			    query->repair);
		if (err == NULL && query->repair)
			err = repair_on(look, i, query->deep);
	}
	return err;
}

/* The hosts that are asked for, at the beginning of the list. */
static const struct err *
choose_hosts(struct look *look, const char *name)
{
	if (name == NULL)
		return NULL;
	for (size_t i = 0; i < look->n_hosts; i++) {
		if (strcmp(look->hosts[i]->name, name) == 0) {
			look->hosts[0] = look->hosts[i];
			look->n_hosts = 1;
			return NULL;
		}
	}
	return err_new(ERR_USAGE, "environment %s has no host %s",
	    look->env->name, name);
}

static const struct err *
open_fleet(struct look *look, bool alone)
{
	struct fleet_spec spec = {
		.hosts = look->hosts,
		.n_hosts = look->n_hosts,
		.repo = look->hub->path,
		.root = look->env->set.root,
		.environment = look->env->name,
		.threads = look->env->set.threads,
		.look = !alone,
	};

	return fleet_open(&look->fleet, &spec);
}

static const struct err *
find(struct look *look, const struct edits_query *query)
{
	const struct err *err;

	err = choose_hosts(look, query->host);
	if (err == NULL)
		err = open_fleet(look, query->repair);
	if (err == NULL)
		err = look_at(look, query);
	fleet_close(look->fleet);
	return err;
}

const struct err *
edits_find(struct edits *edits, const struct hub *hub,
    const struct environment *env, const struct edits_query *query)
{
	struct look look = { .hub = hub, .env = env, .edits = edits };
	char *path = hub_lock_path(hub, env->name);
	struct lock *lock = NULL;
	const struct err *err = NULL;
	bool held;

	memset(edits, 0, sizeof(*edits));
	look.n_hosts = config_hosts(hub->config, env, &look.hosts);
	if (query->repair)
		err = lock_take(&lock, path, "drift", LOCK_WAIT_MS);
	if (err == NULL)
		err = find(&look, query);
	else if (err->code == ERR_BUSY)
		err = err_new(ERR_BUSY, "%s is being deployed; repair it"
		    " when that is over", env->name);
	held = lock != NULL;
	lock_release(lock);
	if (held)
		err = err_first(err, queue_wake_waiting(hub, env->name));
	free(look.hosts);
	free(path);
	return err;
}

const struct err *
edits_look(struct edits *edits, struct work *work,
    const struct edits_query *query)
{
	struct look look = { .hub = work->hub, .env = work->env,
	    .hosts = work->hosts, .n_hosts = work->n_hosts,
	    .fleet = work->fleet, .edits = edits,
	    .release = query->release };

	return look_at(&look, query);
}
