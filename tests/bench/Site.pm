# Site.pm - a site that is pushed to, with what answers the push.
#
#	my $site = site_new($folder, 'slipway');
#	site_fill($site, 300);
#	site_push($site);
#	site_change($site);
#	my $run = site_push($site, memory => 1);
#
# What answers is Slipway, nothing ("none"), or one of the hooks that people
# write: "checkout" brings one folder up to date, "release" makes a folder
# for each push, flips a symlink and keeps five.

package Site;

use strict;
use warnings;
use Exporter 'import';
use Bench;
use Forest;
use Time::HiRes 'lstat';

our @EXPORT = qw(site_change site_commit site_fill site_live_ms site_new
    site_push);

my %hooks = (
	none => '',
	checkout => <<'END',
#!/bin/bash
while read -r old new ref; do
	[ "$ref" = refs/heads/main ] || continue
	git --work-tree="$SITE_ROOT/current" checkout -q -f main
done
END
	release => <<'END',
#!/bin/bash
set -e
while read -r old new ref; do
	[ "$ref" = refs/heads/main ] || continue
	release=$SITE_ROOT/releases/$(date +%Y%m%d%H%M%S.%N)
	mkdir -p "$release"
	git archive "$new" | tar -x -C "$release"
	ln -s "$release" "$SITE_ROOT/next"
	mv -T "$SITE_ROOT/next" "$SITE_ROOT/current"
	ls -d "$SITE_ROOT"/releases/* | head -n -5 | xargs -r rm -rf
done
END
);

sub must {
	system(@_) == 0 or die "@_ failed\n";
}

sub add_hook {
	my ($site, $text) = @_;
	my $path = "$site->{repo}/hooks/post-receive";

	return if $text eq '';
	$text =~ s/\$SITE_ROOT/$site->{root}/g;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file;
	chmod 0755, $path;
}

sub site_new {
	my ($folder, $answer) = @_;
	my $site = { answer => $answer, repo => "$folder/shop.git",
	    root => "$folder/srv", work => "$folder/work", changes => 0 };

	mkdir $folder;
	mkdir $site->{root};
	if ($answer eq 'slipway') {
		must("slipway init '$site->{repo}' --root '$site->{root}'"
		    . ' >/dev/null 2>&1');
	} else {
		must('git', 'init', '-q', '--bare', $site->{repo});
		mkdir "$site->{root}/current" if $answer eq 'checkout';
		add_hook($site, $hooks{$answer});
	}
	return $site;
}

# The work of a developer with so many files, not pushed yet.
sub site_fill {
	my ($site, $files) = @_;
	my $origin = "$site->{work}.git";

	forest_plant($origin, files => $files, leafy => $files > 1000);
	must('git', 'clone', '-q', $origin, $site->{work});
	must('git', '-C', $site->{work}, 'remote', 'add', 'production',
	    $site->{repo});
}

sub site_commit {
	my ($site) = @_;
	my $commit = qx(git -C '$site->{work}' rev-parse HEAD);

	chomp $commit;
	return $commit;
}

# One file is another one.
sub site_change {
	my ($site) = @_;
	my $path = "$site->{work}/page.html";

	open my $file, '>', $path or die "$path: $!";
	print $file "change ", ++$site->{changes}, "\n";
	close $file;
	must('git', '-C', $site->{work}, 'add', 'page.html');
	must('git', '-C', $site->{work}, 'commit', '-q', '-m',
	    "change $site->{changes}");
}

# Timed, as bench_run().
sub site_push {
	my ($site, %how) = @_;

	return bench_run(['git', '-C', $site->{work}, 'push', '-q',
	    'production', 'main'], %how);
}

# How many milliseconds after its begin a push gave visitors what it brought:
# the flip, or the writing of the file, as the file system has it, whose clock
# ticks every few milliseconds. undef: they do not get it.
sub site_live_ms {
	my ($site, $run) = @_;
	my $current = "$site->{root}/current";
	my $path = -l $current ? $current : "$current/page.html";

	open my $file, '<', "$current/page.html" or return undef;
	return undef unless <$file> eq "change $site->{changes}\n";
	return 1000 * ((lstat $path)[10] - $run->{at});
}

1;
