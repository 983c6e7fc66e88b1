/*
 * slipway drift - what of the live release somebody changed by hand.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "cmd/cmd.h"
#include "deploy/edits.h"
#include "file.h"
#include "json.h"
#include "release/plumbing.h"
#include "repo.h"

static void
add_owner(struct str *out, int64_t uid)
{
	struct passwd *owner = getpwuid((uid_t)uid);

	if (owner != NULL)
		str_addf(out, "owner %s", owner->pw_name);
	else
		str_addf(out, "owner %" PRId64, uid);
}

/* "modified  css/site.css  (since 2026-11-26 10:14, owner www-data)". */
static void
add_line(struct str *out, const struct edit *edit, bool with_host)
{
	if (with_host)
		str_addf(out, "%s: ", edit->host);
	str_addf(out, "%-8s  ", edit->change);
	str_add_visible(out, edit->path, strlen(edit->path));
	if (edit->uid != -1) {
		str_addf(out, "  (%s%ssince ", edit->mode == NULL ? "" :
		    edit->mode, edit->mode == NULL ? "" : ", ");
		clock_add_local(out, edit->since_at);
		str_add(out, ", ");
		add_owner(out, edit->uid);
		str_addch(out, ')');
	}
	str_addch(out, '\n');
}

static void
add_json(struct json *json, const struct edit *edit)
{
	char since[CLOCK_ISO_SIZE];

	clock_iso(since, edit->since_at);
	json_object(json);
	json_key_string(json, "host", edit->host);
	json_key_string(json, "release", edit->release);
	json_key_string(json, "path", edit->path);
	json_key_string(json, "change", edit->change);
	json_key_string(json, "mode", edit->mode);
	json_key_string(json, "since", edit->uid == -1 ? NULL : since);
	json_key(json, "uid");
	if (edit->uid == -1)
		json_null(json);
	else
		json_int(json, edit->uid);
	json_key_bool(json, "left_out", edit->left_out);
	json_key_bool(json, "shared", edit->shared);
	json_end(json);
}

static const struct err *
print_edits(const struct call *call, const struct edits *edits)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;
	bool with_host = false;

	json.pretty = true;
	if (call->json)
		json_array(&json);
	for (size_t i = 1; i < edits->n; i++)
		with_host = with_host || strcmp(edits->v[i].host,
		    edits->v[0].host) != 0;
	for (size_t i = 0; i < edits->n; i++) {
		if (call->json)
			add_json(&json, &edits->v[i]);
		else
			add_line(&out, &edits->v[i], with_host);
	}
	if (call->json) {
		json_end(&json);
		str_addch(&out, '\n');
	}
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

/* Lines and tabs stay, so that it is a text still. */
static const struct err *
print_visible(const struct str *text)
{
	struct str shown = STR_INIT;
	const struct err *err = NULL;

	for (size_t at = 0; at < text->len && err == NULL; at++) {
		size_t len = strcspn(text->s + at, "\n\t");

		str_add_visible(&shown, text->s + at, len);
		at += len;
		if (at < text->len)
			str_addch(&shown, text->s[at]);
		if (at >= text->len || text->s[at] == '\n') {
			err = cmd_print(&shown);
			str_clear(&shown);
		}
	}
	str_release(&shown);
	return err;
}

/*
 * In the repository's folder, where no file says what is text. Releases are
 * made with a threshold above which git does not look into a file, and calls
 * it binary; people get git's own. Of such a file git holds both versions
 * and a list of their lines at once, but one at a time, for who asked.
 */
static const struct err *
print_diff(const struct call *call, const char *from, const char *to)
{
	const char *args[] = { "-c", "core.bigFileThreshold=512m", "diff",
	    "--no-ext-diff", "--no-textconv", "--no-color", from, to, NULL };
	struct str text = STR_INIT;
	struct repo *repo = NULL;
	struct plumbing git;
	const struct err *err;
	int dir = open(call->hub.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	err = dir != -1 ? repo_open(&repo, call->hub.path, false) :
	    err_system("open %s", call->hub.path);
	if (err == NULL) {
		plumbing_init(&git, repo, to, dir, NULL);
		err = plumbing_run(&git, args, NULL, &text);
		err = err_first(err, plumbing_release(&git));
	}
	if (err == NULL)
		err = print_visible(&text);
	str_release(&text);
	repo_close(repo);
	file_close(&dir);
	return err;
}

/* Each path that is not where the others are. */
static void
say(const char *path, const char *what)
{
	struct str line = STR_INIT;

	str_add_visible(&line, path, strlen(path));
	fprintf(stderr, "slipway: %s %s\n", line.s, what);
	str_release(&line);
}

static void
say_mode(const struct edit *edit)
{
	char *what = xasprintf(edit->left_out ? "is left out: no commit can"
	    " hold its mode or rights: %s" : "is left out in part: a commit can"
	    " hold whether its owner may execute it, and nothing else of its"
	    " mode or rights: %s", edit->mode);

	say(edit->path, what);
	free(what);
}

static void
tell_left_out(const struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		if (edits->v[i].left_out && edits->v[i].shared)
			say(edits->v[i].path, "is left out: it is in the place"
			    " of a link to shared/, and may be as secret");
		else if ((edits->v[i].left_out || edits->v[i].part) &&
		    edits->v[i].mode != NULL)
			say_mode(&edits->v[i]);
		else if (edits->v[i].left_out &&
		    strcmp(edits->v[i].change, "removed") == 0)
			say(edits->v[i].path, "is left out: only commands had"
			    " made it, and no commit can hold that it is"
			    " gone");
		else if (edits->v[i].left_out)
			say(edits->v[i].path, "is left out: no commit can hold"
			    " it, or this user may not read it");
	}
}

/* What was done about it is told to people alone. */
static const struct err *
tell(const struct call *call, const struct edits *edits, bool repair)
{
	const struct err *err = NULL;

	for (size_t i = 0; call_has(call, "diff") && i < edits->commits.n &&
	    err == NULL; i++)
		err = print_diff(call, edits->parents.v[i],
		    edits->commits.v[i]);
	if ((int64_t)edits->n < edits->count)
		fprintf(stderr, "slipway: %" PRId64 " more are not shown\n",
		    edits->count - (int64_t)edits->n);
	for (size_t i = 0; i < edits->branches.n; i++)
		fprintf(stderr, "slipway: kept on branch %s\n",
		    edits->branches.v[i]);
	tell_left_out(edits);
	for (size_t i = 0; i < edits->saved.n; i++)
		fprintf(stderr, "slipway: what was in the place of a link to"
		    " shared/ is in %s/%s now: take over from it what is"
		    " wanted, and remove it\n", call->env->set.root,
		    edits->saved.v[i]);
	for (size_t i = 0; i < edits->stays.n; i++)
		say(edits->stays.v[i], "stays");
	for (size_t i = 0; i < edits->roots.n; i++)
		say("only root can put an owner or a mode right;",
		    edits->roots.v[i]);
	if (edits->roots.n > 0)
		fprintf(stderr, "slipway: when that has been run, --repair"
		    " once more puts the rest right\n");
	if (edits->n == 0)
		fprintf(stderr, "slipway: the live release is what was"
		    " deployed\n");
	else if (repair && edits->stay == 0)
		fprintf(stderr, "slipway: the live release was put right\n");
	return err;
}

/* "modified vendor/lib": does a new release get that from this one? */
static bool
is_carried(const struct vec *carry, const char *stays)
{
	const char *path = stays + strcspn(stays, " ");

	path += *path == ' ';
	for (size_t i = 0; i < carry->n; i++) {
		size_t len = strlen(carry->v[i]);

		len -= str_ends_with(carry->v[i], "/");
		if (strncmp(path, carry->v[i], len) == 0 &&
		    (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

/* Each of those that are left needs a hand, or a release without it. */
static const struct err *
not_repaired(const struct call *call, const struct edits *edits)
{
	const struct settings *set = &call->env->set;
	bool one = edits->stay == 1, carried = false;

	for (size_t i = 0; i < edits->stays.n; i++)
		carried |= is_carried(&set->carry, edits->stays.v[i]);
	return err_new(ERR_FAILED, "%" PRId64 " change%s of what only"
	    " commands made, no commit can hold, or somebody has made"
	    " meanwhile, stay%s; mend that by hand in %s/current%s",
	    edits->stay, one ? "" : "s", one ? "s" : "", set->root,
	    carried ? ": a new release gets what 'carry' names as it is"
	    " there" : ", or deploy again: a new release has none of it");
}

/*
 * What keeps edits has git read the release, through filters of the
 * repository's own: they run for its owner alone, and not for root. And who
 * holds the lock wakes a runner, which must be the owner's.
 */
static const struct err *
open_hub(struct call *call, bool keeps)
{
	const struct err *err;

	err = cmd_open(call, keeps ? DB_WRITE : DB_READ, true);
	return err == NULL && keeps ? hub_check_owner(call->hub.path) : err;
}

static const struct err *
run_drift(struct call *call)
{
	struct edits_query query = {
		.host = call_value(call, "host"),
		.deep = call_has(call, "deep"),
		.branch = call_has(call, "adopt"),
		.repair = call_has(call, "repair"),
	};
	struct edits edits = { 0 };
	const struct err *err;

	query.adopt = query.branch || call_has(call, "diff");
	if (call->json && call_has(call, "diff"))
		return err_new(ERR_USAGE, "--json and --diff are two results;"
		    " ask for one of them");
	err = open_hub(call, query.adopt || query.repair);
	if (err == NULL)
		err = edits_find(&edits, &call->hub, call->env, &query);
	if (err == NULL && !call_has(call, "diff"))
		err = print_edits(call, &edits);
	if (err == NULL)
		err = tell(call, &edits, query.repair);
	if (err == NULL && edits.stay > 0)
		err = not_repaired(call, &edits);
	else if (err == NULL && edits.n > 0 && !query.repair)
		err = err_new(ERR_FAILED, "%s was edited by hand: %" PRId64
		    " change%s", call->env->name, edits.count,
		    edits.count == 1 ? "" : "s");
	edits_release(&edits);
	return err;
}

static const struct cmd_option options[] = {
	{ 0, "host", "HOST", "look at this host alone" },
	{ 0, "deep", NULL, "compare the content of every file" },
	{ 0, "diff", NULL, "show the changes as text" },
	{ 0, "adopt", NULL, "keep them on a branch drift/ENV/DATE" },
	{ 0, "repair", NULL, "keep them, and put the release right" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_drift = {
	.name = "drift",
	.words = "",
	.summary = "show what was changed by hand in the live release",
	.help = "Compare the live release with what was deployed, by size,"
	    " times and inode, and by content where these differ. Exits with"
	    " 1 when something was changed. What commands of the deploy made"
	    " is no change, nor is what lies in shared/ or in a place that"
	    " \"writable\" names.",
	.example = "slipway drift -C /srv/shop.git --diff\n"
	    "slipway drift -C /srv/shop.git --repair",
	.json = true,
	.options = options,
	.run = run_drift,
};
