#include "nearest.h"

#include <string.h>

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment: three rows of the table of distances between
 * prefixes; a swap looks two rows back.
 */
static int
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int rows[3][NEAREST_MAX + 1];
	int *before = rows[0], *above = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= b_len; j++)
		above[j] = (int)j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (int)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

const char *
nearest_word(const char *word, const char *const *candidates, size_t n)
{
	const char *nearest = NULL;
	size_t len = strlen(word);
	size_t limit = (len + 2) / 3;
	int best = (int)limit + 1;

	if (len == 0 || len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);
		int d;

		if (other > NEAREST_MAX || other > len + limit ||
		    len > other + limit)
			continue;
		d = distance(word, len, candidates[i], other);
		if (d < best) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}
