/* pages.h - a layer under SQLite's page cache that spares it a walk through all of it at nearly
 * every commit.
 *
 * When pages of a tree are balanced, SQLite moves them out of each other's way by the number of the
 * one page that no database has (PENDING_BYTE, the 262,145th of 4 KiB). Its page cache remembers
 * that as its highest number. Each commit tells it to forget pages beyond the end of the database;
 * with a highest number so far away it looks for them everywhere, and the cost of a commit grows
 * with the cache: with 20,000 services an eighth of what a new one costs. The layer knows better
 * which numbers are there, and passes on only what can find a page. */
#ifndef CU_STORE_PAGES_H
#define CU_STORE_PAGES_H

/* Before SQLite is used by the process for the first time; later it does nothing. Once. */
void cu_pages_install(void);

#endif
