/*
 * config - slipway.ini, checked and typed.
 *
 * [app] holds defaults for every [environment NAME]. [host NAME] names a
 * machine and what it is for; an environment without a host of its own
 * lives on this machine, as the host "local" which has every role.
 * [action NAME] binds a command to a phase.
 *
 * Every fault is ERR_CONFIG, worded "slipway.ini:LINE: what is wrong; what
 * to write instead"; the first one in the file is reported, faults of
 * single lines before those between sections. Nothing is half read:
 * "*config" is NULL on failure.
 *
 *	err = config_parse(&config, "slipway.ini", text.s, text.len);
 *	env = config_environment(config, "production");
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "plan/phase.h"
#include "vec.h"

/* What [app] sets for all environments and each may set for itself. */
struct settings {
	char *app;		/* key "name", in [app] only; without it
				 * the last part of the first root */
	char *root;		/* absolute */
	int64_t keep_count;
	int64_t keep_failed_count;
	struct vec shared;	/* relative; a slash at the end: folder */
	bool export;
	char *store;		/* auto, link, copy or reflink */
	struct vec carry;	/* relative, as "shared" */
	struct vec writable;	/* patterns, see drift.h */
	char *drift;		/* warn or refuse */
	int64_t threads;	/* 0: one for each processor */
	bool strict;
	bool require_signed_push;
	bool transactional;	/* the branch moves when the deploy is live */
	char *symlinks;		/* inside, any or none */
	int64_t max_files;	/* 0: no limit, as for the next two */
	int64_t max_bytes;
	int64_t max_file_bytes;
	char *gate;		/* NULL: none */
	int64_t gate_timeout_ms;	/* 0: no limit */
	bool allow_force;
	char *only_from;	/* a branch; NULL: any */
	bool signed_tags;
	char *other_refs;	/* store or refuse; in [app] only */
	struct vec env;		/* "NAME=value", later ones win */
};

struct environment {
	char *name;
	struct vec branches;	/* names and patterns, see takes.h */
	struct vec tags;
	char *branch;		/* the only one, if it is a plain name; NULL:
				 * there is no branch that it stands for */
	struct settings set;	/* complete, defaults filled in */
	int line;		/* of its section, 0: none */
};

struct host {
	char *name;
	char *environment;
	struct vec roles;	/* empty: every role */
	int line;
};

enum when {
	WHEN_ALWAYS,
	WHEN_CHANGED,		/* a path that matches a glob has changed */
	WHEN_ASKED		/* only by its directive */
};

struct action {
	char *name;
	enum phase phase;
	char *directive;	/* NULL: none */
	enum when when;
	struct vec globs;	/* of WHEN_CHANGED */
	char *run;
	char *undo;		/* NULL: cannot be undone */
	char *record;		/* NULL: nothing is kept */
	char *role;		/* NULL: every host */
	bool once;
	char *environment;	/* NULL: every environment */
	int64_t timeout_ms;	/* 0: no limit */
	bool retry;		/* safe to run again after a crash */
	int64_t memory_bytes;	/* 0: no limit */
	int64_t nice;
	struct vec env;
	int line;
};

/* A key as it stands in the file. */
struct config_line {
	unsigned int kind;	/* an enum option_section */
	char *section;		/* its name, "" of [app] */
	char *key;
	char *value;
	int line;
};

struct config {
	struct settings app;
	struct environment *environments;
	size_t n_environments;
	struct host *hosts;
	size_t n_hosts;
	struct action *actions;
	size_t n_actions;
	struct config_line *lines;	/* in the order of the file */
	size_t n_lines;
};

/* The largest file that is read, in bytes. */
#define CONFIG_SIZE_MAX (1024 * 1024)

/* The most sections of a file, and the most keys of a section. */
#define CONFIG_SECTIONS_MAX 1000
#define CONFIG_KEYS_MAX 1000

const struct err *config_parse(struct config **config, const char *name,
    const char *text, size_t len);

/*
 * The same for a developer's clone, which needs no environment: without
 * one it is the environment "clone", whose root is "root".
 */
const struct err *config_parse_clone(struct config **config,
    const char *name, const char *text, size_t len, const char *root);
void config_free(struct config *config);

/* NULL when there is none of that name. */
const struct environment *config_environment(const struct config *config,
    const char *name);

/*
 * The one environment meant when none is named: the only one, or
 * ERR_USAGE that lists them.
 */
const struct err *config_only_environment(const struct environment **env,
    const struct config *config);

/*
 * What stands behind a command that needs an environment, given: "" where
 * there is only one, else " -e NAME", or " -e ENV" when NULL is named.
 */
char *config_which(const struct config *config, const char *environment);

/*
 * The hosts of an environment in the order of the file: their number is
 * returned, the array is the caller's to free, the hosts are lent. Never
 * empty: "local" stands in.
 */
size_t config_hosts(const struct config *config,
    const struct environment *env, const struct host ***hosts);

/* The line that sets a key of a section, NULL when none does. */
const struct config_line *config_line(const struct config *config,
    unsigned int kind, const char *section, const char *key);

/* NULL when there is none of that name. */
const struct action *config_action(const struct config *config,
    const char *name);

/* True when the action is meant for this environment. */
bool config_action_applies(const struct action *action,
    const struct environment *env);

/* True when the host has the role; NULL is had by every host. */
bool config_host_has_role(const struct host *host, const char *role);

#endif
