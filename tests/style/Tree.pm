# Tree.pm - the files of the source tree, for the style tests.

package Tree;

use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';
use File::Find;

our @EXPORT = qw(build_folder files is_clean read_lines read_text);

chdir abs_path(dirname(__FILE__)) . '/../..' or die "chdir: $!";

# All files of the tree, sorted, as paths from its top; with a pattern,
# those that match it. Inputs of fuzz targets are no text.
sub files {
	my ($pattern) = @_;
	my @files;

	find({ no_chdir => 1, wanted => sub {
		my $path = $File::Find::name =~ s/^\.\///r;
		$File::Find::prune = 1
		    if $path =~ m{^\.git$|^build(-|$)|^tests/fuzz/corpus$};
		push @files, $path if -f $_ && !$File::Find::prune;
	} }, '.');
	@files = grep { $_ =~ $pattern } @files if defined $pattern;
	return sort @files;
}

sub read_text {
	my ($path) = @_;

	open my $file, '<', $path or die "$path: $!";
	local $/;
	return scalar <$file> // '';
}

sub read_lines {
	return split /\n/, read_text(@_), -1;
}

sub build_folder {
	return $ENV{SLIPWAY_BUILD} // 'build';
}

# One line of TAP: passes when the list of complaints is empty.
sub is_clean {
	my ($what, @complaints) = @_;
	my $shown = @complaints > 40 ? 40 : @complaints;

	Test::More::ok(!@complaints, $what) or
	    Test::More::diag(join "\n", @complaints[0 .. $shown - 1]);
}

1;
