# Crowd.pm - a site that many use at once, and what each of them was told.
#
#	my $crowd = Crowd->new($folder, $pushers);
#	$crowd->start(sub { $crowd->push_one(...) }) for 1 .. 8;
#	my @told = $crowd->finish;	what each saw, see push_one() and cli()
#	my @faults = $crowd->judge(@told);
#
# The site has two environments, production (main) and staging (develop).
# Whoever uses it is a process of its own with a clone of its own; it hands
# back, through a file, every attempt with what git or slipway said. The
# journal is read once a round and compared with all of that.

package Crowd;

use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);

my $top = abs_path(dirname(__FILE__) . '/../..');
my $build = abs_path($ENV{SLIPWAY_BUILD} // "$top/build");
my $slipway = "$build/bin/slipway";
my %branch = (production => 'main', staging => 'develop');

# How long a round may take before it counts as hanging, in seconds.
use constant PATIENCE => 120;

# How often a pusher tries again.
use constant TRIES => 100;

sub read_file {
	my ($path) = @_;

	open my $file, '<', $path or return '';
	local $/;
	return scalar(<$file>) // '';
}

sub write_file {
	my ($path, $text) = @_;

	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
}

# Run a command; its exit status, standard output and standard error.
sub run {
	my ($self, @command) = @_;
	my $at = "$self->{folder}/run.$$";
	my $pid = fork // die "fork: $!";

	if ($pid == 0) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$at.out";
		open STDERR, '>', "$at.err";
		exec @command or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $exit = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	return ($exit, read_file("$at.out"), read_file("$at.err"));
}

# The same for what must not fail.
sub must {
	my ($self, @command) = @_;
	my ($exit, $out, $err) = $self->run(@command);

	die "@command: exit $exit: $out$err" if $exit != 0;
	return $out;
}

sub new {
	my ($class, $folder, $pushers) = @_;
	my $self = bless { folder => $folder, repo => "$folder/shop.git",
	    deploy => 0, push => 0, children => [], round => 0 }, $class;

	delete @ENV{grep { /^(?:GIT|SLIPWAY)_/ } keys %ENV};
	$ENV{HOME} = $folder;
	$ENV{GIT_CONFIG_NOSYSTEM} = 1;
	$ENV{LC_ALL} = 'C.UTF-8';
	write_file("$folder/.gitconfig", "[user]\n\tname = Alice\n"
	    . "\temail = alice\@example.org\n[init]\n\tdefaultBranch = main\n"
	    . "[gc]\n\tauto = 0\n[advice]\n\tdetachedHead = false\n");
	$self->must($slipway, 'init', $self->{repo}, '--root',
	    "$folder/production", '--environment', 'production', '--branch',
	    'main');
	write_file("$self->{repo}/slipway.ini", $self->config);
	$self->make_clones($pushers);
	return $self;
}

# Every deploy tells when it begins and ends; one that has the file "bad"
# fails, and none goes on while the gate is shut.
sub config {
	my ($self) = @_;
	my $folder = $self->{folder};
	my $trace = "$folder/trace.\$SLIPWAY_ENVIRONMENT";

	return <<"EOF";
[app]
name = shop
keep = 3
[environment production]
branch = main
root = $folder/production
[environment staging]
branch = develop
root = $folder/staging
[action begin]
phase = fetch
run = echo "begin \$SLIPWAY_DEPLOY" >> $trace
[action check]
phase = test
run = while test -e $folder/shut; do sleep 0.02; done; test ! -e bad
[action end]
phase = notify
run = echo "end \$SLIPWAY_DEPLOY" >> $trace
EOF
}

sub make_clones {
	my ($self, $pushers) = @_;
	my $first = "$self->{folder}/clone.0";

	$self->must('git', 'init', '-q', $first);
	chdir $first or die "$first: $!";
	$self->must('git', 'remote', 'add', 'production', $self->{repo});
	write_file("file.$_", "first\n") for 1 .. 20;
	$self->must('git', 'add', '.');
	$self->must('git', 'commit', '-q', '-m', 'first');
	for my $branch (sort values %branch) {
		$self->must('git', 'push', '-q', 'production',
		    "HEAD:refs/heads/$branch");
	}
	for my $i (1 .. $pushers) {
		$self->must('git', 'clone', '-q', '-o', 'production',
		    $self->{repo}, "$self->{folder}/clone.$i");
	}
	chdir '/' or die "chdir: $!";
	$self->wait_idle;
	$self->rows;
}

# A new commit on top of a branch of the server's.
sub commit {
	my ($self, $environment, $text, $bad) = @_;

	$self->must('git', 'fetch', '-q', 'production',
	    "refs/heads/$branch{$environment}");
	$self->must('git', 'reset', '-q', '--hard', 'FETCH_HEAD');
	write_file("file.$$", "$text\n");
	unlink 'bad';
	write_file('bad', "$text\n") if $bad;
	$self->must('git', 'add', '-A');
	$self->must('git', 'commit', '-q', '-m', $text);
	return $self->must('git', 'rev-parse', 'HEAD') =~ s/\s//r;
}

# One pusher: pushes until it has landed. Returns its attempts.
sub push_one {
	my ($self, $i, $environment, %how) = @_;
	my (@told, $force, $commit);

	chdir "$self->{folder}/clone.$i" or die "clone.$i: $!";
	for my $try (1 .. TRIES) {
		$commit = $self->commit($environment,
		    "round $self->{round}, pusher $i, try $try",
		    $how{bad}) unless $force;
		my ($exit, $out, $err) = $self->run('git', 'push',
		    '--porcelain', $force ? '--force' : (), 'production',
		    "$commit:refs/heads/$branch{$environment}");
		my ($flag) = $out =~ /^([ +*!=-])\t/m;
		push @told, { kind => 'push', environment => $environment,
		    commit => $commit, exit => $exit, flag => $flag // '?',
		    text => $err =~ s/^remote: ?//mgr =~ s/[ \t]+$//mgr,
		    out => $out };
		last if $exit == 0;
		$force = $how{force};
	}
	return @told;
}

# One command of slipway's.
sub cli {
	my ($self, $verb, $environment) = @_;
	my ($exit, $out, $err) = $self->run($slipway, $verb, '-C',
	    $self->{repo}, '-e', $environment, '--json');

	return { kind => $verb, environment => $environment, exit => $exit,
	    out => $out, text => $err };
}

# Do something in a process of its own; what it returns is told.
sub start {
	my ($self, $do) = @_;
	my $n = @{$self->{children}};
	my $said = "$self->{folder}/said.$n";
	my $pid = fork // die "fork: $!";

	if ($pid == 0) {
		setpgrp;
		my @told = eval { $do->() };
		push @told, { kind => 'died', text => $@ } if $@ ne '';
		write_file($said, encode_json(\@told));
		POSIX::_exit(0);
	}
	push @{$self->{children}}, { pid => $pid, said => $said };
}

# Hold the deploys until so many pushes have landed; the rest is a queue.
sub hold_until_landed {
	my ($self, $count) = @_;
	my $until = time + PATIENCE / 4;
	my $n = 0;

	while ($n < $count && time < $until) {
		sleep 0.05;
		$n = $self->query("SELECT count(*) AS n FROM pushes WHERE"
		    . " id > $self->{push} AND state = 'landed'")->[0]{n};
	}
	$self->open_gate;
}

sub shut_gate {
	my ($self) = @_;

	write_file("$self->{folder}/shut", '');
}

sub open_gate {
	my ($self) = @_;

	unlink "$self->{folder}/shut";
}

# Wait for all, and for the runners.
sub finish {
	my ($self) = @_;
	my $until = time + PATIENCE;
	my @told;

	for my $child (@{$self->{children}}) {
		my $done = 0;
		while (!$done && time < $until) {
			$done = waitpid $child->{pid}, POSIX::WNOHANG();
			sleep 0.005 unless $done;
		}
		if (!$done) {
			kill 'KILL', -$child->{pid};
			waitpid $child->{pid}, 0;
			push @told, { kind => 'died', text => 'it hangs' };
			next;
		}
		push @told, @{decode_json(read_file($child->{said}) || '[]')};
		unlink $child->{said};
	}
	$self->{children} = [];
	$self->wait_idle;
	return @told;
}

sub is_idle {
	my ($self) = @_;

	for my $path (glob "$self->{repo}/slipway/*.lock") {
		system('flock', '-n', $path, 'true') == 0 or return 0;
	}
	return $self->query("SELECT count(*) AS n FROM deploys WHERE state IN"
	    . " ('queued', 'preparing', 'prepared', 'activating')")
	    ->[0]{n} == 0;
}

sub wait_idle {
	my ($self) = @_;
	my $until = time + 30;

	while (!$self->is_idle) {
		return 0 if time > $until;
		sleep 0.02;
	}
	return 1;
}

sub query {
	my ($self, $statement) = @_;
	my $text = $self->must('sqlite3', '-batch', '-json', '-cmd',
	    '.timeout 10000', "$self->{repo}/slipway/journal.db", $statement);

	return $text =~ /\S/ ? decode_json($text) : [];
}

# The rows since the last time: deploys by number, landed refs of pushes.
sub rows {
	my ($self) = @_;
	my $deploys = $self->query("SELECT number, environment, kind, state,"
	    . " commit_oid AS commit_id, release, push, target,"
	    . " superseded_by, started_at, finished_at, error FROM deploys"
	    . " WHERE number > $self->{deploy} ORDER BY number");
	my $refs = $self->query("SELECT push, ref, new, landed, state FROM"
	    . " push_refs JOIN pushes ON pushes.id = push"
	    . " WHERE push > $self->{push} ORDER BY push");

	$self->{deploy} = $deploys->[-1]{number} if @$deploys;
	$self->{push} = $refs->[-1]{push} if @$refs;
	return ($deploys, $refs);
}

sub environments {
	return sort keys %branch;
}

# Does this slipway have such a command?
sub has {
	my ($self, $verb) = @_;

	$self->{verbs} //= $self->must($slipway, '--help');
	return $self->{verbs} =~ /^\s+$verb\b/m;
}

sub ref {
	my ($self, $name) = @_;
	my (undef, $out) = $self->run('git', '-C', $self->{repo}, 'rev-parse',
	    '-q', '--verify', $name);

	return $out =~ s/\s//r;
}

sub tip {
	my ($self, $environment) = @_;

	return $self->ref("refs/heads/$branch{$environment}");
}

# Is a ref what this push wanted?
sub is_ref {
	my ($self, $ref) = @_;

	return $self->ref($ref->{ref}) eq $ref->{new};
}

sub trace {
	my ($self, $environment) = @_;

	return split /\n/, read_file("$self->{folder}/trace.$environment");
}

# Complaints of those who know the journal and the repository.
sub sound {
	my ($self) = @_;
	my @faults;

	for my $command ([$slipway, 'verify', '-C', $self->{repo}],
	    ['git', '-C', $self->{repo}, 'fsck', '--strict', '--no-dangling',
	    '--no-progress']) {
		my ($exit, $out, $err) = $self->run(@$command);
		push @faults, "@$command: $out$err" if $exit != 0;
	}
	my $log = read_file("$self->{repo}/slipway/log/runner.log");
	push @faults, "a runner said: $log" if $log ne '';
	return @faults;
}

# Complaints about files of the live release that are not of its commit.
sub compare {
	my ($self, $environment) = @_;
	my $want = "$self->{folder}/want";

	$self->must('mkdir', $want);
	$self->must('sh', '-c', "git -C '$self->{repo}' archive"
	    . " 'refs/live/$environment' | tar -x -C '$want'");
	my ($exit, $out, $err) = $self->run('diff', '-r', $want,
	    "$self->{folder}/$environment/current/");
	$self->must('rm', '-rf', $want);
	return $exit == 0 ? () : "$environment: $out$err";
}

1;
