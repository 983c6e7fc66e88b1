/*
 * cmd - the doors people open: one file per subcommand.
 *
 * A command is described by a table: its options, its words, its help.
 * The table parses the command line, prints --help, and is what the
 * manual page is checked against. Every command also takes the global
 * options, before or after its name:
 *
 *	-C DIR, --repo DIR	   the bare repository
 *	-e ENV, --environment ENV  the environment
 *	--json			   results as JSON
 *	--color WHEN		   auto, always or never
 *	-h, --help
 */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "journal/hub.h"
#include "vec.h"

struct call;

struct cmd_option {
	int letter;		/* 0: none */
	const char *name;	/* long, without dashes */
	const char *argument;	/* name of its value; NULL: a switch */
	const char *help;
};

/* More options than this no command has. */
#define CMD_OPTIONS_MAX 12

struct cmd {
	const char *name;
	const char *words;	/* as in the synopsis: "[RELEASE|N]" */
	int words_min;
	int words_max;
	const char *summary;	/* one line for "slipway --help" */
	const char *help;	/* what --help says below the synopsis */
	const char *example;	/* command lines, one a line */
	bool json;		/* has --json */
	bool all_environments;	/* has no -e: it is about all of them */
	bool plumbing;		/* not listed in "slipway --help" */
	const struct cmd_option *options;	/* ended by a NULL name */
	const char *dir_help;	/* what -C is here; NULL: as everywhere */
	const char *environment_help;	/* likewise -e */
	const struct err *(*run)(struct call *call);
};

/* Of what is about all of them where none is named. */
#define CMD_ALL_ENVIRONMENTS "this environment alone (all of them)"

/* One command line, parsed. */
struct call {
	const struct cmd *cmd;
	const char *dir;		/* NULL: $GIT_DIR or "." */
	const char *environment;	/* NULL: the only one */
	bool json;
	struct vec words;
	struct vec given;		/* "name" or "name=value" */
	struct hub hub;			/* opened by cmd_open() */
	const struct environment *env;	/* likewise */
};

/* The value of an option, its last one; NULL when it was not given. */
const char *call_value(const struct call *call, const char *name);
bool call_has(const struct call *call, const char *name);

/* Every value of an option that may be repeated. */
void call_values(const struct call *call, const char *name,
    struct vec *values);

/*
 * Open the hub, its config and its journal. With "environment", also find
 * the environment: ERR_USAGE when it has to be named.
 */
const struct err *cmd_open(struct call *call, enum db_mode mode,
    bool environment);

/* The two halves of that: all but the journal, and the journal. */
const struct err *cmd_open_config(struct call *call, enum db_mode mode,
    bool environment);
const struct err *cmd_journal(struct call *call, enum db_mode mode);

/*
 * Open the hub and its journal for reading. A config that is wrong is told
 * and stands in nobody's way; when it is right, the environment that was
 * named must be one of its own, or of the journal. "env" is not set.
 */
const struct err *cmd_open_journal(struct call *call);

/*
 * Open the hub and its journal for writing, to stop what runs: that has read
 * its config, and one that is wrong now is told. Then hub.config may be NULL.
 */
const struct err *cmd_open_to_stop(struct call *call);

/*
 * The environment that was named is one of the config, or one that was
 * deployed once, which the config need not have any more.
 */
const struct err *cmd_check_named(const struct call *call);

/*
 * The repository that a word or -C names, else $GIT_DIR or the current
 * folder: for what makes it or takes it apart, so it need not deploy yet.
 * ERR_USAGE when they name two.
 */
const struct err *cmd_repository(const struct call *call, const char **dir);

/* Parse a deploy's number; ERR_USAGE. */
const struct err *cmd_number(int64_t *number, const char *word);

/*
 * " -C DIR" for the commands that somebody is told who named the repository
 * and is not in its folder; else "".
 */
char *cmd_where(const struct call *call);

/* The same with the environment, where there are several: config_which(). */
char *cmd_which(const struct call *call, const char *environment);

/*
 * Write the whole text to standard output, where nothing in it steers a
 * terminal: see paint_guard().
 */
const struct err *cmd_print(const struct str *text);

/*
 * Write a request, wake a runner, show the deploy to its end and return
 * its outcome as an error without words: the view has told it. With --json
 * the object goes to standard output and the view to standard error.
 */
struct deploy;
struct directives;
const struct err *cmd_request(struct call *call, struct deploy *request,
    const struct directives *options);

/*
 * Show a deploy to its end, in the same way. "last" is the one that was
 * shown in the end: the one that took its place, if it was superseded.
 */
const struct err *cmd_watch(struct call *call, int64_t number,
    struct deploy *last);

/*
 * view_deploy() for somebody who may press Ctrl-C: that ends the view alone,
 * with status 130, and says so.
 */
struct view_spec;
const struct err *cmd_view(const struct call *call,
    const struct view_spec *spec, int64_t *last);

/* All commands, "*n" of them, and the options that all of them take. */
const struct cmd *const *cmd_table(size_t *n);
const struct cmd_option *cmd_globals(void);

/* Whether a command takes one of its own options, or of those of all. */
bool cmd_takes(const struct cmd *cmd, const struct cmd_option *row);

/* What an option does, of the command's own or of all, in this command. */
const char *cmd_option_help(const struct cmd *cmd,
    const struct cmd_option *row);

/* The command of that name; ERR_USAGE names the nearest one. */
const struct err *cmd_find(const struct cmd **cmd, const char *name);

/* What --help prints: of a command, and the list of them. */
void cmd_print_help(const struct cmd *cmd);
void cmd_print_commands(void);

extern const struct cmd cmd_agent, cmd_audit, cmd_cancel, cmd_cleanup,
    cmd_completion, cmd_config, cmd_deploy, cmd_directives, cmd_doctor,
    cmd_drift, cmd_help, cmd_init, cmd_log, cmd_plan, cmd_resume, cmd_retry,
    cmd_rollback, cmd_runner, cmd_show, cmd_status, cmd_uninit, cmd_verify,
    cmd_version;

#endif
