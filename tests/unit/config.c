#include "plan/config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/takes.h"
#include "tap.h"

#define ENV "[app]\nroot = /srv/a\n[environment p]\nbranch = main\n"
#define ACT ENV "[action a]\nphase = test\nrun = x\n"

static const struct {
	const char *text, *want;	/* of the message, behind "s.ini:" */
} faults[] = {
	{ "", "1: no environment; write '[environment production]'" },
	{ "[app]\nname = a\n", "2: no environment" },
	{ "name = a\n", "1: 'name' " },
	{ ENV "[actoin a]\n", "5: unknown section [actoin]; did you mean"
	    " [action a]?" },
	{ ENV "[zzz]\n", "5: unknown section [zzz]; write [app]," },
	{ "[app x]\n", "1: [app] has no name" },
	{ ENV "[action]\n", "5: [action] has no name; write [action NAME]" },
	{ ENV "[action a b]\n", "5: [action a b] has more than one name" },
	{ ENV "[app]\n", "5: [app] is there already, in line 1" },
	{ ENV "[environment p]\n", "5: [environment p] is there already" },
	{ "[environment -p]\n", "1: '-p' is not a name" },
	{ "[environment .p]\n", "1: '.p' is not a name" },
	{ "[environment a/b]\n", "1: 'a/b' is not a name" },
	{ "[environment a..b]\n", "1: 'a..b' is not a name" },
	{ "[environment a.lock]\n", "1: 'a.lock' is not a name" },
	{ ACT "fase = x\n", "8: unknown key 'fase' in [action a]; did you"
	    " mean 'phase'?" },
	{ ENV "zzzzzz = x\n", "5: unknown key 'zzzzzz' in [environment p];"
	    " its keys are root, shared, keep," },
	{ ENV "name = x\n", "5: 'name' is in [environment p], and"
	    " is a key of [app] only" },
	{ ACT "run = y\n", "8: 'run' is set twice in [action a], first in"
	    " line 7" },
	{ ENV "[action a]\nrun = x\n", "5: [action a] has no 'phase'" },
	{ ENV "[action a]\nphase = test\n", "5: [action a] has no 'run'" },
	{ "[environment p]\nroot = /a\n", "1: [environment p] has no"
	    " 'branch'; write for example 'branch = main'" },
	{ "[environment p]\nbranch = m\n", "1: [environment p] has no"
	    " 'root'; write for example 'root = /srv/p'" },
	{ ENV "keep = five\n", "5: keep = five: not a whole number" },
	{ ENV "keep = 0\n", "5: keep = 0: less than 1; write a whole number,"
	    " for example 'keep = 5'" },
	{ ENV "keep = 99999999999999999999\n", "5: keep = 9999" },
	{ ENV "strict = maybe\n", "5: strict = maybe: neither yes nor no;"
	    " write yes or no, for example 'strict = no'" },
	{ ENV "root = srv\n", "5: root = srv: not an absolute path" },
	{ ENV "root = /\n", "5: root = /: the whole file system" },
	{ ENV "root = /a/../b\n", "5: root = /a/../b: '.' or '..'" },
	{ ENV "shared = ../x\n", "'../x' is not beneath the release" },
	{ ENV "shared = /x\n", "'/x' is not beneath the release" },
	{ ENV "shared = a/ a-b a/c\n",
	    "'a/c' lies in 'a/', which is there already" },
	{ ENV "shared = a a/\n", "lies in" },
	{ ENV "shared = media/, c/local.php\n", "5: shared = media/,"
	    " c/local.php: 'media/,' ends with a ',', but only spaces part" },
	{ ENV "shared = a; b\n", "'a;' ends with a ';'" },
	{ "[environment p]\nbranch = main, develop\n", "branch = main,"
	    " develop: 'main,' ends with a ',', but only spaces part the" },
	{ "[environment p]\ntags = v*, w\n", "'v*,' ends with a ','" },
	{ ENV "[action a]\nphase = test\nrun = x\nwhen = changed a/*, b\n",
	    "8: when = changed a/*, b: 'a/*,' ends with a ','" },
	{ ENV "env.1A = x\n", "'1A' names no variable" },
	{ ENV "env. = x\n", "'' names no variable" },
	{ ENV "env.SLIPWAY_X = x\n", "SLIPWAY_ and GIT_ are not" },
	{ ENV "env.GIT_DIR = x\n", "SLIPWAY_ and GIT_ are not" },
	{ "[environment p]\nbranch = refs/heads/m\n", "2: branch ="
	    " refs/heads/m: a full ref" },
	{ "[environment p]\nbranch = a..b\n", "no name of a branch" },
	{ "[environment p]\nbranch = -a\n", "no name of a branch" },
	{ "[environment p]\nbranch = main a..b\n", "'a..b' is no name" },
	{ "[environment p]\nbranch = a?\n", "'a?' is no name" },
	{ "[environment p]\ntags = refs/tags/v*\n", "2: tags ="
	    " refs/tags/v*: a full ref; write names of tags" },
	{ "[app]\nroot = /a\ntransactional = yes\n[environment p]\n"
	    "branch = a*\n", "5: [environment p] is transactional: its"
	    " branch is what is live" },
	{ "[app]\nroot = /a\n[environment p]\nbranch = main\n"
	    "transactional = yes\ntags = v*\n", "6: [environment p] is"
	    " transactional" },
	{ "[app]\nroot = /a\n[environment p]\nbranch = ma*\n"
	    "[environment q]\nroot = /b\nbranch = main\n"
	    "transactional = yes\n", "7: [environment q] has the same branch"
	    " as [environment p]" },
	{ ENV "drift = ignore\n", "5: drift = ignore: none of the words; write"
	    " warn or refuse, for example 'drift = warn'" },
	{ ENV "drift = or\n", "5: drift = or: none of the words" },
	{ ENV "symlinks = some\n", "5: symlinks = some: none of the words;"
	    " write inside, any or none" },
	{ ENV "max_size = big\n", "5: max_size = big: not a size" },
	{ ENV "other_refs = refuse\n", "5: 'other_refs' is in"
	    " [environment p], and is a key of [app] only" },
	{ "[environment p]\nbranch =\n", "2: 'branch' has no value; write"
	    " the name of a branch" },
	{ ENV "[action a]\nphase = test\nrun =\n", "7: 'run' has no value;"
	    " write a command for /bin/sh, for example 'run = " },
	{ ACT "when = changed\n", "8: when = changed: no pattern" },
	{ ACT "when = never\n", "neither always nor changed" },
	{ ACT "directive = skip\n", "reserved, -skip- deploys nothing" },
	{ ACT "directive = Up\n", "not a directive" },
	{ ACT "timeout = soon\n", "8: timeout = soon: not a duration" },
	{ ACT "memory = 5X\n", "8: memory = 5X: not a size" },
	{ ACT "memory = 99999999999G\n", "not a size" },
	{ ACT "nice = 20\n", "8: nice = 20: not a whole number from 0" },
	{ ACT "record = x\n", "8: [action a] has 'record' and no 'undo'" },
	{ ENV "[action a.after]\nphase = build\nrun = x\n", "5: [action"
	    " a.after]: records have such names" },
	{ ENV "[action before_migrate]\nphase = build\nrun = x\n", "5: [action"
	    " before_migrate]: a hook of the release has this name; call the"
	    " action something else" },
	{ ENV "[action after_fetch]\nphase = build\nrun = x\n", "5: [action"
	    " after_fetch]: a hook of the release has this name" },
	{ ACT "environment = q\n", "8: [action a] names an unknown"
	    " environment, 'q'" },
	{ ENV "[action a]\nphase = migrat\nrun = x\n", "6: phase = migrat:"
	    " no phase (did you mean 'migrate'?)" },
	{ ENV "[environment q]\nbranch = m\n", "5: [environment q] has the"
	    " same root as [environment p]" },
	{ ENV "[environment q]\nroot = //srv/a/\nbranch = m\n", "6: [env" },
	{ ENV "[environment q]\nroot = /srv/a/q\nbranch = m\n", "6:"
	    " [environment q] has a root in that of [environment p]; write"
	    " another one, for example 'root = /srv/a-q'" },
	{ ENV "[environment q]\nroot = /srv\nbranch = m\n", "3:"
	    " [environment p] has a root in that of [environment q]" },
	{ ENV "[environment q]\nroot = /b\nbranch = m\n[host h]\n",
	    "8: [host h] does not say its environment" },
	{ ENV "[host h]\nenvironment = q\n", "6: [host h] names" },
	{ ENV "[host h]\n[host i]\n", "6: [host i] is the second host" },
	{ ENV "[host h]\nroles = a/b\n", "'a/b' is not a name" },
};

static void
test_faults(void)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const char *text = faults[i].text;
		struct config *config;
		const struct err *err = config_parse(&config, "s.ini", text,
		    strlen(text));

		is_err(err, ERR_CONFIG, faults[i].want, "fault %zu", i);
		ok(err != NULL && str_starts_with(err->text, "s.ini:"),
		    "fault %zu says where", i);
		ok(config == NULL, "fault %zu: nothing is half read", i);
		if (err == NULL)
			config_free(config);
	}
}

static const char whole[] =
    "[environment p]\nbranch = main\nkeep = 7\nenv.A = 2\nshared =\n"
    "max_size = 1M\ngate_timeout = 5s\n"
    "[environment q]\nbranch = main rel/*\ntags = v*\nroot = /srv/q/\n"
    "allow_force = no\n"
    "[action up]\nphase = migrate\ndirective = up\nrun = a \"b ; c\"\n"
    "timeout = 0\nmemory = 2K\nonce = yes\n"
    "[action ch]\nphase = build\nwhen = changed a/* b\nrun = y\n"
    "environment = q\n"
    "[action al]\nphase = clear\nrun = z\ndirective = up\nwhen = always\n"
    "[host h]\nenvironment = q\nroles = web db\n"
    "[app]\nroot = /srv/p\nshared = u/\nenv.A = 1\nenv.B = 1\n"
    "strict = yes\nmax_size = 2M\ngate = make check\nother_refs = refuse\n";

static void
test_gate(const struct config *config, const struct environment *p,
    const struct environment *q)
{
	is_int(p->set.max_bytes, 1 << 20, "own size");
	is_int(q->set.max_bytes, 2 << 20, "size of [app]");
	is_int(p->set.gate_timeout_ms, 5000, "own duration");
	is_int(q->set.gate_timeout_ms, 600000, "default duration");
	is_str(q->set.gate, "make check", "command of [app]");
	is_str(q->set.symlinks, "inside", "default of symlinks");
	ok(p->set.allow_force && !q->set.allow_force, "allow_force");
	is_str(config->app.other_refs, "refuse", "other_refs");
	is_str(p->branch, "main", "one branch is the branch");
	ok(q->branch == NULL, "several are none");
	ok(takes_ref(p, "refs/heads/main"), "p takes main");
	ok(!takes_ref(p, "refs/heads/mai"), "and not mai");
	ok(!takes_ref(p, "refs/tags/main"), "and no tag");
	ok(takes_ref(q, "refs/heads/rel/1/2"), "q takes rel/1/2");
	ok(takes_ref(q, "refs/tags/v1.0"), "and the tag v1.0");
	ok(!takes_ref(q, "refs/heads/v1.0"), "and no such branch");
	ok(!takes_ref(q, "refs/tags/rel/1"), "nor a tag like a branch");
}

static void
test_whole(void)
{
	struct config *config;
	const struct environment *p, *q, *only;
	const struct host **hosts;
	char *which;

	if (!is_ok(config_parse(&config, "s.ini", whole, strlen(whole)),
	    "a whole file"))
		return;
	p = config_environment(config, "p");
	q = config_environment(config, "q");
	is_str(p->set.app, "p", "the name falls back on the root");
	is_str(p->set.root, "/srv/p", "root of [app]");
	is_str(q->set.root, "/srv/q", "own root, without its slash");
	is_int(p->set.keep_count, 7, "own count");
	is_int(q->set.keep_count, 5, "default count");
	is_int(p->set.keep_failed_count, 1, "default of keep_failed");
	is_int((int64_t)p->set.shared.n, 0, "own empty list");
	is_int((int64_t)q->set.shared.n, 1, "list of [app]");
	is_str(p->set.env.v[0], "A=2", "own variable wins");
	is_str(p->set.env.v[1], "B=1", "the other one is inherited");
	ok(p->set.strict && q->set.strict, "strict of [app] below");
	test_gate(config, p, q);
	is_str(config->actions[0].run, "a \"b ; c\"", "run is whole");
	is_int(config->actions[0].when, WHEN_ASKED, "only asked");
	is_int(config->actions[0].timeout_ms, 0, "no limit");
	is_int(config->actions[0].memory_bytes, 2048, "2K");
	ok(config->actions[0].once && config->actions[0].retry, "booleans");
	is_int(config->actions[1].when, WHEN_CHANGED, "changed");
	is_int((int64_t)config->actions[1].globs.n, 2, "two globs");
	is_int(config->actions[1].timeout_ms, 600000, "10m");
	is_int(config->actions[2].when, WHEN_ALWAYS, "always");
	ok(!config_action_applies(&config->actions[1], p), "not for p");
	ok(config_environment(config, "r") == NULL, "no r");
	is_err(config_only_environment(&only, config), ERR_USAGE, "p, q",
	    "two environments");
	which = config_which(config, "q");
	is_str(which, " -e q", "a command names one");
	free(which);
	is_int((int64_t)config_hosts(config, p, &hosts), 1, "one host");
	is_str(hosts[0]->name, "local", "local stands in");
	ok(config_host_has_role(hosts[0], "any"), "it has every role");
	free(hosts);
	is_int((int64_t)config_hosts(config, q, &hosts), 1, "one host");
	ok(config_host_has_role(hosts[0], "db") &&
	    !config_host_has_role(hosts[0], "x"), "roles of h");
	free(hosts);
	config_free(config);
}

int
main(void)
{
	test_faults();
	test_whole();
	config_free(NULL);
	return tap_done();
}
