/*
 * Files and symlinks, by the heads of their objects: what kind of object it
 * is, and how large. Only attribute files, the targets of symlinks and what
 * may be a Git LFS pointer are read.
 */
#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan/phase.h"
#include "release/convert.h"
#include "release/vet_part.h"
#include "repo.h"

/* The longest target of a symlink. */
#define TARGET_MAX 4095

/* What a link fills beside its path and target, in bytes. */
#define LINK_COST 64

/* No Git LFS pointer is smaller or larger. */
#define POINTER_LEAST 64
#define POINTER_MOST 1024

/* An attribute file that is larger is taken to speak of anything. */
#define ATTRIBUTES_MAX (1024 * 1024)

/* Of all of them more is not read. */
#define ATTRIBUTES_ALL_MAX (256 * 1024 * 1024)

/* What a tree has a thousand times is asked for once. */
static const struct err *
read_head(struct vetting *vetting, const struct rawtree_item *item,
    int64_t *size_bytes, bool *is_blob)
{
	const unsigned char *id = item->oid.id;
	struct head *head = &vetting->heads[(id[0] | id[1] << 8) %
	    VETTING_HEADS];
	git_object_t type;
	size_t len;
	int code = 0;

	if (!head->is_known || !git_oid_equal(&head->oid, &item->oid)) {
		code = git_odb_read_header(&len, &type, vetting->odb,
		    &item->oid);
		*head = (struct head){ item->oid, code == 0 ? (int64_t)len :
		    0, code == 0 && type == GIT_OBJECT_BLOB, code == 0 };
	}
	*is_blob = head->is_blob;
	*size_bytes = head->size_bytes;
	return code == 0 ? NULL : repo_error(code, "read %s",
	    vetting->path.s);
}

static const struct err *
read_blob(struct vetting *vetting, const struct rawtree_item *item,
    struct str *out)
{
	git_odb_object *object;
	int code;

	code = git_odb_read(&object, vetting->odb, &item->oid);
	if (code != 0)
		return repo_error(code, "read %s", vetting->path.s);
	str_add_bytes(out, git_odb_object_data(object),
	    git_odb_object_size(object));
	git_odb_object_free(object);
	return NULL;
}

static bool
is_attributes(const struct rawtree_item *item)
{
	return strcmp(item->name, ".gitattributes") == 0;
}

/* Behind the pattern, or the name of a macro, that a line begins with. */
static const char *
behind_pattern(const char *line)
{
	line += strspn(line, " \t\r");
	if (*line == '#')
		return line + strlen(line);
	if (*line == '"') {
		for (line++; *line != '\0' && *line != '"'; line++)
			line += line[0] == '\\' && line[1] != '\0';
	}
	return line + strcspn(line, " \t\r");
}

/* Does a line set or unset an encoding, where git wants a value? */
static bool
is_bare_encoding(const char *line)
{
	static const char name[] = "working-tree-encoding";
	struct vec words = VEC_INIT;
	bool is = false;

	vec_split(&words, behind_pattern(line), " \t\r");
	for (size_t i = 0; i < words.n && !is; i++)
		is = strcmp(words.v[i] + (words.v[i][0] == '-'), name) == 0;
	vec_release(&words);
	return is;
}

/* No file that it speaks of can be checked out: git ends with an error. */
static void
check_encodings(struct vetting *vetting, const struct str *text)
{
	struct vec lines = VEC_INIT;
	bool is = false;

	if (memmem(text->s, text->len, "working-tree-encoding",
	    strlen("working-tree-encoding")) != NULL)
		vec_split(&lines, text->s, "\n");
	for (size_t i = 0; i < lines.n && !is; i++)
		is = is_bare_encoding(lines.v[i]);
	if (is)
		vetting_complain(vetting, " has working-tree-encoding without"
		    " a value, with which git checks nothing out; write"
		    " working-tree-encoding=NAME, or take it back with"
		    " !working-tree-encoding");
	vec_release(&lines);
}

const struct err *
vetting_look_at_attributes(struct vetting *vetting,
    const struct rawtree_item *item)
{
	struct str text = STR_INIT;
	const struct err *err;
	int64_t size_bytes;
	bool is_blob;

	if (vetting->for_pointers || (item->mode & 0170000) != 0100000)
		return NULL;
	err = read_head(vetting, item, &size_bytes, &is_blob);
	if (err != NULL || !is_blob)
		return err;
	if (size_bytes > ATTRIBUTES_MAX) {
		vetting->filters = true;
		return NULL;
	}
	vetting->attribute_bytes += size_bytes;
	if (vetting->attribute_bytes > ATTRIBUTES_ALL_MAX) {
		vetting_complain(vetting, ": more attribute files than can be"
		    " read (%d bytes); have fewer of them",
		    ATTRIBUTES_ALL_MAX);
		return NULL;
	}
	err = read_blob(vetting, item, &text);
	if (err == NULL) {
		vetting->filters |= memmem(text.s, text.len, "filter",
		    strlen("filter")) != NULL;
		check_encodings(vetting, &text);
	}
	str_release(&text);
	return err;
}

/* Hooks of a release are not run through a symlink. */
static void
check_hook(struct vetting *vetting)
{
	static const char *const prefixes[] = {
		"deploy/before_", "deploy/after_"
	};
	enum phase phase;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		const char *path = vetting->path.s;

		if (str_starts_with(path, prefixes[i]) &&
		    phase_by_name(&phase, path + strlen(prefixes[i])))
			vetting_complain(vetting, " is a symlink, and a hook"
			    " of a release is not run through one; make it a"
			    " file");
	}
}

/* Where it leads is found out when all trees are known to be sound. */
static void
keep_link(struct vetting *vetting, const char *target)
{
	vec_push(&vetting->links, vetting->path.s);
	vec_push(&vetting->targets, target);
	vetting->link_bytes += vetting->path.len + strlen(target) + LINK_COST;
	if (vetting->link_bytes > VETTING_LINK_BYTES_MAX)
		vetting_complain(vetting, ": more symlinks than can be"
		    " followed (%zu bytes of paths and targets); have fewer"
		    " of them, or set symlinks = any in slipway.ini",
		    vetting->link_bytes);
}

static const struct err *
take_link(struct vetting *vetting, const struct rawtree_item *item,
    int64_t size_bytes)
{
	struct str target = STR_INIT;
	const struct err *err = NULL;

	vetting->relinked = true;
	check_hook(vetting);
	if (vetting->vet->rules->links == VET_NONE)
		vetting_complain(vetting, " is a symlink, and slipway.ini"
		    " takes none (symlinks = none); make it a file");
	if (size_bytes > 0 && size_bytes <= TARGET_MAX)
		err = read_blob(vetting, item, &target);
	if (err == NULL && (target.len == 0 ||
	    strlen(target.s) != target.len))
		vetting_complain(vetting, " is a symlink with a target that"
		    " none can have (%lld bytes; 1 to %d are possible, and no"
		    " NUL); make it again", (long long)size_bytes,
		    TARGET_MAX);
	else if (err == NULL &&
	    vetting->vet->rules->links == VET_INSIDE)
		keep_link(vetting, target.s);
	str_release(&target);
	return err;
}

static const struct err *
look_for_pointer(struct vetting *vetting, const struct rawtree_item *item,
    int64_t size_bytes)
{
	struct str text = STR_INIT;
	const struct err *err;

	if (item->mode == RAWTREE_SYMLINK || size_bytes < POINTER_LEAST ||
	    size_bytes > POINTER_MOST)
		return NULL;
	err = read_blob(vetting, item, &text);
	if (err == NULL && convert_is_pointer(text.s, text.len))
		vec_push(&vetting->vet->pointers, vetting->path.s);
	str_release(&text);
	return err;
}

static void
check_size(struct vetting *vetting, int64_t size_bytes)
{
	int64_t max = vetting->vet->rules->max_file_bytes;

	if (max != 0 && size_bytes > max)
		vetting_complain(vetting, " has %lld bytes, and slipway.ini"
		    " takes %lld (max_file_size); keep it elsewhere",
		    (long long)size_bytes, (long long)max);
}

const struct err *
vetting_take_file(struct vetting *vetting, const struct rawtree_item *item)
{
	const struct err *err;
	int64_t size_bytes;
	bool is_blob;

	err = read_head(vetting, item, &size_bytes, &is_blob);
	if (err != NULL)
		return err;
	if (vetting->for_pointers)
		return look_for_pointer(vetting, item, size_bytes);
	if (!is_blob) {
		vetting_complain(vetting, " is a file in the tree, and its"
		    " object is none; make the commit again with git");
		return NULL;
	}
	vetting->attributed |= is_attributes(item);
	vetting->files++;
	vetting->taken++;
	vetting->bytes += size_bytes;
	check_size(vetting, size_bytes);
	return item->mode != RAWTREE_SYMLINK ? NULL :
	    take_link(vetting, item, size_bytes);
}

const struct err *
vetting_drop_file(struct vetting *vetting, const struct rawtree_item *item)
{
	const struct err *err;
	int64_t size_bytes;
	bool is_blob;

	if (vetting->for_pointers)
		return NULL;
	err = read_head(vetting, item, &size_bytes, &is_blob);
	if (err != NULL)
		return err;
	vetting->attributed |= is_attributes(item);
	vetting->relinked |= item->mode == RAWTREE_SYMLINK;
	vetting->files--;
	vetting->bytes -= size_bytes;
	return NULL;
}
