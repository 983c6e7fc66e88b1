/*
 * nearest - the word that a typo most likely means.
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

/* Longer words have no neighbours. */
#define NEAREST_MAX 64

/*
 * The candidate with the least number of inserted, deleted, changed and
 * swapped letters, lent; NULL when that number is over a third of the
 * word, rounded up.
 */
const char *nearest_word(const char *word, const char *const *candidates,
    size_t n);

#endif
