# Sites.pm - the fixtures of the fault tests: sites with a request waiting.
#
#	first		nothing is live; the first deploy waits
#	redeploy	"one" is live; "two" waits, with migrations
#	unhealthy	the same, and its verify fails
#	unbuildable	the same, and its build fails
#	rollback	"two" is live; a rollback to "one" waits
#	cleanup		three releases are there, and only two are kept from
#			now on; the fourth waits
#	recycle		what cleanup took out is there to be used again, with
#			an edit in it; the fourth waits
#	edited		"one" is live, and somebody has edited it; "two" waits
#	recovery	a redeploy was killed within its first migration
#	recovery-once	the same, within the one that must not run again
#	push		"one" is live; "two" is committed and not pushed
#	cancelled	"one" is live; "two" waits, and its clear phase asks
#			for its own cancel, and waits for that
#	transactional	as redeploy, and the branch moves with the deploy
#	transactional-unhealthy
#			the same, and its verify fails
#	transactional-push
#			as push, in a transactional environment
#
# All but the pushes are a journal with a request and no runner: the command
# of the site is the runner. Every version asks for both migrations, which
# copy its file "version" to the two files that are this site's database.

package Fault::Sites;

use strict;
use warnings;
use Fcntl ':flock';
use Time::HiRes ();

# A migration writes when it begins and ends, so that one that ran twice is
# seen; and what it writes is a database, which syncs that. Its undo is kept
# with the step.
sub migration {
	my ($name) = @_;

	return <<"INI";

[action $name]
phase = migrate
directive = $name
record = cat "\$T/$name"
run = echo "begin $name \$SLIPWAY_DEPLOY" >> "\$T/trace" && cat version > "\$T/$name" && sync "\$T/$name" && echo "end $name \$SLIPWAY_DEPLOY" >> "\$T/trace"
undo = echo "undo $name \$SLIPWAY_DEPLOY" >> "\$T/trace" && cat "\$SLIPWAY_RECORD" > "\$T/$name" && sync "\$T/$name"
INI
}

my $actions = <<'INI';

[action build]
phase = build
run = test ! -e unbuildable

[action page]
phase = maintenance
directive = schema
run = : > "$T/page"
undo = rm -f "$T/page"

[action restart]
phase = restart
run = : > "$T/restarted"

[action clear]
phase = clear
run = : > "$T/cleared"

[action stop]
phase = clear
run = test ! -e stopping || exec sh "$T/stop"

[action health]
phase = verify
run = test ! -e unhealthy

[action mail]
phase = notify
run = echo "mail $SLIPWAY_DEPLOY" >> "$T/mailed"
INI

sub config {
	my ($lab, $site, $keep) = @_;
	my $transactional = $site->{transactional} ? 'yes' : 'no';

	return <<"INI" . $actions . migration('schema') . migration('once') .
[app]
name = shop
root = $lab->{root}
keep = $keep
keep_failed = 1
shared = uploads/
env.T = $lab->{live}

[environment production]
branch = main
transactional = $transactional
INI
	    "retry = no\n";
}

# About 50 files; every version changes some, and has its name in "version".
sub fill {
	my ($work, $version) = @_;

	for my $i (0 .. 49) {
		my $text = "file $i\n" x (1 + $i % 7 * 30);
		my $dir = "$work/d" . $i % 5;

		mkdir $dir;
		$text .= "$version\n" if $i % 4 == 0;
		Fault::write_file("$dir/f$i", $text);
	}
	Fault::write_file("$work/run", "#!/bin/sh\n# $version\n");
	chmod 0755, "$work/run";
	Fault::write_file("$work/.gitattributes", "d1/f6 text eol=crlf\n");
	Fault::write_file("$work/version", "$version\n");
	Fault::write_file("$work/only-in-$version", "x\n");
	symlink 'd1/f1', "$work/link";
}

# A commit on top of the branch that asks for all there is; its oid.
sub commit {
	my ($lab, $version, @extra) = @_;
	my $work = $lab->{work};

	unlink glob("$work/only-in-*"), "$work/unhealthy",
	    "$work/unbuildable", "$work/stopping", "$work/link";
	fill($work, $version);
	Fault::write_file("$work/$_", "x\n") for @extra;
	$lab->git(qw(add -A));
	$lab->git(qw(commit -q -m), "$version -schema- -once-");
	return $lab->git(qw(rev-parse HEAD));
}

sub sql {
	my ($lab, $statement) = @_;

	return $lab->must('sqlite3', '-cmd', '.timeout 9999', '-batch',
	    "$lab->{repo}/slipway/journal.db", $statement);
}

# Have something ask for a deploy, and stop it before a runner comes: the
# lock is held here, so that every runner leaves at once. "settled" counts
# the requests that are as they should be.
sub request {
	my ($lab, $settled, @command) = @_;
	my $before = sql($lab, 'SELECT count(*) FROM deploys');
	my $until = Time::HiRes::time() + 20;
	my ($pid, $lock);

	open $lock, '>>', "$lab->{repo}/slipway/production.lock" or die "$!\n";
	flock $lock, LOCK_EX or die "flock: $!\n";
	{
		local $lab->{out} = "$lab->{saved}/request";

		$pid = $lab->start($lab->traced([], @command));
	}
	until (sql($lab, $settled) > $before) {
		die 'no request: ' . Fault::read_file("$lab->{saved}/request")
		    if Time::HiRes::time() > $until;
		select undef, undef, undef, 0.02;
	}
	# With it goes all that it traces.
	kill 'KILL', $pid;
	waitpid $pid, 0;
	close $lock;
	die "a request came to more than waiting\n" if sql($lab,
	    "SELECT count(*) FROM deploys WHERE state = 'queued'") != 1;
}

# Versions one after the other, pushed and deployed.
sub deploy {
	my ($lab, $site, @versions) = @_;

	for my $version (@versions) {
		my $run;

		$site->{commits}{$version} = commit($lab, $version);
		$run = $lab->after([], 'git', '-C', $lab->{work},
		    qw(push production HEAD:main));
		die "push: $run->{out}\n" if $run->{status} != 0;
	}
}

# A version that is pushed and not deployed. A push is settled when
# post-receive has marked it as landed; one whose hook waits for the deploy,
# when that is journaled.
sub ask {
	my ($lab, $site, $version, @extra) = @_;
	my $landed = $site->{transactional} ? '' : " WHERE p.state = 'landed'";

	$site->{commits}{$version} = commit($lab, $version, @extra);
	request($lab, "SELECT count(*) FROM deploys d JOIN pushes p
	    ON p.id = d.push$landed", 'git', '-C', $lab->{work},
	    qw(push production HEAD:main));
}

# The command that has its own deploy cancelled, and would go on.
sub write_stop {
	my ($lab) = @_;

	Fault::write_file("$lab->{live}/stop", <<"STOP");
setsid @{[$lab->program]} cancel -C $lab->{repo} "\$SLIPWAY_DEPLOY" \\
    < /dev/null > /dev/null 2>&1 &
exec sleep 10
STOP
}

# Kill everything within a migration.
sub halt {
	my ($lab, $site, $migration) = @_;
	my $halted = { %$site, name => 'halted' };
	my ($i, @calls);

	$lab->save('halted');
	@calls = $lab->calls($halted, 'command', '-c', 'state');
	for ($i = 0; $i < @calls; $i++) {
		last if $calls[$i] =~ m{^command openat .*/$migration$};
	}
	$lab->restore($halted);
	$lab->run($halted, qw(-r command -c state kill-all), $i + 1);
	$lab->must('rm', '-rf', "$lab->{saved}/halted");
}

sub make_push {
	my ($lab, $site) = @_;

	deploy($lab, $site, 'one');
	$site->{commits}{two} = commit($lab, 'two');
	$site->{may} = ['one', 'two'];
	$site->{command} = ['git', '-C', $lab->{work},
	    qw(push production HEAD:main)];
}

# "may" are the versions that may be live at any instant, "ends" those that
# may be in the end, when this is given.
my %makers = (
	first => sub {
		my ($lab, $site) = @_;

		ask($lab, $site, 'one');
		$site->{may} = ['', 'one'];
	},
	redeploy => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one');
		ask($lab, $site, 'two');
		$site->{may} = ['one', 'two'];
	},
	unhealthy => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one');
		ask($lab, $site, 'two', 'unhealthy');
		$site->{may} = ['one', 'two'];
		$site->{ends} = ['one'];
	},
	unbuildable => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one');
		ask($lab, $site, 'two', 'unbuildable');
		$site->{may} = ['one'];
	},
	rollback => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one', 'two');
		request($lab, 'SELECT count(*) FROM deploys', $lab->program,
		    'rollback', '-C', $lab->{repo}, qw(-e production));
		$site->{may} = ['one', 'two'];
	},
	cleanup => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, qw(one two three));
		Fault::write_file("$lab->{repo}/slipway.ini",
		    config($lab, $site, 2));
		ask($lab, $site, 'four');
		$site->{may} = ['three', 'four'];
	},
	recycle => sub {
		my ($lab, $site) = @_;
		my $spare;

		Fault::write_file("$lab->{repo}/slipway.ini",
		    config($lab, $site, 1));
		deploy($lab, $site, qw(one two three));
		($spare) = glob "$lab->{root}/.slipway/spare/*[0-9]";
		die "there is no spare\n" if !defined $spare;
		# Not in place: other releases share the file.
		unlink "$spare/d2/f7";
		Fault::write_file("$spare/d2/f7", "edited\n");
		ask($lab, $site, 'four');
		$site->{may} = ['three', 'four'];
	},
	edited => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one');
		ask($lab, $site, 'two');
		Fault::write_file("$lab->{root}/current/added", "by hand\n");
		$site->{may} = ['one', 'two'];
		$site->{extra} = '/added';
	},
	recovery => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one');
		ask($lab, $site, 'two');
		$site->{may} = ['one', 'two'];
		halt($lab, $site, 'schema');
	},
	'recovery-once' => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one');
		ask($lab, $site, 'two');
		$site->{may} = ['one', 'two'];
		$site->{ends} = ['one'];
		halt($lab, $site, 'once');
	},
	push => \&make_push,
	cancelled => sub {
		my ($lab, $site) = @_;

		deploy($lab, $site, 'one');
		write_stop($lab);
		ask($lab, $site, 'two', 'stopping');
		$site->{may} = ['one', 'two'];
		$site->{ends} = ['one', 'two'];
	},
);
$makers{transactional} = $makers{redeploy};
$makers{'transactional-unhealthy'} = $makers{unhealthy};
$makers{'transactional-push'} = $makers{push};

sub names {
	return qw(first redeploy unhealthy unbuildable rollback cleanup
	    recycle edited recovery recovery-once push cancelled
	    transactional transactional-unhealthy transactional-push);
}

# Who is at work on a site, for those of its own processes that are hit.
sub roles {
	my ($name) = @_;
	my @hooks = qw(pre-receive post-receive post-update);

	return qw(runner agent command) if $name !~ /push$/;
	return 'receive-pack', @hooks if $name eq 'push';
	return 'receive-pack', @hooks, 'proc-receive', 'runner';
}

sub begin {
	my ($lab, $site) = @_;

	$lab->must('sh', '-c', 'rm -rf "$1" && mkdir "$1"', 'begin',
	    $lab->{live});
	$lab->must($lab->program, 'init', $lab->{repo}, '--root', $lab->{root},
	    qw(--branch main --environment production),
	    $site->{transactional} ? '--transactional' : ());
	Fault::write_file("$lab->{repo}/slipway.ini", config($lab, $site, 5));
	$lab->must('git', 'init', '-q', $lab->{work});
	$lab->git('remote', 'add', 'production', $lab->{repo});
	$lab->must('mkdir', '-p', "$lab->{root}/shared/uploads");
	Fault::write_file("$lab->{live}/$_", "none\n") for qw(schema once);
	Fault::write_file("$lab->{live}/trace", '');
}

# Packed, since few files are fast to copy.
sub make {
	my ($lab, $name) = @_;
	my $site = { name => $name, command => [$lab->program, qw(runner -C),
	    $lab->{repo}, qw(-e production)],
	    transactional => scalar($name =~ /^transactional/) };

	begin($lab, $site);
	$makers{$name}->($lab, $site);
	$site->{ends} //= $site->{may};
	$lab->git(qw(gc -q));
	$lab->must('git', '-C', $lab->{repo}, qw(gc -q)) if $name !~ /^recovery/;
	$lab->save($name);
	return $site;
}

1;
