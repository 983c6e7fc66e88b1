#include "cmd/fsynced.h"

#include <stddef.h>
#include <string.h>

#define LOOSE 1u
#define PACK 2u
#define PACK_METADATA 4u
#define GRAPH 8u
#define INDEX 16u
#define REFERENCE 32u

#define DERIVED (PACK_METADATA | GRAPH)

/* Without a word of anybody's. */
#define DEFAULT (PACK | DERIVED)

static const struct {
	const char *name;
	unsigned int parts;
} names[] = {
	{ "loose-object", LOOSE },
	{ "pack", PACK },
	{ "pack-metadata", PACK_METADATA },
	{ "commit-graph", GRAPH },
	{ "index", INDEX },
	{ "reference", REFERENCE },
	{ "objects", LOOSE | PACK },
	{ "derived-metadata", DERIVED },
	{ "committed", LOOSE | PACK },
	{ "added", LOOSE | PACK | INDEX },
	{ "all", LOOSE | PACK | DERIVED | INDEX | REFERENCE },
};

/* Nothing for a name that git would only warn of. */
static unsigned int
parts_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i].name) == len &&
		    strncmp(names[i].name, name, len) == 0)
			return names[i].parts;
	}
	return 0;
}

static unsigned int
parse(const char *value)
{
	unsigned int kept = DEFAULT, added = 0, dropped = 0;

	while (*value != '\0') {
		size_t len = strcspn(value, ", \t\n\r");

		if (len == strlen("none") && strncmp(value, "none", len) == 0)
			kept = 0;
		else if (*value == '-')
			dropped |= parts_of(value + 1, len - 1);
		else
			added |= parts_of(value, len);
		value += len;
		value += strspn(value, ", \t\n\r");
	}
	return (kept & ~dropped) | added;
}

bool
fsynced_covers(const char *value, const char *wanted)
{
	return (parse(wanted) & ~parse(value)) == 0;
}
