/*
 * main - find the command, parse its line, print its error once.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "nearest.h"
#include "plan/directive.h"
#include "report/paint.h"

static const struct cmd *const commands[] = {
	&cmd_init,
	&cmd_status,
	&cmd_log,
	&cmd_show,
	&cmd_plan,
	&cmd_deploy,
	&cmd_retry,
	&cmd_rollback,
	&cmd_cancel,
	&cmd_config,
	&cmd_directives,
	&cmd_doctor,
	&cmd_drift,
	&cmd_cleanup,
	&cmd_resume,
	&cmd_verify,
	&cmd_audit,
	&cmd_uninit,
	&cmd_help,
	&cmd_version,
	&cmd_runner,
	&cmd_agent,
	&cmd_completion,
};

#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

const struct cmd *const *
cmd_table(size_t *n)
{
	*n = N_COMMANDS;
	return commands;
}

static const struct cmd_option global_options[] = {
	{ 'C', "repo", "DIR", "the bare repository (else $GIT_DIR, or the"
	    " current folder)" },
	{ 'e', "environment", "ENV", "the environment, to be named"
	    " where there are several" },
	{ 'h', "help", NULL, "show this help" },
	{ 0, "json", NULL, "print the result as JSON" },
	{ 0, "color", "WHEN", "colours: always, never, or auto, which is on"
	    " a terminal unless NO_COLOR is set (auto)" },
	{ 0, NULL, NULL, NULL }
};

/* What only stands before the command. */
static const struct cmd_option line_options[] = {
	{ 0, "version", NULL, "print the version" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd_option *
cmd_globals(void)
{
	return global_options;
}

bool
cmd_takes(const struct cmd *cmd, const struct cmd_option *row)
{
	if (strcmp(row->name, "environment") == 0)
		return !cmd->all_environments;
	return strcmp(row->name, "json") != 0 || cmd->json;
}

const char *
cmd_option_help(const struct cmd *cmd, const struct cmd_option *row)
{
	if (row == &global_options[0] && cmd->dir_help != NULL)
		return cmd->dir_help;
	if (row == &global_options[1] && cmd->environment_help != NULL)
		return cmd->environment_help;
	return row->help;
}

/* getopt_long's value for an option is its index in the list and this. */
#define VALUE_BASE 1000

/* All options of one command, in the form that getopt_long wants. */
struct parser {
	const struct cmd_option *rows[CMD_OPTIONS_MAX + 6];
	struct option longs[CMD_OPTIONS_MAX + 7];
	struct str shorts;
	int n;
};

static void
add_options(struct parser *parser, const struct cmd_option *row, bool json)
{
	for (; row != NULL && row->name != NULL; row++) {
		if (strcmp(row->name, "json") == 0 && !json)
			continue;
		parser->rows[parser->n] = row;
		parser->longs[parser->n] = (struct option){
			row->name, row->argument != NULL, NULL,
			VALUE_BASE + parser->n
		};
		if (row->letter != 0)
			str_addf(&parser->shorts, "%c%s", row->letter,
			    row->argument != NULL ? ":" : "");
		parser->n++;
	}
}

static const struct cmd_option *
option_of(const struct parser *parser, int value)
{
	if (value >= VALUE_BASE)
		return parser->rows[value - VALUE_BASE];
	for (int i = 0; i < parser->n; i++) {
		if (parser->rows[i]->letter == value)
			return parser->rows[i];
	}
	return NULL;
}

const struct err *
cmd_find(const struct cmd **cmd, const char *name)
{
	const char *names[N_COMMANDS], *nearest;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		names[i] = commands[i]->name;
		*cmd = commands[i];
		if (strcmp(name, names[i]) == 0)
			return NULL;
	}
	*cmd = NULL;
	nearest = nearest_word(name, names, N_COMMANDS);
	if (nearest != NULL)
		return err_new(ERR_USAGE, "'%s' is no command; did you mean"
		    " '%s'?", name, nearest);
	return err_new(ERR_USAGE, "'%s' is no command; slipway --help lists"
	    " them", name);
}

/* One option of the line. "*help" is set by --help. */
static const struct err *
take_option(struct call *call, const struct cmd_option *row,
    const char *value, bool *help)
{
	if (row == &global_options[0])
		call->dir = value;
	else if (row == &global_options[1])
		call->environment = value;
	else if (row == &global_options[2])
		*help = true;
	else if (row == &global_options[3])
		call->json = true;
	else if (row == &global_options[4])
		return paint_choose(value);
	else if (row->argument == NULL)
		vec_push(&call->given, row->name);
	else
		vec_pushf(&call->given, "%s=%s", row->name, value);
	return NULL;
}

static const struct err *
unknown_option(const struct call *call, const struct parser *parser,
    const char *given)
{
	const char *names[CMD_OPTIONS_MAX + 6], *near = NULL;
	const char *command = call->cmd == NULL ? "" : call->cmd->name;
	size_t n = 0;

	for (int i = 0; i < parser->n; i++)
		names[n++] = parser->rows[i]->name;
	if (str_starts_with(given, "--"))
		near = nearest_word(given + 2, names, n);
	if (near != NULL)
		return err_new(ERR_USAGE, "unknown option '%s'; did you mean"
		    " '--%s'?", given, near);
	return err_new(ERR_USAGE, "unknown option '%s'; see slipway %s%s"
	    "--help", given, command, *command == '\0' ? "" : " ");
}

/* Of several letters behind one dash, the one that is meant. */
static const char *
wrong_option(char letter[3], char **argv)
{
	if (optopt <= ' ' || optopt > '~')
		return argv[optind - 1];
	letter[0] = '-';
	letter[1] = (char)optopt;
	letter[2] = '\0';
	return letter;
}

/* Options of one line, in any order with its words. */
static const struct err *
parse(struct call *call, const struct parser *parser, int argc, char **argv,
    bool *help)
{
	const struct err *err = NULL;
	char letter[3];
	int value;

	optind = 0;
	opterr = 0;
	while (err == NULL && (value = getopt_long(argc, argv,
	    parser->shorts.s, parser->longs, NULL)) != -1) {
		const struct cmd_option *row = option_of(parser, value);

		if (row == NULL && value == ':')
			return err_new(ERR_USAGE, "%s needs a value",
			    wrong_option(letter, argv));
		if (row == NULL)
			return unknown_option(call, parser,
			    wrong_option(letter, argv));
		err = take_option(call, row, optarg, help);
	}
	return err;
}

static const struct err *
check_words(const struct call *call)
{
	int n = (int)call->words.n;

	if (n >= call->cmd->words_min && n <= call->cmd->words_max)
		return NULL;
	if (n < call->cmd->words_min)
		return err_new(ERR_USAGE, "%s: %s is missing; see slipway %s"
		    " --help", call->cmd->name, call->cmd->words,
		    call->cmd->name);
	return err_new(ERR_USAGE, "%s: '%s' is too much; see slipway %s"
	    " --help", call->cmd->name, call->words.v[call->cmd->words_max],
	    call->cmd->name);
}

/* What stands behind the command's name; "help" when --help stood before. */
static const struct err *
run_command(struct call *call, int argc, char **argv, bool help)
{
	struct parser parser = { .shorts = STR_INIT };
	const struct err *err;

	str_add(&parser.shorts, ":");
	add_options(&parser, call->cmd->options, true);
	add_options(&parser, global_options, call->cmd->json);
	err = parse(call, &parser, argc, argv, &help);
	str_release(&parser.shorts);
	if (err != NULL)
		return err;
	if (help) {
		cmd_print_help(call->cmd);
		return NULL;
	}
	for (int i = optind; i < argc; i++)
		vec_push(&call->words, argv[i]);
	if (call->json && !call->cmd->json)
		return err_new(ERR_USAGE, "%s has no --json",
		    call->cmd->name);
	if (call->environment != NULL && call->cmd->all_environments)
		return err_new(ERR_USAGE, "%s has no -e: it is about all"
		    " environments of the repository", call->cmd->name);
	err = check_words(call);
	return err != NULL ? err : call->cmd->run(call);
}

/* What stands before the command's name. */
static const struct err *
run_line(struct call *call, int argc, char **argv)
{
	static char version[] = "version";
	struct parser parser = { .shorts = STR_INIT };
	const struct err *err;
	bool help = false;

	str_add(&parser.shorts, "+:");
	add_options(&parser, global_options, true);
	add_options(&parser, line_options, true);
	err = parse(call, &parser, argc, argv, &help);
	str_release(&parser.shorts);
	if (err != NULL)
		return err;
	/* The option stands where the command's name would. */
	if (call_has(call, version))
		argv[--optind] = version;
	if (optind == argc) {
		cmd_print_commands();
		return help ? NULL : err_new(ERR_USAGE, "no command given");
	}
	argc -= optind;
	argv += optind;
	err = cmd_find(&call->cmd, argv[0]);
	return err != NULL ? err : run_command(call, argc, argv, help);
}

int
main(int argc, char **argv)
{
	struct call call = { .hub = HUB_INIT };
	const struct err *err;

	err = paint_choose("auto");
	if (err == NULL)
		err = run_line(&call, argc, argv);
	if (err == NULL && fflush(stdout) == EOF)
		err = err_system("write the result");
	if (err != NULL && *err->text != '\0')
		err_print("slipway", err);
	hub_close(&call.hub);
	vec_release(&call.words);
	vec_release(&call.given);
	return err_exit_status(err);
}
