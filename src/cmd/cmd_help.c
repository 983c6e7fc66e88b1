/*
 * slipway help and slipway version - what is printed about the program
 * itself, and what --help prints.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

/* Characters of an option in --help, and of what it does, beside it. */
#define LEFT_WIDTH 26
#define HELP_WIDTH 50

/* Characters of a line of what a command is for. */
#define TEXT_WIDTH 79

/* As many lines as it takes, the first of them begun unless "indent". */
static void
print_help_text(const char *text, bool indent)
{
	while (*text != '\0') {
		int len = (int)strlen(text);

		for (int i = len; len > HELP_WIDTH; i--) {
			if (i == 0 || (text[i] == ' ' && i <= HELP_WIDTH))
				len = i == 0 ? HELP_WIDTH : i;
		}
		printf("%*s %.*s\n", indent ? LEFT_WIDTH + 2 : 0, "", len,
		    text);
		indent = true;
		text += len;
		text += *text == ' ';
	}
}

static void
print_options(const struct cmd *cmd, const struct cmd_option *row)
{
	for (; row != NULL && row->name != NULL; row++) {
		struct str left = STR_INIT;

		if (!cmd_takes(cmd, row))
			continue;
		if (row->letter != 0)
			str_addf(&left, "-%c, ", row->letter);
		str_addf(&left, "--%s%s%s", row->name,
		    row->argument == NULL ? "" : " ",
		    row->argument == NULL ? "" : row->argument);
		/* A wide one has its help on the next line. */
		printf("  %-*s%s", LEFT_WIDTH, left.s,
		    left.len > LEFT_WIDTH ? "\n" : "");
		print_help_text(cmd_option_help(cmd, row),
		    left.len > LEFT_WIDTH);
		str_release(&left);
	}
}

/* Words, as many to a line as it takes. */
static void
print_text(const char *text)
{
	size_t at = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (at > 0)
			putchar(at + 1 + len > TEXT_WIDTH ? '\n' : ' ');
		at = at > 0 && at + 1 + len <= TEXT_WIDTH ? at + 1 + len :
		    len;
		printf("%.*s", (int)len, text);
		text += len;
		text += *text == ' ';
	}
	putchar('\n');
}

void
cmd_print_help(const struct cmd *cmd)
{
	printf("usage: slipway %s [OPTIONS]%s%s\n\n", cmd->name,
	    *cmd->words == '\0' ? "" : " ", cmd->words);
	print_text(cmd->help);
	printf("\nOptions:\n");
	print_options(cmd, cmd->options);
	print_options(cmd, cmd_globals());
	printf("\nExample:\n");
	for (const char *line = cmd->example; *line != '\0'; ) {
		int len = (int)strcspn(line, "\n");

		printf("  %.*s\n", len, line);
		line += len;
		line += *line == '\n';
	}
}

void
cmd_print_commands(void)
{
	const struct cmd *const *commands;
	size_t n;

	commands = cmd_table(&n);
	printf("usage: slipway [-C DIR] [-e ENV] COMMAND [OPTIONS]\n\n"
	    "git push is the deployment. Commands:\n\n");
	for (size_t i = 0; i < n; i++) {
		if (!commands[i]->plumbing)
			printf("  %-11s %s\n", commands[i]->name,
			    commands[i]->summary);
	}
	printf("\nPlumbing, for the others and for shells:\n\n");
	for (size_t i = 0; i < n; i++) {
		if (commands[i]->plumbing)
			printf("  %-11s %s\n", commands[i]->name,
			    commands[i]->summary);
	}
	printf("\nslipway COMMAND --help tells more; see also slipway(1).\n");
}

static const struct err *
run_help(struct call *call)
{
	const struct cmd *cmd;
	const struct err *err;

	if (call->words.n == 0) {
		cmd_print_commands();
		return NULL;
	}
	err = cmd_find(&cmd, call->words.v[0]);
	if (err == NULL)
		cmd_print_help(cmd);
	return err;
}

static const struct err *
run_version(struct call *call)
{
	(void)call;
	printf("slipway %s\n", SLIPWAY_VERSION);
	return NULL;
}

const struct cmd cmd_help = {
	.name = "help",
	.words = "[COMMAND]",
	.words_max = 1,
	.summary = "list the commands, or tell more about one",
	.help = "List the commands; or print what COMMAND is for, its options"
	    " and an example, as its --help does.",
	.example = "slipway help rollback",
	.run = run_help,
};

const struct cmd cmd_version = {
	.name = "version",
	.words = "",
	.summary = "print the version",
	.help = "Print the version of Slipway, as slipway --version does.",
	.example = "slipway version",
	.run = run_version,
};
