#include "release/rawtree.h"

#include <git2.h>
#include <string.h>

#include "repo.h"

/* More digits than any mode has. */
#define MODE_DIGITS 6

/* Larger ones are rare, and would fill the memory. */
#define CACHED_MAX 4096

static git_odb_object **
slot_of(struct rawtree_cache *cache, const git_oid *oid)
{
	return &cache->slots[oid->id[0] % RAWTREE_SLOTS];
}

void
rawtree_cache_release(struct rawtree_cache *cache)
{
	for (size_t i = 0; i < RAWTREE_SLOTS; i++) {
		git_odb_object_free(cache->slots[i]);
		cache->slots[i] = NULL;
	}
}

/* NULL, and no error, for what is no tree: not read, as it may be large. */
static const struct err *
read_object(git_odb_object **object, git_odb *odb, const git_oid *oid)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_object_t type;
	size_t len;
	int code;

	*object = NULL;
	code = git_odb_read_header(&len, &type, odb, oid);
	if (code == 0 && type == GIT_OBJECT_TREE)
		code = git_odb_read(object, odb, oid);
	git_oid_tostr(hex, sizeof(hex), oid);
	return code == 0 ? NULL : repo_error(code, "read tree %s", hex);
}

const struct err *
rawtree_open(struct rawtree *tree, git_odb *odb,
    struct rawtree_cache *cache, const git_oid *oid)
{
	git_odb_object **slot = slot_of(cache, oid);
	const struct err *err;

	*tree = (struct rawtree)RAWTREE_INIT;
	if (*slot != NULL && git_oid_equal(git_odb_object_id(*slot), oid)) {
		git_odb_object_dup(&tree->object, *slot);
	} else {
		err = read_object(&tree->object, odb, oid);
		if (err != NULL)
			return err;
	}
	tree->is_broken = tree->object == NULL;
	if (tree->is_broken)
		return NULL;
	tree->at = git_odb_object_data(tree->object);
	tree->end = tree->at + git_odb_object_size(tree->object);
	if (git_odb_object_size(tree->object) <= CACHED_MAX) {
		git_odb_object_free(*slot);
		git_odb_object_dup(slot, tree->object);
	}
	return NULL;
}

void
rawtree_close(struct rawtree *tree)
{
	git_odb_object_free(tree->object);
	*tree = (struct rawtree)RAWTREE_INIT;
}

static const char *
read_mode(const char *at, const char *end, uint32_t *mode)
{
	const char *from = at;

	*mode = 0;
	while (at < end && *at >= '0' && *at <= '7' &&
	    at - from < MODE_DIGITS)
		*mode = *mode * 8 + (uint32_t)(*at++ - '0');
	return at == from || at == end || *at != ' ' ? NULL : at + 1;
}

bool
rawtree_next(struct rawtree *tree, struct rawtree_item *item)
{
	const char *name, *nul;

	if (tree->at == tree->end || tree->is_broken)
		return false;
	tree->is_broken = true;
	name = read_mode(tree->at, tree->end, &item->mode);
	if (name == NULL)
		return false;
	nul = memchr(name, '\0', (size_t)(tree->end - name));
	if (nul == NULL || tree->end - nul - 1 < GIT_OID_RAWSZ)
		return false;
	item->name = name;
	item->len = (size_t)(nul - name);
	memcpy(item->oid.id, nul + 1, GIT_OID_RAWSZ);
	tree->at = nul + 1 + GIT_OID_RAWSZ;
	tree->is_broken = false;
	return true;
}

static unsigned char
behind(const struct rawtree_item *item, size_t at)
{
	if (at < item->len)
		return (unsigned char)item->name[at];
	return item->mode == RAWTREE_FOLDER ? '/' : '\0';
}

int
rawtree_order(const struct rawtree_item *a, const struct rawtree_item *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->name, b->name, len);

	return order != 0 ? order :
	    (int)behind(a, len) - (int)behind(b, len);
}
