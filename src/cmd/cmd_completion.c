/*
 * slipway completion - what a shell can complete, from the tables that the
 * command line is parsed by.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/filter.h"
#include "journal/deploy.h"
#include "plan/option.h"
#include "report/paint.h"

/* What an option's value can be completed to. */
enum kind {
	KIND_NOTHING,		/* any text: there is a value, and no help */
	KIND_FOLDER,
	KIND_FILE,
	KIND_ENVIRONMENT,	/* asked of the repository */
	KIND_WORD		/* one of add_choices() */
};

static enum kind
kind_of(const struct cmd_option *row)
{
	static const struct {
		const char *argument;
		const char *name;	/* NULL: of any option */
		enum kind kind;
	} kinds[] = {
		{ "DIR", NULL, KIND_FOLDER },
		{ "FILE", NULL, KIND_FILE },
		{ "ENV", NULL, KIND_ENVIRONMENT },
		{ "STATE", NULL, KIND_WORD },
		{ "KIND", NULL, KIND_WORD },
		{ "WHEN", "color", KIND_WORD },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(row->argument, kinds[i].argument) == 0 &&
		    (kinds[i].name == NULL ||
		    strcmp(row->name, kinds[i].name) == 0))
			return kinds[i].kind;
	}
	return KIND_NOTHING;
}

/* The fixed set that the value is one of: "word word". */
static void
add_choices(struct str *out, const struct cmd_option *row)
{
	const char *const *words = strcmp(row->name, "color") == 0 ?
	    paint_whens : filter_kinds;

	if (strcmp(row->name, "state") == 0) {
		for (int i = 0; i < DEPLOY_STATES; i++)
			str_addf(out, "%s%s", i == 0 ? "" : " ",
			    deploy_state_name((enum deploy_state)i));
		return;
	}
	for (size_t i = 0; words[i] != NULL; i++)
		str_addf(out, "%s%s", i == 0 ? "" : " ", words[i]);
}

static void
add_keys(struct str *out)
{
	const struct option *rows;
	size_t n;

	rows = option_table(&n);
	for (size_t i = 0; i < n; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || strcmp(rows[k].key, rows[i].key) ==
			    0;
		if (!again)
			str_addf(out, " %s", rows[i].key);
	}
}

static void
add_names(struct str *out)
{
	const struct cmd *const *commands;
	size_t n;

	commands = cmd_table(&n);
	for (size_t i = 0; i < n; i++)
		str_addf(out, " %s", commands[i]->name);
}

/* Words that a command takes, where they are known: " word word". */
static void
add_words(struct str *out, const struct cmd *cmd)
{
	if (strcmp(cmd->name, "audit") == 0)
		str_add(out, " export");
	else if (strcmp(cmd->name, "completion") == 0)
		str_add(out, " bash zsh");
	else if (strcmp(cmd->name, "config") == 0)
		add_keys(out);
	else if (strcmp(cmd->name, "help") == 0)
		add_names(out);
}

/* One that can be gone back to, which is asked of the repository. */
static bool
takes_release(const struct cmd *cmd)
{
	return cmd == &cmd_rollback;
}

typedef void (*option_cb)(struct str *out, const struct cmd *cmd,
    const struct cmd_option *row);

/* Its own options, and the global ones that it takes. */
static void
each_option(struct str *out, const struct cmd *cmd, option_cb cb)
{
	const struct cmd_option *lists[] = { cmd->options, cmd_globals() };

	for (size_t i = 0; i < 2; i++) {
		for (const struct cmd_option *row = lists[i]; row != NULL &&
		    row->name != NULL; row++) {
			if (cmd_takes(cmd, row))
				cb(out, cmd, row);
		}
	}
}

static void
bash_option(struct str *out, const struct cmd *cmd,
    const struct cmd_option *row)
{
	(void)cmd;
	if (row->letter != 0)
		str_addf(out, " -%c", row->letter);
	str_addf(out, " --%s", row->name);
}

/* "log:-n|log:--limit) return ;;" */
static void
bash_value(struct str *out, const struct cmd *cmd,
    const struct cmd_option *row)
{
	static const char *const sources[] = {
		[KIND_NOTHING] = NULL,
		[KIND_FOLDER] = "-d",
		[KIND_FILE] = "-f",
		[KIND_ENVIRONMENT] = "-W \"$(_slipway_environments)\"",
		[KIND_WORD] = "-W '",
	};
	const char *source;

	if (row->argument == NULL)
		return;
	str_add(out, "\t");
	if (row->letter != 0)
		str_addf(out, "%s:-%c|", cmd->name, row->letter);
	str_addf(out, "%s:--%s) ", cmd->name, row->name);
	source = sources[kind_of(row)];
	if (source != NULL)
		str_addf(out, "COMPREPLY=($(compgen %s", source);
	if (kind_of(row) == KIND_WORD) {
		add_choices(out, row);
		str_addch(out, '\'');
	}
	if (source != NULL)
		str_add(out, " -- \"$cur\")); ");
	str_add(out, "return ;;\n");
}

static const char bash_head[] =
    "# bash completion for slipway, made by: slipway completion bash\n"
    "\n"
    "# The word without its quotes; $NAME and $(...) in it stay as they are.\n"
    "_slipway_unquote()\n"
    "{\n"
    "\tlocal word=$1 quote= char\n"
    "\n"
    "\tplain=\n"
    "\tif [[ $word == '~/'* ]]; then\n"
    "\t\tplain=$HOME word=${word:1}\n"
    "\tfi\n"
    "\twhile [[ -n $word ]]; do\n"
    "\t\tchar=${word:0:1} word=${word:1}\n"
    "\t\tcase $quote$char in\n"
    "\t\t[\\'\\\"]) quote=$char ;;\n"
    "\t\t\\'\\'|\\\"\\\") quote= ;;\n"
    "\t\t\\\\|\\\"\\\\)\n"
    "\t\t\t# Between double quotes it stays, but for these.\n"
    "\t\t\tif [[ -n $quote && $word != [\\$\\`\\\"\\\\]* ]]; then\n"
    "\t\t\t\tplain+=$char\n"
    "\t\t\telse\n"
    "\t\t\t\tplain+=${word:0:1} word=${word:1}\n"
    "\t\t\tfi ;;\n"
    "\t\t*) plain+=$char ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "}\n"
    "\n"
    "# Asked of the repository that -C names.\n"
    "_slipway_ask()\n"
    "{\n"
    "\tlocal where=() plain i\n"
    "\n"
    "\tfor ((i = 1; i < COMP_CWORD - 1; i++)); do\n"
    "\t\t_slipway_unquote \"${COMP_WORDS[i + 1]}\"\n"
    "\t\tcase ${COMP_WORDS[i]} in\n"
    "\t\t-C|--repo) where+=(-C \"$plain\") ;;\n"
    "\t\t-e|--environment) where+=(-e \"$plain\") ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tslipway \"$@\" \"${where[@]}\" 2> /dev/null\n"
    "}\n"
    "\n"
    "_slipway_environments()\n"
    "{\n"
    "\t_slipway_ask config | sed -n 's/^\\[environment \\(.*\\)]$/\\1/p'\n"
    "}\n"
    "\n"
    "_slipway_releases()\n"
    "{\n"
    "\t_slipway_ask log -n 1000 --format '{release_state} {release}' |\n"
    "\t    sed -n 's/^retired //p'\n"
    "}\n"
    "\n"
    "_slipway()\n"
    "{\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
    "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "\tlocal command= words= i\n"
    "\n"
    "\tCOMPREPLY=()\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tcase ${COMP_WORDS[i]} in\n"
    "\t\t-C|--repo|-e|--environment|--color) ((i++)) ;;\n"
    "\t\t-*) ;;\n"
    "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tcase $command:$prev in\n";

static void
add_bash(struct str *out, const struct cmd *const *commands, size_t n)
{
	static const struct cmd none = { .name = "", .json = true };

	str_add(out, bash_head);
	each_option(out, &none, bash_value);
	for (size_t i = 0; i < n; i++)
		each_option(out, commands[i], bash_value);
	str_add(out, "\tesac\n\tcase $command in\n\t'') words='");
	for (size_t i = 0; i < n; i++) {
		if (!commands[i]->plumbing)
			str_addf(out, "%s%s", i == 0 ? "" : " ",
			    commands[i]->name);
	}
	each_option(out, &none, bash_option);
	str_add(out, " --version' ;;\n");
	for (size_t i = 0; i < n; i++) {
		struct str words = STR_INIT;

		add_words(&words, commands[i]);
		each_option(&words, commands[i], bash_option);
		str_addf(out, "\t%s) words='%s'%s ;;\n", commands[i]->name,
		    words.s + 1, takes_release(commands[i]) ?
		    "\" $(_slipway_releases)\"" : "");
		str_release(&words);
	}
	str_add(out, "\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\n\n"
	    "complete -o bashdefault -o default -F _slipway slipway\n");
}

/* Between single quotes, where brackets and colons mean something. */
static void
zsh_text(struct str *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			str_add(out, "'\\'");
		else if (strchr("[]:\\", *text) != NULL)
			str_addch(out, '\\');
		str_addch(out, *text);
	}
}

static void
zsh_value(struct str *out, const struct cmd_option *row)
{
	static const char *const actions[] = {
		[KIND_NOTHING] = "",
		[KIND_FOLDER] = "_files -/",
		[KIND_FILE] = "_files",
		[KIND_ENVIRONMENT] = "_slipway_environments",
		[KIND_WORD] = "(",
	};

	str_add(out, actions[kind_of(row)]);
	if (kind_of(row) == KIND_WORD) {
		add_choices(out, row);
		str_addch(out, ')');
	}
}

static void
zsh_option(struct str *out, const struct cmd *cmd,
    const struct cmd_option *row)
{
	str_add(out, " \\\n\t\t    ");
	/* One that may be given again, and has two names, needs no list. */
	if (row->letter != 0)
		str_addf(out, "'*'{-%c,--%s}", row->letter, row->name);
	else
		str_addf(out, "'*--%s'", row->name);
	str_add(out, "'[");
	zsh_text(out, cmd_option_help(cmd, row));
	str_add(out, "]");
	if (row->argument != NULL) {
		str_addch(out, ':');
		zsh_text(out, row->argument);
		str_addch(out, ':');
	}
	if (row->argument != NULL)
		zsh_value(out, row);
	str_addch(out, '\'');
}

static void
zsh_command(struct str *out, const struct cmd *cmd)
{
	struct str words = STR_INIT;

	str_addf(out, "\t\t%s)\n\t\t\t_arguments", cmd->name);
	each_option(out, cmd, zsh_option);
	add_words(&words, cmd);
	if (words.len > 0)
		str_addf(out, " \\\n\t\t    '*:word:(%s)'", words.s + 1);
	else if (takes_release(cmd))
		str_add(out, " \\\n\t\t    '*:release:_slipway_releases'");
	else if (cmd->words_max > 0)
		str_add(out, " \\\n\t\t    '*:word:_default'");
	str_add(out, " ;;\n");
	str_release(&words);
}

static const char zsh_head[] =
    "#compdef slipway\n"
    "# zsh completion for slipway, made by: slipway completion zsh\n"
    "\n"
    "# Those of the repository that -C names, before the command or behind"
    " it.\n"
    "_slipway_environments()\n"
    "{\n"
    "\tlocal -a where found\n"
    "\tlocal dir=${opt_args[-C]:-${opt_args[--repo]:-$repo}}\n"
    "\n"
    "\t[[ -z $dir ]] || where=(-C ${~${(Q)dir}})\n"
    "\tfound=(${(f)\"$(slipway config $where 2> /dev/null |\n"
    "\t    sed -n 's/^\\[environment \\(.*\\)]$/\\1/p')\"})\n"
    "\tcompadd -a found\n"
    "}\n"
    "\n"
    "_slipway_releases()\n"
    "{\n"
    "\tlocal -a where found\n"
    "\tlocal dir=${opt_args[-C]:-${opt_args[--repo]:-$repo}}\n"
    "\tlocal env=${opt_args[-e]:-${opt_args[--environment]}}\n"
    "\n"
    "\t[[ -z $dir ]] || where=(-C ${~${(Q)dir}})\n"
    "\t[[ -z $env ]] || where+=(-e ${(Q)env})\n"
    "\tfound=(${(f)\"$(slipway log -n 1000 $where --format \\\n"
    "\t    '{release_state} {release}' 2> /dev/null |\n"
    "\t    sed -n 's/^retired //p')\"})\n"
    "\tcompadd -a found\n"
    "}\n"
    "\n"
    "_slipway()\n"
    "{\n"
    "\tlocal context state state_descr line repo=\n"
    "\ttypeset -A opt_args\n"
    "\tlocal -a commands\n"
    "\tcommands=(\n";

static void
add_zsh(struct str *out, const struct cmd *const *commands, size_t n)
{
	static const struct cmd none = { .name = "", .json = true };

	str_add(out, zsh_head);
	for (size_t i = 0; i < n; i++) {
		if (commands[i]->plumbing)
			continue;
		str_addf(out, "\t\t'%s:", commands[i]->name);
		zsh_text(out, commands[i]->summary);
		str_add(out, "'\n");
	}
	str_add(out, "\t)\n\t_arguments -C");
	each_option(out, &none, zsh_option);
	str_add(out, " \\\n\t    '1:command:->command' '*::word:->words'\n"
	    "\trepo=${opt_args[-C]:-${opt_args[--repo]}}\n"
	    "\tcase $state in\n"
	    "\tcommand) _describe -t commands command commands ;;\n"
	    "\twords)\n\t\tcase $words[1] in\n");
	for (size_t i = 0; i < n; i++)
		zsh_command(out, commands[i]);
	str_add(out, "\t\tesac ;;\n\tesac\n}\n\n_slipway \"$@\"\n");
}

static const struct err *
run_completion(struct call *call)
{
	const struct cmd *const *commands;
	const char *shell = call->words.v[0];
	struct str out = STR_INIT;
	const struct err *err;
	size_t n;

	commands = cmd_table(&n);
	if (strcmp(shell, "bash") == 0)
		add_bash(&out, commands, n);
	else if (strcmp(shell, "zsh") == 0)
		add_zsh(&out, commands, n);
	else
		return err_new(ERR_USAGE, "completion %s: there is one for"
		    " bash and one for zsh", shell);
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

const struct cmd cmd_completion = {
	.name = "completion",
	.words = "bash|zsh",
	.words_min = 1,
	.words_max = 1,
	.summary = "print what makes a shell complete these commands",
	.help = "Print a script that completes commands, options and what is"
	    " known of their values. \"make install\" puts both to where the"
	    " shells look.",
	.example = "source <(slipway completion bash)",
	.plumbing = true,
	.run = run_completion,
};
