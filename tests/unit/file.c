#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "path.h"
#include "tap.h"

/* An account that owns nothing. */
#define NOBODY 65534

#define DEEP 4096

static int top;		/* the folder of the test */

static void
put(const char *path, const char *text)
{
	if (file_replace(top, path, text, strlen(text), 0644) != NULL)
		exit(1);
}

static void
make(const char *path)
{
	if (file_mkdirs_beneath(top, path, 0755) != NULL)
		exit(1);
}

static void
is_file(const char *path, const char *want)
{
	struct str text = STR_INIT;

	is_ok(file_read_at(&text, top, path, 1000), "%s", path);
	is_str(text.s, want, "... its text");
	str_release(&text);
}

static void
set_mode(const char *path, mode_t mode)
{
	if (fchmodat(top, path, mode, 0) == -1)
		exit(1);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	if (fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	return st.st_mode;
}

/* The names in a folder, joined by spaces: no temporary file is left. */
static void
is_list(const char *path, const char *want)
{
	struct vec names = VEC_INIT;
	struct str text = STR_INIT;

	is_ok(file_list(&names, top, path), "list of '%s'", path);
	vec_join(&names, " ", &text);
	is_str(text.s, want, "... its names");
	vec_release(&names);
	str_release(&text);
}

static void
test_read(void)
{
	struct str text = STR_INIT;
	const struct err *err;

	make("read");
	put("read/a", "hello");
	str_add(&text, "> ");
	is_ok(file_read_at(&text, top, "read/a", 5), "as long as allowed");
	is_str(text.s, "> hello", "... is appended");
	is_err(file_read_at(&text, top, "read/a", 4), ERR_FAILED,
	    "read/a: larger than 4 bytes", "longer than allowed");
	is_str(text.s, "> hello", "... appends nothing");
	err = file_read_at(&text, top, "read/b", 5);
	is_err(err, ERR_SYSTEM, "open read/b: ", "not there");
	is_int(err->sys_errno, ENOENT, "... errno is kept");
	is_ok(file_symlink(top, "read/link", "a"), "a link to it");
	err = file_read_at(&text, top, "read/link", 5);
	is_err(err, ERR_SYSTEM, "read/link", "is not followed");
	is_int(err->sys_errno, ELOOP, "... and says so");
	is_err(file_read(&text, tap_folder(), 5), ERR_SYSTEM, "read",
	    "a folder is no file");
	is_err(file_read_fd(&text, -1, 5), ERR_SYSTEM, "read",
	    "no descriptor");
	is_err(file_write_fd(-1, "x", 1), ERR_SYSTEM, "write",
	    "nowhere to write");
	str_release(&text);
}

static void
test_replace(void)
{
	char name[256];

	make("replace");
	is_ok(file_replace(top, "replace/a", "one", 3, 0600), "new");
	is_int(mode_of("replace/a") & 0777, 0600, "... with its mode");
	is_ok(file_replace(top, "replace/a", "two!", 4, 0600), "again");
	is_file("replace/a", "two!");
	is_ok(file_replace(top, "replace/a", NULL, 0, 0600), "by nothing");
	is_file("replace/a", "");
	make("replace/dir");
	is_err(file_replace(top, "replace/dir", "x", 1, 0600), ERR_SYSTEM,
	    "rename", "a folder is not replaced");
	is_err(file_replace(top, "replace/no/a", "x", 1, 0600), ERR_SYSTEM,
	    "create", "no folder for it");
	is_list("replace", "a dir");
	memset(name, 'n', 255);
	name[255] = '\0';
	is_ok(file_replace(top, name, "x", 1, 0600), "the longest name");
	unlinkat(top, name, 0);
}

static void
test_mkdirs(void)
{
	char *path = path_join(tap_folder(), "mkdirs/b//c/");
	char *below = path_join(tap_folder(), "mkdirs/file/x/y");
	char *over = path_join(tap_folder(), "mkdirs/file");

	is_ok(file_mkdirs(path, 0755), "three at once");
	is_ok(file_mkdirs(path, 0755), "and again");
	ok(S_ISDIR(mode_of("mkdirs/b/c")), "... are there");
	put("mkdirs/file", "");
	is_err(file_mkdirs(over, 0755), ERR_SYSTEM, over, "over a file");
	is_err(file_mkdirs(below, 0755), ERR_SYSTEM, below, "below a file");
	free(path);
	free(below);
	free(over);
}

static void
test_symlink(void)
{
	struct str target = STR_INIT;
	const struct err *err;
	char *stale, *far = xmalloc(1001);

	make("link/dir");
	put("link/file", "");
	stale = xasprintf("link/.current.%d.tmp", (int)getpid());
	put(stale, "left by a crash");
	is_ok(file_symlink(top, "link/current", "one"), "a new link");
	is_ok(file_symlink(top, "link/current", "two"), "a changed one");
	is_ok(file_readlink(&target, top, "link/current"), "its target");
	is_str(target.s, "two", "... is the new one");
	is_err(file_symlink(top, "link/dir", "x"), ERR_FAILED,
	    "link/dir is a folder", "not over a folder");
	is_err(file_symlink(top, "link/file", "x"), ERR_FAILED,
	    "link/file is a file", "not over a file");
	is_err(file_symlink(top, "link/no/a", "x"), ERR_SYSTEM, "symlink",
	    "not into a folder that is missing");
	is_list("link", "current dir file");
	memset(far, 'x', 1000);
	far[1000] = '\0';
	is_ok(file_symlink(top, "link/current", far), "a long target");
	str_clear(&target);
	is_ok(file_readlink(&target, top, "link/current"), "is read");
	is_str(target.s, far, "... as a whole");
	ok(file_exists(top, "link/current"), "a dangling link exists");
	ok(!file_exists(top, "link/other"), "what is missing does not");
	err = file_readlink(&target, top, "link/file");
	is_err(err, ERR_SYSTEM, "link/file", "a file has no target");
	is_int(err->sys_errno, EINVAL, "... EINVAL");
	err = file_readlink(&target, top, "link/other");
	is_int(err == NULL ? 0 : err->sys_errno, ENOENT, "... ENOENT");
	str_release(&target);
	free(stale);
	free(far);
}

static void
test_sync(void)
{
	struct vec names = VEC_INIT;
	int fd = dup(top);

	is_ok(file_sync_dir(top, "."), "sync a folder");
	is_err(file_sync_dir(top, "no"), ERR_SYSTEM, "open no", "or not");
	is_ok(file_sync_all(top), "sync a file system");
	is_err(file_sync_all(-1), ERR_SYSTEM, "syncfs", "or not");
	is_err(file_list(&names, top, "no"), ERR_SYSTEM, "open no",
	    "no folder to list");
	file_close(&fd);
	is_int(fd, -1, "a closed descriptor");
	file_close(&fd);
	vec_release(&names);
}

static const struct {
	const char *path;
	int flags, sys_errno;
} opens[] = {
	{ "in/a/file",	   O_RDONLY, 0 },
	{ "in/a/",	   O_RDONLY, 0 },
	{ "in/a",	   O_RDONLY | O_DIRECTORY, 0 },
	{ "in/new",	   O_WRONLY | O_CREAT | O_EXCL, 0 },
	{ "in/a/file",	   O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "in/none",	   O_RDONLY, ENOENT },
	{ "in/none/x",	   O_RDONLY, ENOENT },
	{ "in/a/file/x",   O_RDONLY, ENOTDIR },
	{ "in/a/file/",	   O_RDONLY, ENOTDIR },
	{ "in/inner",	   O_RDONLY, ELOOP },
	{ "in/inner/file", O_RDONLY, ELOOP },
	{ "in/outer/etc",  O_RDONLY, ELOOP },
	{ "in/outer/etc",  O_WRONLY | O_CREAT, ELOOP },
	{ "in/a/../a/file", O_RDONLY, EINVAL },
	{ "/etc/passwd",   O_RDONLY, EINVAL },
	{ "..",		   O_RDONLY, EINVAL },
	{ "",		   O_RDONLY, EINVAL },
};

static void
test_beneath(const char *how)
{
	const struct err *err;
	int fd;

	make("in/a");
	put("in/a/file", "");
	is_ok(file_symlink(top, "in/inner", "a"), "a link inside");
	is_ok(file_symlink(top, "in/outer", "/"), "a link to the outside");
	for (size_t i = 0; i < sizeof(opens) / sizeof(*opens); i++) {
		err = file_open_beneath(&fd, top, opens[i].path,
		    opens[i].flags, 0640);
		is_int(err == NULL ? 0 : err->sys_errno, opens[i].sys_errno,
		    "%s: '%s'", how, opens[i].path);
		ok((fd == -1) == (err != NULL), "... and its descriptor");
		ok(fd == -1 || fcntl(fd, F_GETFD) == FD_CLOEXEC,
		    "... close-on-exec");
		file_close(&fd);
	}
	is_int(mode_of("in/new") & 0777, 0640, "the mode of a new file");
	is_err(file_mkdirs_beneath(top, "in/outer/tmp/x", 0755), ERR_SYSTEM,
	    "in/outer/tmp/x", "no folder through a link");
	is_err(file_mkdirs_beneath(top, "in/a/file/x", 0755), ERR_SYSTEM,
	    "in/a/file/x", "no folder below a file");
	is_err(file_mkdirs_beneath(top, "../x", 0755), ERR_SYSTEM, "../x",
	    "no folder above");
	is_ok(file_remove_tree(top, "in"), "remove it, %s", how);
	ok(!file_exists(top, "in"), "... it is gone");
}

/* From here on this process has a kernel without openat2. */
static bool
forbid_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
	    syscall(SYS_openat2, top, ".", NULL, 0) == -1 && errno == ENOSYS;
}

static void
test_remove(void)
{
	make("rm/tree/a/b");
	make("rm/tree/c");
	make("rm/keep");
	put("rm/keep/file", "kept");
	put("rm/tree/a/b/file", "");
	put("rm/file", "");
	is_ok(file_symlink(top, "rm/tree/out", "../keep"), "a link out");
	is_ok(file_symlink(top, "rm/link", "keep"), "a link");
	is_ok(file_remove_tree(top, "rm/tree/"), "a tree");
	is_ok(file_remove_tree(top, "rm/file"), "a file");
	is_ok(file_remove_tree(top, "rm/link/"), "a link");
	is_ok(file_remove_tree(top, "rm/none"), "what is not there");
	is_ok(file_remove_tree(top, "rm/none/none"), "nor its folder");
	is_list("rm", "keep");
	is_file("rm/keep/file", "kept");
	is_err(file_remove_tree(top, "rm/keep/.."), ERR_SYSTEM, "remove",
	    "not the folder above");
	is_err(file_remove_tree(top, "/"), ERR_SYSTEM, "remove", "not all");
	is_err(file_remove_tree(top, ""), ERR_SYSTEM, "remove", "nothing");
}

/* A folder of the same file system, mounted a second time in the tree. */
static int
remove_mounted(void)
{
	const struct err *err;

	if (fchdir(top) == -1 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1 ||
	    mount("mnt/keep", "mnt/tree/in", NULL, MS_BIND, NULL) == -1)
		return 77;
	err = file_remove_tree(AT_FDCWD, "mnt/tree");
	return err != NULL && err->sys_errno == EXDEV ? 0 : 1;
}

static void
test_mounted(void)
{
	int status = -1;
	pid_t pid;

	make("mnt/keep");
	make("mnt/tree/in");
	put("mnt/keep/file", "kept");
	put("mnt/tree/file", "");
	pid = fork();
	if (pid == 0)
		_exit(remove_mounted());
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 77) {
		diag("no mounts here: removal across one is not tested");
		return;
	}
	is_int(status, 0, "another mount is an error");
	is_file("mnt/keep/file", "kept");
	is_list("mnt/tree", "in");
}

/* Deeper than there are descriptors, and than a path can say. */
static void
test_deep(void)
{
	struct rlimit old, limit;
	int fd = dup(top);

	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	limit.rlim_cur = 128;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < DEEP && fd != -1; i++) {
		int next = mkdirat(fd, "deep", 0755) == -1 ? -1 :
		    openat(fd, "deep", O_PATH | O_DIRECTORY | O_CLOEXEC);

		close(fd);
		fd = next;
	}
	ok(fd != -1, "%d folders in one another", DEEP);
	file_close(&fd);
	is_ok(file_remove_tree(top, "deep"), "... are removed");
	ok(!file_exists(top, "deep"), "... all");
	setrlimit(RLIMIT_NOFILE, &old);
}

/* As somebody whom modes stop; the exit status says where it went wrong. */
static int
remove_closed(void)
{
	static const mode_t modes[] = { 0, 0555, 0311 };

	if (geteuid() == 0 && (setgid(NOBODY) == -1 || setuid(NOBODY) == -1))
		return 1;
	for (size_t i = 0; i < 3; i++) {
		make("open/tree/a");
		put("open/tree/a/file", "");
		put("open/tree/file", "");
		set_mode("open/tree/a", modes[i]);
		set_mode("open/tree", modes[i]);
		if (file_remove_tree(top, "open/tree") != NULL)
			return 2;
		if (file_exists(top, "open/tree"))
			return 3;
	}
	make("open/tree/a");
	set_mode("open", 0555);
	if (file_remove_tree(top, "open/tree") == NULL)
		return 4;
	return file_exists(top, "open/tree") ? 0 : 5;
}

static void
test_closed(void)
{
	int status = -1;
	pid_t pid;

	make("open");
	set_mode("open", 0777);
	if (geteuid() == 0 && fchownat(top, "open", NOBODY, NOBODY, 0) == -1)
		exit(1);
	set_mode(".", 0755);
	pid = fork();
	if (pid == 0)
		_exit(remove_closed());
	waitpid(pid, &status, 0);
	is_int(status, 0, "folders without permissions are opened up");
	is_ok(file_remove_tree(top, "open"), "the rest");
}

static void
test_copy(void)
{
	struct str target = STR_INIT;

	make("cp/from/a/b");
	put("cp/from/a/file", "text");
	put("cp/from/a/tool", "#!");
	set_mode("cp/from/a/tool", 04755);
	set_mode("cp/from/a", 0550);
	is_ok(file_symlink(top, "cp/from/link", "/no/where"), "a link");
	is_ok(file_copy_tree(top, "cp/from", top, "cp/to"), "copy");
	is_list("cp/to", "a link");
	is_list("cp/to/a", "b file tool");
	is_file("cp/to/a/file", "text");
	is_int(mode_of("cp/to/a/tool") & 07777, 0755, "no setuid");
	is_int(mode_of("cp/to/a") & 0777, 0550, "the mode of a folder");
	is_ok(file_readlink(&target, top, "cp/to/link"), "a link");
	is_str(target.s, "/no/where", "... as it was");
	is_err(file_copy_tree(top, "cp/from", top, "cp/to"), ERR_SYSTEM,
	    "mkdir cp/to", "not over what is there");
	ok(file_exists(top, "cp/to/a/file"), "... which stays");
	is_err(file_copy_tree(top, "cp/none", top, "cp/x"), ERR_SYSTEM,
	    "open cp/none", "nothing to copy");
	is_err(file_copy_tree(top, "cp", top, "cp/from/x"), ERR_FAILED,
	    "is the copy itself", "not into itself");
	ok(!file_exists(top, "cp/from/x"), "... nothing is left");
	if (mkfifoat(top, "cp/from/fifo", 0600) == -1)
		exit(1);
	is_err(file_copy_tree(top, "cp/from", top, "cp/x"), ERR_FAILED,
	    "fifo is neither", "not a pipe");
	ok(!file_exists(top, "cp/x"), "... nothing is left");
	is_ok(file_remove_tree(top, "cp"), "remove all");
	str_release(&target);
}

int
main(void)
{
	umask(022);
	top = open(tap_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top == -1)
		return 1;
	test_read();
	test_replace();
	test_mkdirs();
	test_symlink();
	test_sync();
	test_remove();
	test_mounted();
	test_deep();
	test_closed();
	test_copy();
	test_beneath("openat2");
	if (ok(forbid_openat2(), "a kernel without openat2"))
		test_beneath("step by step");
	return tap_done();
}
