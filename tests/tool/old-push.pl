#!/usr/bin/perl
# old-push REPO WORK COMMIT REF: push as a client of long ago does: it
# knows "report-status" and nothing else. Its report goes to stdout.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Open2;
use Pkt;

my ($repo, $work, $commit, $ref) = @ARGV;

sub git {
	my $text = qx(git -C "$work" @_);

	die "git @_\n" if $? != 0;
	chomp $text;
	return $text;
}

my $new = git("rev-parse '$commit^{commit}'");
my $old = '0' x 40;
my $pid = open2(my $from, my $to, 'git', 'receive-pack', $repo);
binmode $_ for $from, $to;
while (my $line = pkt_read($from)) {
	$old = $1 if $line =~ /^([0-9a-f]{40}) \Q$ref\E[\0\n]/;
}
pkt_write($to, "$old $new $ref\0report-status");
print $to '0000';
print $to qx(cd "$work" && git rev-list --objects $new | git pack-objects --stdout -q);
close $to;
while (my $line = pkt_read($from)) {
	print $line =~ s/\n?\z/\n/r;
}
waitpid $pid, 0;
exit $? >> 8;
