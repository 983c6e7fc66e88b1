#include "plan/option.h"

#include <string.h>

#include "nearest.h"
#include "plan/config.h"
#include "plan/directive.h"

#define SETTING(field) .app_offset = offsetof(struct settings, field)
#define ENVIRONMENT(field) .offset = offsetof(struct environment, field)
#define HOST(field) .offset = offsetof(struct host, field)
#define ACTION(field) .offset = offsetof(struct action, field)
#define BOTH (SECTION_APP | SECTION_ENVIRONMENT)

static const struct option options[] = {
	{ "name", SECTION_APP, OPTION_NAME, SETTING(app),
	    .help = "What the application is called in messages",
	    .example = "shop" },
	{ "root", BOTH, OPTION_ROOT, SETTING(root),
	    .help = "Folder that holds releases/, shared/ and current",
	    .example = "/srv/shop" },
	{ "shared", BOTH, OPTION_PATHS, SETTING(shared),
	    .help = "Files and folders/ that outlive releases",
	    .example = "uploads/ config/local.php" },
	{ "keep", BOTH, OPTION_COUNT, SETTING(keep_count), .least = 1,
	    .otherwise = "5",
	    .help = "How many releases that were live are kept; always the last"
	    " two" },
	{ "keep_failed", BOTH, OPTION_COUNT, SETTING(keep_failed_count),
	    .otherwise = "1",
	    .help = "How many failed releases are kept to look at" },
	{ "export", BOTH, OPTION_BOOL, SETTING(export), .otherwise = "no",
	    .help = "Write what git archive would, not git checkout" },
	{ "store", BOTH, OPTION_CHOICE, SETTING(store), .otherwise = "auto",
	    .choices = { "auto", "link", "copy", "reflink" },
	    .help = "Whether releases share files that are the same" },
	{ "carry", BOTH, OPTION_PATHS, SETTING(carry),
	    .help = "What builds made and the next release takes over",
	    .example = "vendor/ node_modules/" },
	{ "writable", BOTH, OPTION_PATHS, SETTING(writable),
	    .help = "Where the application adds files; they are no drift",
	    .example = "var/cache/ */__pycache__/" },
	{ "drift", BOTH, OPTION_CHOICE, SETTING(drift), .otherwise = "warn",
	    .choices = { "warn", "refuse" },
	    .help = "What a deploy does when the live release was edited" },
	{ "threads", BOTH, OPTION_COUNT, SETTING(threads), .most = 32767,
	    .otherwise = "0",
	    .help = "Threads that make a release; 0 is one a processor" },
	{ "strict", BOTH, OPTION_BOOL, SETTING(strict), .otherwise = "no",
	    .help = "Refuse a push whose directives nobody knows" },
	{ "require_signed_push", BOTH, OPTION_BOOL,
	    SETTING(require_signed_push), .otherwise = "no",
	    .help = "Refuse a push that is not made with git push --signed" },
	{ "transactional", BOTH, OPTION_BOOL, SETTING(transactional),
	    .otherwise = "no",
	    .help = "Deploy first, and move the branch when it is live" },
	{ "symlinks", BOTH, OPTION_CHOICE, SETTING(symlinks),
	    .otherwise = "inside", .choices = { "inside", "any", "none" },
	    .help = "Where the symlinks of a commit may lead" },
	{ "max_files", BOTH, OPTION_COUNT, SETTING(max_files),
	    .otherwise = "0",
	    .help = "The most files a commit may have; 0 is any number",
	    .example = "50000" },
	{ "max_size", BOTH, OPTION_SIZE, SETTING(max_bytes),
	    .unit = "bytes", .otherwise = "0",
	    .help = "The most that its files may take; 0 is any size",
	    .example = "2G" },
	{ "max_file_size", BOTH, OPTION_SIZE, SETTING(max_file_bytes),
	    .unit = "bytes", .otherwise = "0",
	    .help = "The most that one of them may take; 0 is any size",
	    .example = "100M" },
	{ "gate", BOTH, OPTION_COMMAND, SETTING(gate),
	    .help = "Checks what is pushed; when it fails, so does the push",
	    .example = "make check" },
	{ "gate_timeout", BOTH, OPTION_DURATION, SETTING(gate_timeout_ms),
	    .unit = "seconds", .otherwise = "10m",
	    .help = "It is ended after this time; 0 is never" },
	{ "allow_force", BOTH, OPTION_BOOL, SETTING(allow_force),
	    .otherwise = "yes",
	    .help = "Whether what is deployed may be rewound or deleted" },
	{ "only_from", BOTH, OPTION_BRANCH, SETTING(only_from),
	    .help = "Only commits that this branch has are deployed",
	    .example = "main" },
	{ "signed_tags", BOTH, OPTION_BOOL, SETTING(signed_tags),
	    .otherwise = "no",
	    .help = "Only tags with a good signature are deployed" },
	{ "other_refs", SECTION_APP, OPTION_CHOICE, SETTING(other_refs),
	    .otherwise = "store", .choices = { "store", "refuse" },
	    .help = "What becomes of a ref that nothing deploys" },
	{ "env.", BOTH | SECTION_ACTION, OPTION_ENV, SETTING(env),
	    ACTION(env),
	    .help = "A variable for commands, here and in any section below",
	    .example = "production" },

	{ "branch", SECTION_ENVIRONMENT, OPTION_BRANCHES,
	    ENVIRONMENT(branches),
	    .help = "A push to this branch is deployed; '*' is any text",
	    .example = "main" },
	{ "tags", SECTION_ENVIRONMENT, OPTION_TAGS, ENVIRONMENT(tags),
	    .help = "Such tags are deployed when they are pushed",
	    .example = "v*" },

	{ "environment", SECTION_HOST, OPTION_NAME, HOST(environment),
	    .help = "What lives there; may be left out if there is only one",
	    .example = "production" },
	{ "roles", SECTION_HOST, OPTION_WORDS, HOST(roles),
	    .help = "What the host is for; every role if left out",
	    .example = "web db" },

	{ "phase", SECTION_ACTION, OPTION_PHASE, ACTION(phase),
	    .required = true,
	    .help = "The station of the deploy at which it runs",
	    .example = "migrate" },
	{ "run", SECTION_ACTION, OPTION_COMMAND, ACTION(run),
	    .required = true,
	    .help = "The command, for /bin/sh in the folder of the release",
	    .example = "drush updatedb -y" },
	{ "directive", SECTION_ACTION, OPTION_DIRECTIVE, ACTION(directive),
	    .help = "Runs when a commit message says so: -updb-",
	    .example = "updb" },
	{ "when", SECTION_ACTION, OPTION_WHEN, ACTION(when),
	    .help = "Runs always, or when a path has changed",
	    .example = "changed */migrations/* composer.lock" },
	{ "undo", SECTION_ACTION, OPTION_COMMAND, ACTION(undo),
	    .help = "The command that takes it back when the deploy fails",
	    .example = "bin/undo \"$SLIPWAY_RECORD\"" },
	{ "record", SECTION_ACTION, OPTION_COMMAND, ACTION(record),
	    .help = "Its output before and after the step is kept for undo",
	    .example = "bin/list-migrations" },
	{ "role", SECTION_ACTION, OPTION_NAME, ACTION(role),
	    .help = "Only hosts of this role run it",
	    .example = "db" },
	{ "once", SECTION_ACTION, OPTION_BOOL, ACTION(once),
	    .otherwise = "no",
	    .help = "Only the first host of the role runs it",
	    .example = "yes" },
	{ "environment", SECTION_ACTION, OPTION_NAME, ACTION(environment),
	    .help = "Only this environment has it; all do if left out",
	    .example = "production" },
	{ "timeout", SECTION_ACTION, OPTION_DURATION, ACTION(timeout_ms),
	    .unit = "seconds", .otherwise = "10m",
	    .help = "It is ended after this time; 0 is never" },
	{ "retry", SECTION_ACTION, OPTION_BOOL, ACTION(retry),
	    .otherwise = "yes",
	    .help = "It can run again after a crash in the midst of it" },
	{ "memory", SECTION_ACTION, OPTION_SIZE, ACTION(memory_bytes),
	    .unit = "bytes", .otherwise = "0",
	    .help = "The most memory each of its processes gets; 0 is any",
	    .example = "2G" },
	{ "nice", SECTION_ACTION, OPTION_NICE, ACTION(nice),
	    .otherwise = "0",
	    .help = "How far it stands back for other programs, 0 to 19",
	    .example = "10" },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *const type_texts[] = {
	[OPTION_NAME] = "a name of letters, digits, '-', '_' and '.'",
	[OPTION_TEXT] = "any text on one line",
	[OPTION_ROOT] = "the absolute path of a folder",
	[OPTION_BRANCH] = "the name of a branch without refs/heads/",
	[OPTION_BRANCHES] = "the name of a branch without refs/heads/, or"
	    " several, with '*' for any text",
	[OPTION_TAGS] = "names of tags without refs/tags/, with '*' for any"
	    " text",
	[OPTION_COUNT] = "a whole number",
	[OPTION_NICE] = "a whole number from 0 to 19",
	[OPTION_BOOL] = "yes or no",
	[OPTION_DURATION] = "a time as in 90s, 5m or 2h",
	[OPTION_SIZE] = "a size as in 512M or 2G",
	[OPTION_WORDS] = "names separated by spaces",
	[OPTION_PATHS] = "relative paths separated by spaces,"
	    " folders with a slash at the end",
	[OPTION_DIRECTIVE] = "lower-case letters, digits and '_'",
	[OPTION_WHEN] = "always, or changed and one or more patterns",
	[OPTION_COMMAND] = "a command for /bin/sh",
	[OPTION_ENV] = "a name of letters, digits and '_' behind 'env.'",
};

const struct option *
option_table(size_t *n)
{
	*n = N_OPTIONS;
	return options;
}

const struct option *
option_find(enum option_section section, const char *key)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *row = &options[i];

		if ((row->sections & section) == 0)
			continue;
		if (row->type == OPTION_ENV ?
		    str_starts_with(key, row->key) :
		    strcmp(key, row->key) == 0)
			return row;
	}
	return NULL;
}

const char *
option_nearest(enum option_section section, const char *key)
{
	const char *keys[N_OPTIONS];
	size_t n = 0;

	for (size_t i = 0; i < N_OPTIONS; i++) {
		if ((options[i].sections & section) != 0 &&
		    options[i].type != OPTION_ENV)
			keys[n++] = options[i].key;
	}
	return nearest_word(key, keys, n);
}

bool
option_has_choice(const struct option *row, const char *word)
{
	for (size_t i = 0; row->choices[i] != NULL; i++) {
		if (strcmp(row->choices[i], word) == 0)
			return true;
	}
	return false;
}

void
option_add_type(struct str *out, const struct option *row)
{
	if (row->type == OPTION_PHASE)
		str_add(out, phase_names());
	else if (row->type != OPTION_CHOICE)
		str_add(out, type_texts[row->type]);
	for (size_t i = 0; row->choices[i] != NULL; i++)
		str_addf(out, "%s%s", i == 0 ? "" :
		    row->choices[i + 1] == NULL ? " or " : ", ",
		    row->choices[i]);
}

const char *
option_section_name(enum option_section section)
{
	switch (section) {
	case SECTION_APP:
		return "app";
	case SECTION_ENVIRONMENT:
		return "environment";
	case SECTION_HOST:
		return "host";
	case SECTION_ACTION:
		break;
	}
	return "action";
}

static void
add_help(struct str *out, const struct option *row)
{
	str_addf(out, "# %s", row->help);
	if (row->otherwise != NULL)
		str_addf(out, " (%s)", row->otherwise);
	str_add(out, ".\n");
}

/* A row whose value is known is set, any other becomes a comment. */
static void
add_row(struct str *out, const struct option *row, const char *value,
    bool set)
{
	if (value == NULL)
		value = row->example != NULL ? row->example : row->otherwise;
	add_help(out, row);
	str_addf(out, "%s%s%s = %s\n", set ? "" : "; ", row->key,
	    row->type == OPTION_ENV ? OPTION_ENV_EXAMPLE : "", value);
}

/* What the environment sets is not shown a second time. */
static void
add_app(struct str *out, const char *app, const char *root,
    bool transactional)
{
	str_add(out, "[app]\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const char *key = options[i].key, *value = NULL;

		if ((options[i].sections & SECTION_APP) == 0 ||
		    (transactional && strcmp(key, "transactional") == 0))
			continue;
		if (strcmp(key, "name") == 0)
			value = app;
		else if (strcmp(key, "root") == 0)
			value = root;
		add_row(out, &options[i], value, value != NULL);
	}
}

static void
add_environments(struct str *out, const char *root, const char *environment,
    const char *branch, bool transactional)
{
	const char *other = strcmp(environment, "staging") == 0 ?
	    "production" : "staging";

	str_add(out, "\n# Every key of [app] but name and other_refs may be"
	    " set here again, for this\n# environment.\n");
	str_addf(out, "[environment %s]\n", environment);
	add_row(out, option_find(SECTION_ENVIRONMENT, "branch"), branch,
	    true);
	if (transactional)
		add_row(out, option_find(SECTION_ENVIRONMENT,
		    "transactional"), "yes", true);
	add_row(out, option_find(SECTION_ENVIRONMENT, "tags"), NULL, false);
	str_add(out, "\n# Another environment has a root of its own.\n");
	str_addf(out, "; [environment %s]\n", other);
	str_add(out, "; branch = develop\n");
	str_addf(out, "; root = %s-%s\n", root, other);
}

/* A commented section with every row that is its own. */
static void
add_section(struct str *out, enum option_section section, const char *name,
    const char *environment)
{
	str_addf(out, "; [%s %s]\n", option_section_name(section), name);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (options[i].sections == section)
			add_row(out, &options[i], strcmp(options[i].key,
			    "environment") == 0 ? environment : NULL, false);
	}
}

/* Everyday jobs, to be uncommented as they stand. */
static const char jobs[] =
    "\n"
    "; [action composer]\n"
    "; phase = bundle\n"
    "; run = composer install --no-dev --no-interaction\n"
    "\n"
    "; [action assets]\n"
    "; phase = build\n"
    "; when = changed package.json package-lock.json assets/*\n"
    "; run = npm ci && npm run build\n"
    "\n"
    "; [action test]\n"
    "; phase = test\n"
    "; run = make check\n"
    "\n"
    "; [action dump]\n"
    "; phase = backup\n"
    "; run = mysqldump shop > \"$SLIPWAY_BACKUP_DIR/db.sql\"\n"
    "; timeout = 30m\n"
    "\n"
    "; [action reload]\n"
    "; phase = restart\n"
    "; run = sudo systemctl reload php8.2-fpm\n"
    "\n"
    "; [action cc]\n"
    "; phase = clear\n"
    "; directive = cc\n"
    "; run = drush cache:rebuild\n"
    "\n"
    "; [action health]\n"
    "; phase = verify\n"
    "; run = curl -fsS -o /dev/null http://localhost/\n"
    "; timeout = 30s\n";

void
option_sample(struct str *out, const char *app, const char *root,
    const char *environment, const char *branch, bool transactional)
{
	str_add(out, "# What Slipway does with a push. A line that begins"
	    " with ';' shows a key\n"
	    "# that is not set; defaults are in parentheses.\n\n");
	add_app(out, app, root, transactional);
	add_environments(out, root, environment, branch, transactional);
	str_add(out, "\n# Without a host, the environment lives on this"
	    " machine.\n");
	add_section(out, SECTION_HOST, "web1", environment);
	str_add(out, "\n# An action binds a command to a phase. Phases, in"
	    " their order:\n"
	    "#   fetch checkout configure bundle build test backup\n"
	    "#   maintenance migrate symlink restart clear verify\n"
	    "#   contract publish cleanup notify\n"
	    "# Without directive and when, it runs in every deploy.\n");
	add_section(out, SECTION_ACTION, "updb", environment);
	str_add(out, jobs);
}
