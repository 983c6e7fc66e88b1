# Pkt.pm - lines as git frames them, for clients that no git is.
#
#	pkt_write($to, "text");
#	my $text = pkt_read($from);	# '' for a flush, undef at the end

package Pkt;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(pkt_read pkt_write);

sub pkt_read {
	my ($from) = @_;

	read($from, my $head, 4) == 4 or return;
	my $len = hex $head;
	return '' if $len == 0;
	read($from, my $text, $len - 4);
	return $text;
}

sub pkt_write {
	my ($to, $text) = @_;

	printf $to '%04x%s', length($text) + 4, $text;
}

1;
