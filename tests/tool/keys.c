/*
 * keys - print the option table: a line "SECTION KEY" for each key and
 * each section that it may stand in.
 */
#include <stddef.h>
#include <stdio.h>

#include "plan/option.h"

int
main(void)
{
	static const enum option_section sections[] = {
		SECTION_APP, SECTION_ENVIRONMENT, SECTION_HOST,
		SECTION_ACTION
	};
	const struct option *table;
	size_t i, k, n;

	table = option_table(&n);
	for (i = 0; i < n; i++)
		for (k = 0; k < sizeof sections / sizeof *sections; k++)
			if (table[i].sections & sections[k])
				printf("%s %s\n",
				    option_section_name(sections[k]),
				    table[i].key);
	return 0;
}
