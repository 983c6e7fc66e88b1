#include "release/pass.h"

/* A folder that is the same, with the rows of its repairs. */
static void
note_repaired(struct pass *pass, struct manifest_draft *draft, size_t base,
    struct repair **repair, const struct repair *end)
{
	struct manifest_folder folder;

	manifest_folder(pass->checkout->base, base, &folder);
	manifest_add_folder(draft, folder.path, folder.tree);
	for (size_t k = 0; k < folder.n_entries; k++) {
		struct manifest_entry row;

		manifest_entry(pass->checkout->base, base, k, &row);
		if (*repair < end && (*repair)->base == base &&
		    (*repair)->entry.base == (int64_t)k) {
			const char *name = row.name;

			row = (*repair)->entry.row;
			row.name = name;
			(*repair)++;
		}
		manifest_add(draft, &row);
	}
}

/* All beneath a folder that is the same: as it stands, but for repairs. */
static void
note_same(struct pass *pass, struct manifest_draft *draft, size_t base,
    struct repair **repair)
{
	const struct manifest *from = pass->checkout->base;
	const struct repair *end = pass->n_repairs == 0 ? *repair :
	    pass->repairs + pass->n_repairs;
	struct manifest_folder folder, last;
	size_t i = base, until;

	manifest_folder(from, base, &folder);
	until = base + folder.n_folders;
	manifest_folder(from, until - 1, &last);
	pass->made->files += (int64_t)(last.first + last.n_entries -
	    folder.first);
	pass->made->folders += (int64_t)(folder.n_folders - (base == 0));
	while (i < until) {
		size_t next = *repair < end && (*repair)->base < until ?
		    (*repair)->base : until;

		if (next > i)
			manifest_copy(draft, from, i, next - i);
		if (next < until)
			note_repaired(pass, draft, next++, repair, end);
		i = next;
	}
}

static void
note_file(struct pass *pass, struct manifest_draft *draft,
    const struct listing_entry *entry)
{
	const struct listing_entry *folder =
	    &pass->listing.entries[entry->parent];
	struct manifest_entry row = entry->row;

	if ((entry->flags & (LISTING_KEPT | LISTING_LOOKED)) == LISTING_KEPT
	    && !pass->checkout->clones) {
		manifest_entry(pass->checkout->base, (size_t)folder->base,
		    (size_t)entry->base, &row);
		if (!pass->checkout->alone)
			row.ctime_ns = 0;
	}
	row.name = entry->path + entry->name;
	manifest_add(draft, &row);
	pass->made->files++;
}

void
pass_note(struct pass *pass, struct manifest_draft *draft)
{
	struct repair *repair = pass->repairs;

	for (size_t i = 0; i < pass->listing.n; i++) {
		const struct listing_entry *entry = &pass->listing.entries[i];

		if ((entry->flags & LISTING_WANTED) == 0)
			continue;
		if (entry->flags & LISTING_SAME) {
			note_same(pass, draft, (size_t)entry->base, &repair);
		} else if (entry->mode == LISTING_FOLDER) {
			manifest_add_folder(draft, entry->path,
			    entry->oid.id);
			pass->made->folders += i > 0;
		} else {
			note_file(pass, draft, entry);
		}
	}
}
