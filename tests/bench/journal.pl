#!/usr/bin/perl
# journal.pl - what it takes to read a journal with a long past.
#
#	DEPLOYS=100000	how many deploys there were
#	RUNS=20		of each command
#
# A site whose journal has so many deploys, each with a push, a release that
# was removed, a directive, a build, a migration and ten events, gets one more
# by a push, so that there is something live. Then the commands that people
# run most take turns with git's own log in a repository of as many commits,
# and with the same commands where there were no deploys before. The events
# are as big as real ones, but no chain: what "slipway verify" takes is not
# measured.

use strict;
use warnings;
use FindBin;
use Time::HiRes 'time';
use lib $FindBin::Bin;
use Bench;
use Site;

my $base = bench_begin('journal');
my $deploys = $ENV{DEPLOYS} // 100_000;
my $runs = $ENV{RUNS} // 20;
my (%ms, @order);

# A repository with so many commits of one file.
sub many_commits {
	my ($repo) = @_;

	system('git', 'init', '-q', '--bare', $repo) == 0 or die 'git init';
	open my $pipe, '|-', 'git', "--git-dir=$repo", 'fast-import',
	    '--quiet' or die "git: $!";
	for my $n (1 .. $deploys) {
		my $message = "change $n -cc-";

		print $pipe "commit refs/heads/main\ncommitter Alice <alice"
		    . "\@example.org> " . (1735689600 + $n * 600)
		    . " +0000\ndata " . length($message) . "\n$message\n"
		    . "M 100644 inline page\ndata " . length($n)
		    . "\n$n\n";
	}
	close $pipe or die 'git fast-import failed';
	system("git --git-dir='$repo' commit-graph write 2>/dev/null");
	return $repo;
}

# What a thousand deploys leave behind, as SQL; ?1 is the first of them, ?2
# the last, ?3 the commit. One in 31 has failed. They are ten minutes apart.
my $thousand = <<'END';
CREATE TEMP TABLE n AS WITH RECURSIVE n(n) AS (SELECT ?1 UNION ALL
    SELECT n + 1 FROM n WHERE n < ?2)
    SELECT n, 1700000000000 + n * 600000 AS at,
    strftime('%Y%m%d%H%M%S', 1700000000 + n * 600, 'unixepoch') AS name
    FROM n;
INSERT INTO pushes SELECT n, at, 'alice', '192.0.2.7', n || ' 4711', '[]',
    'landed', NULL FROM n;
INSERT INTO push_refs SELECT n, 'refs/heads/main', ?3, ?3, 0,
    'Alice <alice@example.org>', 'change ' || n, 1 FROM n;
INSERT INTO deploys (number, environment, kind, state, commit_oid, ref,
    release, push, pusher, author, subject, requested_at, started_at,
    finished_at, prepare_ms, window_ms, error) SELECT n, 'production',
    'deploy', iif(n % 31, 'retired', 'failed'), ?3, 'refs/heads/main', name,
    n, 'alice', 'Alice <alice@example.org>', 'change ' || n || ' -cc-', at,
    at + 5, at + 900, 640, 12, iif(n % 31, NULL, 'build: exit 1') FROM n;
INSERT INTO directives SELECT n, 'cc', '', ?3, 'message', 1 FROM n;
INSERT INTO steps SELECT 2 * n + value, n, iif(value, 'migrate', 'build'),
    iif(value, 'updb', 'composer'), 'local', 'done', '', NULL, 0, 0, 0, 0, 0,
    at, 40 FROM n, json_each('[0, 1]');
INSERT INTO releases SELECT n, 'production', name, n, ?3, 'removed', at, at,
    n FROM n;
INSERT INTO events (at, noun, key, body, hash) SELECT at, 'deploy', n,
    '{"number":' || n || hex(zeroblob(300)) || '}', randomblob(32)
    FROM n, json_each('[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]');
DROP TABLE n;
END

sub write_past {
	my ($journal, $past, $commit) = @_;

	open my $pipe, '|-', 'sqlite3', '-batch', '-bail', $journal
	    or die "sqlite3: $!";
	print $pipe "PRAGMA synchronous = OFF;\nBEGIN;\n";
	for (my $first = 1; $first <= $past; $first += 1000) {
		my $last = $first + 999 < $past ? $first + 999 : $past;
		my @values = ($first, $last, "'$commit'");

		print $pipe $thousand =~ s/\?([123])/$values[$1 - 1]/gr;
	}
	print $pipe "COMMIT;\n";
	close $pipe or die 'sqlite3 failed';
}

sub site_with_past {
	my ($name, $past) = @_;
	my $site = site_new("$base/$name", 'slipway');

	site_fill($site, 20);
	write_past("$site->{repo}/slipway/journal.db", $past,
	    site_commit($site)) if $past > 0;
	site_push($site);
	return $site;
}

sub measure {
	my ($name, @command) = @_;

	push @order, $name unless $ms{$name};
	push @{$ms{$name}}, bench_run(\@command, quick => 1)->{ms};
}

print "Journal: ", bench_machine(), "\n";
my $begin = time;
my $old = site_with_past('old', $deploys);
my $young = site_with_past('young', 0);
my $git = many_commits("$base/commits.git");
my $bytes = -s "$old->{repo}/slipway/journal.db";

printf "%s deploys, %.0f MiB, made in %d s; milliseconds, medians of %d runs"
    . "\n", bench_number($deploys), $bytes / (1 << 20), time - $begin, $runs;
for my $n (0 .. $runs) {
	my @of = ('-C', $old->{repo});

	%ms = @order = () if $n == 1;
	measure('slipway log -n 20', bench_program(), 'log', '-n', 20, @of);
	measure('slipway status', bench_program(), 'status', @of);
	measure('slipway show', bench_program(), 'show', @of);
	measure('slipway log --since yesterday', bench_program(), 'log',
	    '--since', 'yesterday', @of);
	measure('slipway log, one deploy', bench_program(), 'log', '-n', 20,
	    '-C', $young->{repo});
	measure('slipway status, one deploy', bench_program(), 'status',
	    '-C', $young->{repo});
	measure('git log -n 20', 'git', "--git-dir=$git", 'log', '-n', 20,
	    'main');
	measure('git log -n 20 -- page', 'git', "--git-dir=$git", 'log',
	    '-n', 20, 'main', '--', 'page');
	site_change($old);
	site_change($young);
	measure('git push, deployed', 'git', '-C', $old->{work}, 'push', '-q',
	    'production', 'main');
	measure('git push, one deploy', 'git', '-C', $young->{work}, 'push',
	    '-q', 'production', 'main');
}
print bench_table(['', 'ms'], [map { [$_, sprintf '%.1f',
    bench_median(@{$ms{$_}})] } @order]);
