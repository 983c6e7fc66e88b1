/*
 * Versions: what is needed at the least, and what Debian has put right
 * since. Which level that is the package lists of the machine know.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/doctor.h"
#include "cmd/git.h"
#include "db.h"
#include "proc.h"
#include "vec.h"

/* proc-receive came with it. */
#define GIT_MAJOR 2
#define GIT_MINOR 29

/* STRICT tables came with it. */
#define SQLITE_NUMBER 3037000

static const struct err *
look_at_git(struct doctor *doctor)
{
	struct str text = STR_INIT;
	const struct err *err;
	int major, minor;

	err = git_version(&text);
	if (err == NULL && sscanf(text.s, "git version %d.%d", &major,
	    &minor) == 2 && (major < GIT_MAJOR || (major == GIT_MAJOR &&
	    minor < GIT_MINOR)))
		doctor_tell(doctor, LEVEL_FAULT, "git", "apt-get install git",
		    "%s is older than %d.%d, the first with the hook that"
		    " transactional pushes and refs/deploy/ need", text.s,
		    GIT_MAJOR, GIT_MINOR);
	str_release(&text);
	return err;
}

/* The library that was linked in, beside the one that is there now. */
static void
look_at_git2(struct doctor *doctor)
{
	char path[256], now[320];
	struct stat st;

	if (sscanf(doctor_git2, "%255s", path) != 1 || stat(path, &st) == -1)
		return;
	snprintf(now, sizeof(now), "%s %lld %lld", path,
	    (long long)st.st_mtime, (long long)st.st_size);
	if (strcmp(now, doctor_git2) != 0)
		doctor_tell(doctor, LEVEL_WARNING, path, "make install",
		    "libgit2 was updated since, and these programs have the"
		    " old one linked in");
}

const struct err *
doctor_programs(struct doctor *doctor)
{
	const struct err *err = look_at_git(doctor);

	look_at_git2(doctor);
	if (db_library_number() < SQLITE_NUMBER)
		doctor_tell(doctor, LEVEL_FAULT, "sqlite",
		    "apt-get install libsqlite3-0", "%s is older than 3.37,"
		    " the first with the tables of the journal",
		    db_library_version());
	return err;
}

static const struct err *
keep(const char *bytes, size_t len, void *ctx)
{
	str_add_bytes(ctx, bytes, len);
	return NULL;
}

static const struct err *
ask_apt(struct str *out, bool *there)
{
	static const char *const argv[] = { "apt-cache", "policy", "git",
	    "libgit2-1.5", "libgit2-dev", "libsqlite3-0", "libinih1",
	    "libmd0", "zlib1g", "openssh-server", "nginx", "apache2", NULL };
	const char *path = getenv("PATH");
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_result result = { .exit_status = -1 };
	struct vec env = VEC_INIT;
	const struct err *err;

	if (path != NULL)
		vec_pushf(&env, "PATH=%s", path);
	vec_push(&env, "LC_ALL=C");
	proc_base_env(&env);
	spec.argv = argv;
	spec.env = (const char *const *)env.v;
	err = proc_run(&result, &spec, keep, out);
	*there = err == NULL && result.exit_status == 0;
	vec_release(&env);
	return err != NULL && err->code != ERR_SYSTEM ? err : NULL;
}

static void
compare(struct doctor *doctor, const char *package, const char *installed,
    const char *candidate)
{
	char remedy[160];

	if (strcmp(installed, candidate) == 0 ||
	    strcmp(installed, "(none)") == 0)
		return;
	snprintf(remedy, sizeof(remedy), "apt-get install --only-upgrade"
	    " %.60s%s", package, strcmp(package, "libgit2-dev") == 0 ?
	    "; then make install, which links it" : "");
	doctor_tell(doctor, LEVEL_WARNING, package, remedy, "version %s is"
	    " installed, and %s is to be had", installed, candidate);
}

/* "git:", then indented "Installed: VERSION" and "Candidate: VERSION". */
const struct err *
doctor_packages(struct doctor *doctor)
{
	char package[61] = "", installed[101] = "", candidate[101];
	struct str text = STR_INIT;
	struct vec lines = VEC_INIT;
	const struct err *err;
	bool there;

	err = ask_apt(&text, &there);
	if (err == NULL && there)
		vec_split(&lines, text.s, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i];

		if (line[0] != ' ')
			sscanf(line, "%60[^:]", package);
		else if (sscanf(line, " Candidate: %100s", candidate) == 1)
			compare(doctor, package, installed, candidate);
		else
			sscanf(line, " Installed: %100s", installed);
	}
	vec_release(&lines);
	str_release(&text);
	return err;
}
