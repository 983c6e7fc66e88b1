#!/usr/bin/perl
# What the fault tests look at a site with: a good site is found good, and
# for each thing that can be wrong with it, damage of that kind is told.

use strict;
use warnings;
use Fcntl ':flock';
use FindBin;
use lib $FindBin::Bin;
use Fault;
use Test::More;
use Verdict;

plan skip_all => Fault->lacks if defined Fault->lacks;

my $lab = Fault->new;
my $site = $lab->fixture('transactional-push');
my ($repo, $root) = @$lab{qw(repo root)};
my $journal = "$repo/slipway/journal.db";
my ($release, $before, $run);

sub sql {
	return Fault::Sites::sql($lab, @_);
}

sub write_to {
	my ($path, $text) = @_;

	return sub { Fault::write_file($path, $text) };
}

sub shell {
	my ($script) = @_;

	return sub { $lab->must('sh', '-c', "cd \"\$1\" && $script", 'damage',
	    $lab->{live}) };
}

# The same trigger-free rows that an editor of the journal would leave.
sub rows {
	my ($statement) = @_;

	return sub { sql("PRAGMA foreign_keys = OFF; $statement") };
}

# A site that has deployed "two", kept as one more fixture.
$lab->restore($site);
$run = $lab->run($site, qw(-r other -c none kill 1));
is($run->{status}, 0, 'the push succeeds') or diag $run->{out};
($release) = Fault::Check::current($lab);
($before) = sql("SELECT previous FROM deploys WHERE state = 'live'") =~ /(\d+)/;
$site = { %$site, name => 'good', may => ['one', 'two'], ends => ['two'] };
$lab->save('good');
is_deeply([$lab->glance($site), $lab->check($site, $run),
    Fault::Check::check_slowly($lab)], [], 'a good site is good');

my $live = "srv/releases/$release";
my $deploys = 'UPDATE deploys SET';
my $steps = "UPDATE steps SET state =";

# What is done to a good site, and what has to be said of it.
my @damages = (
	['a cancelled deploy is live', rows("$deploys cancelled_by = 'bob'
	    WHERE state = 'live'"), qr/cancelled, and live: \d/],
	['current is gone', shell('rm srv/current'), qr/^current is gone/],
	['current dangles', shell("mv $live elsewhere"),
	    qr/^current does not resolve/],
	['current is a folder', shell('rm srv/current && mkdir srv/current'),
	    qr/^current is no symlink/],
	['current leads out', shell('ln -sfn /tmp srv/current'),
	    qr/^current points to/],
	['the old release is current',
	    shell("ln -sfn releases/$before srv/current"),
	    qr/^version 'one' is live, may be/],
	['the journal has another release',
	    rows("$deploys release = '$before' WHERE state = 'live'"),
	    qr/^current is '$release', the journal says/],
	['a file has changed', shell("echo x >> $live/d0/f0"),
	    qr{d0/f0 is not what was committed}],
	['a mode has changed', shell("chmod 600 $live/d0/f0"),
	    qr{d0/f0 is not what was committed}],
	['a script is not executable', shell("chmod 644 $live/run"),
	    qr{/run is not what was committed}],
	['a link leads elsewhere', shell("ln -sfn d1 $live/link"),
	    qr{/link is not what was committed}],
	['a file is missing', shell("rm $live/d0/f0"),
	    qr{d0/f0 is missing}],
	['a file too many', shell("touch $live/extra"),
	    qr{/extra is not of the commit}],
	['there is no manifest',
	    shell("rm srv/.slipway/manifest/$release"),
	    qr/has no manifest/],
	['the journal is no database', write_to($journal, 'x' x 5000),
	    qr/^integrity_check: /],
	['a row refers to none', rows("UPDATE steps SET deploy = 99"),
	    qr/^foreign_key_check/],
	['a row was edited', rows("$deploys pusher = 'nobody'"),
	    qr/^slipway verify: /],
	['two deploys are live', rows("$deploys state = 'live'"),
	    qr/^several deploys are live/],
	['a deploy is left', rows("$deploys state = 'activating'
	    WHERE number = 1"), qr/^a deploy is left unfinished: 1/],
	['a deploy has no end', rows("$deploys finished_at = 0"),
	    qr/^a deploy has no end/],
	['a failure has no reason', rows("$deploys state = 'failed'
	    WHERE number = 1"), qr/^a deploy failed without a reason/],
	['a step runs', rows("$steps 'running' WHERE action = 'once'"),
	    qr/^a step is left running/],
	['a migration ran again', rows("UPDATE steps SET deploy = 2
	    WHERE phase = 'migrate'"), qr/^a migration that was done ran/],
	['so its own traces tell',
	    shell("echo 'begin once 2' >> trace"), qr/^'begin once 2' 2 times/],
	['the database is of the old one', shell('echo one > schema'),
	    qr/^database schema is one, live is two/],
	['the page is up', shell('touch page'), qr/^the page is up/],
	['a release is left', shell("mkdir srv/releases/20010101000000"),
	    qr{^releases/20010101000000 is left}],
	['a partial one', shell("mkdir srv/releases/20010101000000.partial"),
	    qr{^releases/20010101000000.partial is left}],
	['the release before is gone', shell("rm -r srv/releases/$before"),
	    qr/^the release before, $before, is gone/],
	['a release of the journal is gone',
	    shell("rm -r srv/releases/$before"), qr{^releases/$before is gone}],
	['something is in the trash', shell('mkdir -p srv/.slipway/trash/1'),
	    qr{^\.slipway/trash/1 is left}],
	['half a flip', shell('ln -s x srv/current.tmp'),
	    qr/^current\.tmp is left/],
	['half a manifest', shell('touch srv/.slipway/manifest/x.tmp'),
	    qr{^\.slipway/manifest/x\.tmp is left}],
	['a ref is locked', shell('touch shop.git/refs/heads/main.lock'),
	    qr/main\.lock is left/],
	['half a log', shell('touch shop.git/slipway/log/1.tmp'),
	    qr{slipway/log/1\.tmp is left}],
	['refs/live is elsewhere',
	    shell('git -C shop.git update-ref refs/live/production main^'),
	    qr{^refs/live/production is '}],
	['refs/live is gone',
	    shell('git -C shop.git update-ref -d refs/live/production'),
	    qr{^refs/live/production is ''}],
	['the branch is not what is live',
	    shell('git -C shop.git update-ref refs/heads/main main^'),
	    qr/^main is '\w+', and '\w+' is live/],
	['the branch is what nobody deployed', shell('cd shop.git &&
	    git update-ref refs/heads/main $(git -c user.name=x
	    -c user.email=x commit-tree -m x main^{tree})' =~ s/\n\s*/ /gr),
	    qr/^main is \w+, and no deploy knows it/],
	['an object is gone', shell("cd shop.git && mv objects/pack x &&
	    for p in x/*.pack; do git unpack-objects -q < \$p; done &&
	    o=\$(git rev-parse main:version) &&
	    rm -f objects/\${o%\${o#??}}/\${o#??}"), qr/^exit \d+ of git/],
);

for my $damage (@damages) {
	my ($name, $do, $like) = @$damage;
	my @wrong;

	$lab->restore($site);
	$do->();
	@wrong = ($lab->glance($site), $lab->check($site, $run));
	push @wrong, Fault::Check::check_slowly($lab)
	    if !grep { $_ =~ $like } @wrong;
	ok((grep { $_ =~ $like } @wrong), $name) or
	    diag "said was only:\n", map { "  $_\n" } @wrong;
}

# What a process still does.
for my $path ("$repo/slipway/production.lock", "$root/.slipway/lock") {
	$lab->restore($site);
	open my $lock, '>>', $path or die "$path: $!\n";
	flock $lock, LOCK_EX or die "flock: $!\n";
	ok((grep { /^\Q$path\E is held/ } $lab->check($site, $run)),
	    'a lock is held');
	close $lock;
}

# What the client was told. The fixture "transactional-push" is the same
# site before the push, and its clone has "two".
my $told = sub {
	my ($name, $status, $out) = @_;
	my $other = $name eq 'good' ? $site : $lab->fixture($name);
	my @wrong;

	$lab->restore($other);
	@wrong = $lab->check({ %$other, ends => ['one', 'two'] },
	    { status => $status, out => $out });
	return grep { /^the push / } @wrong;
};
my $no = '! [remote rejected] HEAD -> main (deploy 2 failed: x)';

is(scalar $told->('good', 0, ''), 0, 'live, and told so');
like(($told->('good', 1, $no))[0], qr/^the push failed, and \w+ is live/,
    'live, and told that it failed');
is(scalar $told->('good', 1, 'fatal: the remote end hung up unexpectedly'), 0,
    'live, and told nothing');
is(scalar $told->('good', 128, ''), 0, 'live, and cut off');
is(scalar $told->('transactional-push', 1, $no), 0, 'failed, and told so');
like(($told->('transactional-push', 0, ''))[-1],
    qr/^the push succeeded, and \w+ is not live/,
    'failed, and told that it is live');
like(($told->('push', 0, ''))[0],
    qr/^the push of \w+ succeeded, and no deploy knows it/,
    'told that it landed, and forgotten');

# What one of a crowd was told: the rows are those of its journal.
my $crowd = bless {}, 'Rows';
my $verdict = bless { crowd => $crowd }, 'Verdict';
{
	package Rows;
	sub is_ref { return 0 }
	sub query { return $_[0]{live} }
}
my ($first, $other, $now) = ('a' x 40, 'b' x 40, '20260101000007');
my $deploy7 = { number => 7, push => 8, release => $now, commit_id => $first };
my $deploy9 = { number => 9, push => 8, release => '20260101000009',
    commit_id => $other };

sub pushed {
	my ($text, @live) = @_;
	my $ref = { new => $first, landed => 1, state => 'landed', push => 9 };

	$crowd->{live} = \@live;
	return $verdict->accepted([], [$ref], { kind => 'push', exit => 0,
	    flag => ' ', commit => $first, out => '', text => $text });
}

my $already = "production: aaaaaaa is live already, as release $now; to";

is_deeply([pushed($already, $deploy7)], [], 'live already, and told so');
is_deeply([pushed($already, $deploy7, { %$deploy9, push => 10 })], [],
    'and replaced by what was pushed later');
for my $lie (['', qr/asked for nothing/, $deploy7],
    ['x is live already', qr/asked for nothing/, $deploy7],
    [$already, qr/$now is not of it/],
    [$already, qr/$now is not of it/, { %$deploy7, commit_id => $other }],
    [$already, qr/deploy 9 of push 8 went live after/, $deploy7, $deploy9]) {
	my ($text, $like, @live) = @$lie;
	like((pushed($text, @live))[0] // '', $like,
	    'a push that asked for nothing, and was told a lie');
}

my $by_bob = 'cancelled by bob at build (slow)';
for my $case ([0, 'cancelled', $by_bob, 1], [0, 'rolled-back', $by_bob, 1],
    [1, 'live', undef, 1], [3, 'live', undef, 1], [1, 'failed', 'x', 1],
    [5, 'rolled-back', 'x', 1], [6, 'broken', $by_bob, 1],
    [0, 'live', undef, 0], [3, 'cancelled', $by_bob, 0],
    [5, 'rolled-back', $by_bob, 0], [0, 'rolled-back', 'x', 0],
    [0, 'broken', $by_bob, 0], [2, 'failed', 'x', 0]) {
	my ($exit, $state, $error, $true) = @$case;
	my @faults = $verdict->truth_of_cli({ kind => 'cancel',
	    exit => $exit, out => '{"deploy": 7}', text => '' },
	    { 7 => { number => 7, state => $state, error => $error } });
	is(scalar @faults, 1 - $true, "a cancel that ends with $exit, and "
	    . "the deploy is $state: " . ($true ? 'true' : 'a lie'));
}
for my $case (['production: nothing is under way and nothing waits', 0],
    ['error: no such journal', 1],
    ['error: deploy 7 has failed and is being taken back already', 1]) {
	my ($text, $n) = @$case;
	my @faults = $verdict->truth_of_cli({ kind => 'cancel', exit => 1,
	    out => '', text => $text }, { 7 => { number => 7,
	    state => 'rolled-back', error => 'x' } });
	is(scalar @faults, $n, "a cancel that says '$text'");
}
done_testing;
