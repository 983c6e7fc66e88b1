#include "release/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "release/content.h"
#include "release/convert.h"
#include "repo.h"

#define TARGET_MAX 4095

const struct err *
writer_open(struct writer *writer, const struct checkout *checkout,
    struct plumbing *git, bool own)
{
	const struct err *err = NULL;
	struct repo *repo;
	int code;

	memset(writer, 0, sizeof(*writer));
	writer->checkout = checkout;
	writer->git = git;
	writer->fd = writer->from_fd = -1;
	if (own)
		err = repo_open(&writer->repo, git_repository_path(
		    repo_handle(checkout->repo)),
		    repo_is_quarantined(checkout->repo));
	if (err != NULL)
		return err;
	repo = own ? writer->repo : checkout->repo;
	code = git_repository_odb(&writer->odb, repo_handle(repo));
	return code == 0 ? NULL : repo_error(code, "open the objects");
}

void
writer_close(struct writer *writer)
{
	git_odb_free(writer->odb);
	repo_close(writer->repo);
	file_close(&writer->fd);
	file_close(&writer->from_fd);
	free(writer->folder);
	memset(writer, 0, sizeof(*writer));
	writer->fd = writer->from_fd = -1;
}

static const struct err *
enter(struct writer *writer, const char *folder)
{
	const struct err *err;

	if (writer->folder != NULL && strcmp(writer->folder, folder) == 0)
		return NULL;
	free(writer->folder);
	writer->folder = NULL;
	file_close(&writer->fd);
	file_close(&writer->from_fd);
	err = file_open_folder(&writer->fd, writer->checkout->dirfd, folder);
	if (err != NULL)
		return err;
	writer->folder = xstrdup(folder);
	/* What the old release lacks is written. */
	if (writer->checkout->clones)
		file_open_folder(&writer->from_fd, writer->checkout->from_fd,
		    folder);
	return NULL;
}

/* What was written; where inodes are shared, ctime tells nothing. */
static void
note(struct writer *writer, struct listing_entry *entry,
    const struct stat *st, const unsigned char *content, unsigned int flags)
{
	struct manifest_entry *row = &entry->row;

	row->mode = entry->mode;
	row->flags = flags;
	memcpy(row->content, content, sizeof(row->content));
	manifest_entry_stat(row, st);
	if (!writer->checkout->alone)
		row->ctime_ns = 0;
}

/*
 * The look of a file, and its mode put right: whatever umask this process
 * or git runs with, a release has two modes only.
 */
static const struct err *
settle_mode(int fd, mode_t mode, struct stat *st)
{
	if (fstat(fd, st) == -1)
		return err_system("stat");
	if ((st->st_mode & 07777) == mode)
		return NULL;
	if (fchmod(fd, mode) == -1 || fstat(fd, st) == -1)
		return err_system("set the mode");
	return NULL;
}

static const struct err *
create(struct writer *writer, const struct listing_entry *entry, int *fd)
{
	*fd = openat(writer->fd, entry->path + entry->name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    entry->mode == LISTING_PROGRAM ? 0777 : 0666);
	return *fd == -1 ? err_system("create") : NULL;
}

static const struct err *
write_bytes(struct writer *writer, struct listing_entry *entry,
    const char *bytes, size_t len, const unsigned char *content,
    unsigned int flags)
{
	const struct err *err;
	struct stat st;
	int fd;

	err = create(writer, entry, &fd);
	if (err == NULL)
		err = file_write_fd(fd, bytes, len);
	if (err == NULL)
		err = settle_mode(fd, entry->mode & 07777, &st);
	if (err == NULL)
		note(writer, entry, &st, content, flags);
	file_close(&fd);
	return err;
}

/* git streams a blob that is too large to hold here. */
static const struct err *
write_big(struct writer *writer, struct listing_entry *entry,
    size_t size_bytes)
{
	char hex[GIT_OID_HEXSZ + 1];
	const char *args[] = { "cat-file", "blob", hex, NULL };
	const struct err *err;
	struct stat st;
	int fd;

	git_oid_tostr(hex, sizeof(hex), &entry->oid);
	err = create(writer, entry, &fd);
	if (err == NULL)
		err = plumbing_run_fd(writer->git, args, NULL, fd);
	if (err == NULL)
		err = settle_mode(fd, entry->mode & 07777, &st);
	if (err == NULL && (size_t)st.st_size != size_bytes)
		err = err_new(ERR_CORRUPT, "git wrote %lld bytes of %zu",
		    (long long)st.st_size, size_bytes);
	if (err == NULL)
		note(writer, entry, &st, entry->oid.id, 0);
	file_close(&fd);
	return err;
}

static const struct err *
write_symlink(struct writer *writer, struct listing_entry *entry,
    const char *target, size_t len)
{
	const char *name = entry->path + entry->name;
	struct stat st;

	if (len == 0 || len > TARGET_MAX ||
	    memchr(target, '\0', len) != NULL)
		return err_new(ERR_REFUSED, "not the target of a symlink"
		    " (%zu bytes, 1 to %d are possible, no NUL)", len,
		    TARGET_MAX);
	/* libgit2 puts a NUL behind every object. */
	if (symlinkat(target, writer->fd, name) == -1)
		return err_system("create");
	if (fstatat(writer->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_system("stat");
	note(writer, entry, &st, entry->oid.id, 0);
	return NULL;
}

static const struct err *
write_subst(struct writer *writer, struct listing_entry *entry,
    const char *bytes, size_t len)
{
	unsigned char content[CONTENT_BYTES];
	struct str out = STR_INIT;
	const struct err *err;

	err = convert_subst(writer->git, bytes, len, &out);
	if (err == NULL) {
		content_of_bytes(content, out.s, out.len);
		err = write_bytes(writer, entry, out.s, out.len, content,
		    MANIFEST_CONVERTED);
	}
	str_release(&out);
	return err;
}

static const struct err *
write_object(struct writer *writer, struct listing_entry *entry)
{
	const struct err *err;
	git_odb_object *object;
	const char *bytes;
	size_t len;
	int code;

	code = git_odb_read(&object, writer->odb, &entry->oid);
	if (code != 0)
		return repo_error(code, "read");
	bytes = git_odb_object_data(object);
	len = git_odb_object_size(object);
	if (entry->mode == LISTING_SYMLINK)
		err = write_symlink(writer, entry, bytes, len);
	else if (entry->flags & LISTING_SUBST)
		err = write_subst(writer, entry, bytes, len);
	else
		err = write_bytes(writer, entry, bytes, len, entry->oid.id,
		    0);
	git_odb_object_free(object);
	return err;
}

static const struct err *
write_blob(struct writer *writer, struct listing_entry *entry, bool *later)
{
	bool is_subst = (entry->flags & LISTING_SUBST) != 0;
	git_object_t type;
	size_t size_bytes;
	int code;

	code = git_odb_read_header(&size_bytes, &type, writer->odb,
	    &entry->oid);
	if (code != 0)
		return repo_error(code, "read");
	if (type != GIT_OBJECT_BLOB)
		return err_new(ERR_CORRUPT, "not a blob");
	if (size_bytes <= CHECKOUT_BIG_BYTES || is_subst ||
	    entry->mode == LISTING_SYMLINK)
		return write_object(writer, entry);
	*later = writer->git == NULL;
	return *later ? NULL : write_big(writer, entry, size_bytes);
}

static const struct err *
check_pointer(const struct listing_entry *entry, int fd)
{
	char text[2048];
	ssize_t len;

	if ((entry->flags & LISTING_FILTER) == 0)
		return NULL;
	len = pread(fd, text, sizeof(text), 0);
	if (len == -1)
		return err_system("read");
	if (!convert_is_pointer(text, (size_t)len))
		return NULL;
	return err_new(ERR_REFUSED, "the file is in Git LFS, and what was"
	    " pushed is a pointer to it that nothing here resolves; install"
	    " git-lfs for the deploy user (git lfs install), push the"
	    " objects (git lfs push), or commit the file itself");
}

/* What git wrote becomes text again, is expanded and takes its place. */
static const struct err *
rewrite_subst(struct writer *writer, struct listing_entry *entry, int fd)
{
	struct str before = STR_INIT;
	const struct err *err;

	err = file_read_fd(&before, fd, SIZE_MAX / 2);
	if (err == NULL && unlinkat(writer->fd, entry->path + entry->name,
	    0) == -1)
		err = err_system("replace");
	if (err == NULL)
		err = write_subst(writer, entry, before.s, before.len);
	str_release(&before);
	return err;
}

/* Take a file that git wrote into the manifest. */
static const struct err *
take_converted(struct writer *writer, struct listing_entry *entry)
{
	unsigned char content[CONTENT_BYTES];
	const struct err *err;
	struct stat st;
	int fd;

	fd = openat(writer->fd, entry->path + entry->name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_system("open what git should have written");
	err = check_pointer(entry, fd);
	if (err == NULL)
		err = settle_mode(fd, entry->mode & 07777, &st);
	if (err == NULL && entry->flags & LISTING_SUBST) {
		err = rewrite_subst(writer, entry, fd);
	} else if (err == NULL) {
		err = content_of_fd(content, fd);
		if (err == NULL)
			note(writer, entry, &st, content,
			    MANIFEST_CONVERTED);
	}
	file_close(&fd);
	return err;
}

/*
 * A file whose blocks are those of the old release's, if that still is what
 * its manifest says; false when it has to be written.
 */
static bool
clone_file(struct writer *writer, struct listing_entry *entry,
    const struct manifest_entry *row)
{
	const char *name = entry->path + entry->name;
	struct stat st;
	bool done = false;
	int from, to = -1;

	if (writer->from_fd == -1 || row->mode == MANIFEST_SYMLINK)
		return false;
	from = openat(writer->from_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from == -1)
		return false;
	if (fstat(from, &st) == 0 && manifest_compare(writer->checkout->base,
	    row, &st) == MANIFEST_SAME && create(writer, entry, &to) == NULL)
		done = ioctl(to, FICLONE, from) == 0 && settle_mode(to,
		    entry->mode & 07777, &st) == NULL;
	if (done)
		note(writer, entry, &st, row->content, 0);
	else if (to != -1)
		unlinkat(writer->fd, name, 0);
	file_close(&from);
	file_close(&to);
	return done;
}

static bool
is_cloned(struct writer *writer, struct listing_entry *entry,
    int64_t base_folder)
{
	struct manifest_entry row;

	if (!writer->checkout->clones || base_folder == -1 ||
	    (entry->flags & LISTING_KEPT) == 0)
		return false;
	manifest_entry(writer->checkout->base, (size_t)base_folder,
	    (size_t)entry->base, &row);
	return clone_file(writer, entry, &row);
}

const struct err *
writer_clear(struct writer *writer, const char *folder, const char *name)
{
	const struct err *err = enter(writer, folder);

	/* The folder is going to be made. */
	if (err != NULL)
		return err->sys_errno == ENOENT ? NULL : err;
	if (unlinkat(writer->fd, name, 0) == 0 || errno == ENOENT)
		return NULL;
	if (errno != EISDIR)
		return err_system("remove %s", name);
	return file_remove_tree(writer->fd, name);
}

const struct err *
writer_put(struct writer *writer, const struct listing_entry *folder,
    struct listing_entry *entry, bool *later)
{
	const struct err *err = NULL;

	*later = writer->git == NULL &&
	    (entry->flags & (LISTING_SUBST | LISTING_CONVERT)) != 0;
	if (*later)
		return NULL;
	err = enter(writer, folder->path);
	if (err == NULL && entry->flags & LISTING_CONVERT &&
	    entry->mode != LISTING_SYMLINK)
		err = take_converted(writer, entry);
	else if (err == NULL && !is_cloned(writer, entry, folder->base))
		err = write_blob(writer, entry, later);
	return err == NULL ? NULL : err_add(err, "%s", entry->path);
}
