/*
 * The hooks that git runs here: whose they are, and what they lead to.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/doctor.h"
#include "cmd/hooks.h"
#include "deploy/chained.h"
#include "file.h"
#include "path.h"
#include "proc.h"
#include "report/line.h"

/* A program says its version sooner, in milliseconds. */
#define VERSION_MS 5000

static const struct err *
keep(const char *bytes, size_t len, void *ctx)
{
	str_add_bytes(ctx, bytes, len);
	return NULL;
}

/* Nobody but root and ourselves can change it; in a sticky folder, neither. */
static bool
is_trusted(const struct stat *st)
{
	bool is_sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0;

	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	    (is_sticky || (st->st_mode & 022) == 0);
}

/* Neither a program nor a folder on its way is somebody else's. */
static bool
may_run(const char *program)
{
	char *at = xstrdup(program);
	struct stat st;
	bool may;

	do {
		char *up = path_dir(at);

		may = stat(at, &st) == 0 && is_trusted(&st);
		free(at);
		at = up;
	} while (may && strcmp(at, "/") != 0);
	may = may && stat(at, &st) == 0 && is_trusted(&st);
	free(at);
	return may;
}

/* The slipway beside a hook's program, given; NULL: not one to be run. */
static char *
trusted_slipway(const char *hook)
{
	char *program = realpath(hook, NULL), *dir, *slipway, *real = NULL;

	if (program == NULL)
		return NULL;
	dir = path_dir(program);
	slipway = path_join(dir, "slipway");
	real = realpath(slipway, NULL);
	if (real != NULL && !may_run(real)) {
		free(real);
		real = NULL;
	}
	free(slipway);
	free(dir);
	free(program);
	return real;
}

/*
 * What the slipway beside a hook's program says of itself, or nothing. Who
 * owns the repository chose that program, and is not to choose what root
 * runs.
 */
static void
add_version(struct str *out, const struct doctor *doctor, const char *hook)
{
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_result result = { .exit_status = -1 };
	const char *argv[] = { NULL, "--version", NULL };
	struct vec env = VEC_INIT;
	char *slipway;

	if (hub_check_owner(doctor->hub->path) != NULL)
		return;
	slipway = trusted_slipway(hook);
	if (slipway == NULL)
		return;
	argv[0] = slipway;
	proc_base_env(&env);
	spec.argv = argv;
	spec.env = (const char *const *)env.v;
	spec.timeout_ms = VERSION_MS;
	if (proc_run(&result, &spec, keep, out) != NULL ||
	    result.exit_status != 0)
		str_clear(out);
	str_trim_end(out);
	vec_release(&env);
	free(slipway);
}

static void
tell_elsewhere(struct doctor *doctor, const char *path, const char *remedy)
{
	struct str version = STR_INIT;

	add_version(&version, doctor, path);
	doctor_tell(doctor, LEVEL_WARNING, path, remedy, "it links to another"
	    " installation than this one, which is slipway "
	    SLIPWAY_VERSION "; that one is %s", version.len == 0 ?
	    "of an unknown version" : version.s);
	str_release(&version);
}

/* An init refuses, for who wrote that hook may want to keep it. */
static void
tell_stays(struct doctor *doctor, const char *path, const char *what)
{
	char *aside = xasprintf("%s%s", path, CHAINED_SUFFIX);
	struct str remedy = STR_INIT;

	str_add(&remedy, "remove ");
	str_add_word(&remedy, path);
	if (file_exists(AT_FDCWD, aside)) {
		str_add(&remedy, " or ");
		str_add_word(&remedy, aside);
	}
	str_addf(&remedy, ", then slipway init %s", doctor->hub->word);
	doctor_tell(doctor, LEVEL_FAULT, path, remedy.s, "%s", what);
	str_release(&remedy);
	free(aside);
}

static void
look_at_hook(struct doctor *doctor, const char *dir, const char *name)
{
	static const char *const words[] = {
		[HOOK_MISSING] = "it is missing, and git does without",
		[HOOK_FOREIGN] = "it is somebody else's, and Slipway's does"
		    " not run",
		[HOOK_STAYS] = "it is somebody else's, Slipway's does not"
		    " run, and init leaves this one as it is",
		[HOOK_DANGLING] = "it links to a program that is gone, and"
		    " git does without",
		[HOOK_IDLE] = "its program is not executable, and git does"
		    " without",
	};
	char *path = path_join(dir, name), *remedy = doctor_init_remedy(doctor);
	enum hook_state state = hooks_state(dir, name);

	if (state == HOOK_ELSEWHERE)
		tell_elsewhere(doctor, path, remedy);
	else if (state == HOOK_IDLE)
		doctor_tell(doctor, LEVEL_FAULT, path, "make install", "%s",
		    words[state]);
	else if (state == HOOK_STAYS)
		tell_stays(doctor, path, words[state]);
	else if (state != HOOK_OURS)
		doctor_tell(doctor, LEVEL_FAULT, path, remedy, "%s",
		    words[state]);
	free(remedy);
	free(path);
}

const struct err *
doctor_hooks(struct doctor *doctor)
{
	const struct err *err;
	const char *name;
	char *dir, *shared;

	err = hooks_dir(&dir, doctor->hub->path);
	if (err != NULL)
		return err;
	shared = hooks_shared(dir, doctor->hub->path);
	if (shared != NULL)
		doctor_tell(doctor, LEVEL_NOTE, shared, NULL, "the hooks are"
		    " there, and other repositories may use it, too");
	free(shared);
	for (size_t i = 0; (name = hooks_name(i)) != NULL; i++)
		look_at_hook(doctor, dir, name);
	free(dir);
	return NULL;
}
