#!/usr/bin/perl
# signed-push.pl - hand a push certificate to git-receive-pack, as it is.
#
#	signed-push.pl [--fresh] REPO FILE
#
# What a client would never do: send what was sent before, or what somebody
# has edited. With --fresh the number in it is the one that the server has
# just given out. The objects have to be there; the server's words are
# printed.

use strict;
use warnings;
use IPC::Open2;

my $fresh = $ARGV[0] eq '--fresh' && shift;
my ($repo, $file) = @ARGV;

open my $in, '<:raw', $file or die "$file: $!\n";
my @lines = <$in>;
close $in;

my $pid = open2(my $from, my $to, 'git-receive-pack', $repo);
binmode $_ for $from, $to;
$SIG{PIPE} = 'IGNORE';

sub take {
	my ($n) = @_;
	my $bytes = '';

	while (length $bytes < $n) {
		my $got = read $from, $bytes, $n - length $bytes,
		    length $bytes;
		return if !$got;
	}
	return $bytes;
}

# One pkt-line; undef for a flush and at the end.
sub pkt {
	my $len = hex(take(4) // '0000');

	return $len < 4 ? undef : take($len - 4);
}

sub send_pkt {
	my ($text) = @_;

	print {$to} sprintf('%04x', 4 + length $text), $text;
}

my $nonce;
while (defined(my $line = pkt())) {
	$nonce = $1 if $line =~ /push-cert=(\S+)/;
}
die "the server takes no certificates\n" if $fresh && !defined $nonce;
if ($fresh) {
	s/^nonce .*/nonce $nonce/ for @lines;
}

send_pkt("push-cert\0report-status side-band-64k object-format=sha1");
send_pkt($_) for @lines;
send_pkt("push-cert-end\n");
print {$to} '0000',
    qx(git -C '$repo' pack-objects --stdout -q < /dev/null);
close $to;
while (defined(my $line = pkt())) {
	print substr($line, 1), $line =~ /^\x02/ ? '' : "\n";
}
waitpid $pid, 0;
